#include "store/part_file.h"

#include <boost/test/unit_test.hpp>

#include "base/error.h"
#include "digest/sha256_lanes.h"
#include "base/file.h"
#include "base/text.h"
#include "store/journal.h"
#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

using namespace drover;
using namespace drover::store;

namespace {

std::string noise(std::size_t size) {
  std::mt19937_64 random(size);  // NOLINT: the same every time
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(random());
  return bytes;
}

struct PartFileFixture {
  test::TempDir directory;
  BlobStore store = BlobStore::open(directory.path() / "store", BlobStore::Access::write);
  std::string bytes = noise((2U << 20U) + 1234);
  Descriptor descriptor{.media_type = "application/octet-stream", .digest = Digest::of(bytes), .size = bytes.size()};
  Context ctx;

  PartFile open() {
    std::optional<PartFile> part = PartFile::try_open(ctx, store, descriptor);
    BOOST_REQUIRE(part.has_value());
    return *std::move(part);
  }
  void write(PartFile& part, std::uint64_t begin, std::uint64_t end) {
    part.write(ctx, begin, as_bytes(std::string_view(bytes).substr(begin, end - begin)));
  }
  // As the transfer's hashing thread does.
  static void hash(PartFile& part) {
    const Sha256Lanes lanes;
    std::vector<std::byte> memory;
    PartFile* const parts[] = {&part};
    while (part.has_unhashed()) PartFile::hash_frontiers(lanes, parts, memory);
  }
  std::string part_path() { return store.ingest_path(descriptor.digest, ".part"); }
  std::string journal_path() { return store.ingest_path(descriptor.digest, ".journal"); }
};

bool is_mismatch(const Error& e) { return e.code() == ErrorCode::digest_mismatch; }

bool is_too_large(const Error& e) { return e.code() == ErrorCode::size_mismatch; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(part_file, PartFileFixture)

BOOST_AUTO_TEST_CASE(pieces_in_any_order_become_the_blob) {
  PartFile part = open();
  write(part, 1'000'000, bytes.size());
  BOOST_TEST(!part.has_unhashed());
  write(part, 0, 400'000);
  BOOST_TEST(part.has_unhashed());
  hash(part);
  BOOST_TEST(part.hashed_bytes() == 400'000U);
  write(part, 400'000, 1'000'000);
  hash(part);
  BOOST_TEST(part.hashed_bytes() == bytes.size());
  part.commit(ctx, store);
  BOOST_TEST((store.read(descriptor.digest, bytes.size()) == bytes));
  BOOST_TEST(!std::filesystem::exists(part_path()));
  BOOST_TEST(!std::filesystem::exists(journal_path()));
}

BOOST_AUTO_TEST_CASE(an_empty_blob_is_a_blob) {
  descriptor = {.media_type = "x", .digest = Digest::of(""), .size = 0};
  open().commit(ctx, store);
  BOOST_TEST(store.has(descriptor.digest, 0));
}

BOOST_AUTO_TEST_CASE(a_second_writer_has_to_wait) {
  std::optional<PartFile> first = open();
  BOOST_TEST(!PartFile::try_open(ctx, store, descriptor).has_value());
  first.reset();
  BOOST_TEST(PartFile::try_open(ctx, store, descriptor).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_written_is_taken_up_again) {
  {
    PartFile part = open();
    write(part, 0, 300'000);
    write(part, 700'000, 900'000);
  }
  PartFile part = open();
  BOOST_TEST(part.resumed_bytes() == 500'000U);
  BOOST_TEST(part.present().to_string() == "[0,300000) [700000,900000)");
  write(part, 300'000, 700'000);
  write(part, 900'000, bytes.size());
  part.commit(ctx, store);
  BOOST_TEST((store.read(descriptor.digest, bytes.size()) == bytes));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_check_of_what_is_there_and_keeps_it) {
  {
    PartFile part = open();
    write(part, 0, 1U << 20U);
  }
  std::stop_source stop;
  stop.request_stop();
  Context stopped;
  stopped.stop = stop.get_token();

  BOOST_CHECK_EXCEPTION(PartFile::try_open(stopped, store, descriptor), Error, [](const Error& e) { return e.code() == ErrorCode::interrupted; });

  BOOST_TEST(open().resumed_bytes() == 1U << 20U);
}

BOOST_AUTO_TEST_CASE(damaged_ranges_are_fetched_again) {
  {
    PartFile part = open();
    write(part, 0, 300'000);
    write(part, 300'000, 600'000);
  }
  {
    const UniqueFd fd = open_file(part_path(), O_RDWR);
    write_all_at(fd.get(), as_bytes("x"), 299'999, "part");
  }
  BOOST_TEST(open().present().to_string() == "[300000,600000)");
}

BOOST_AUTO_TEST_CASE(another_file_under_the_part_s_name_is_not_believed) {
  {
    PartFile part = open();
    write(part, 0, 300'000);
  }
  const std::string copy = read_file(part_path(), 1U << 30U);
  write_file_durably(part_path(), copy);
  BOOST_TEST(open().resumed_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_journal_of_another_blob_is_not_believed) {
  {
    PartFile part = open();
    write(part, 0, 300'000);
  }
  const auto saved = std::pair(part_path(), journal_path());
  bytes[5] = static_cast<char>(bytes[5] + 1);
  descriptor.digest = Digest::of(bytes);
  std::filesystem::rename(saved.first, part_path());
  std::filesystem::rename(saved.second, journal_path());
  BOOST_TEST(open().resumed_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(after_a_reboot_unsynced_records_do_not_count) {
  {
    PartFile part = open();
    write(part, 0, 300'000);
  }
  // The clean end synced and marked it; take the mark away and make the header another boot's.
  std::optional<Journal> journal = decode_journal(read_file(journal_path(), 1U << 20U));
  BOOST_REQUIRE(journal->records.back().kind == JournalRecord::Kind::synced);
  journal->header.boot[0] ^= std::byte{1};
  const std::string other_boot = encode_header(journal->header);
  write_file_durably(journal_path(), other_boot + encode_record(journal->records.front()));
  BOOST_TEST(open().resumed_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(wrong_bytes_are_never_committed_nor_resumed) {
  bytes[bytes.size() / 2] ^= 1;  // the descriptor still names the right ones
  PartFile part = open();
  write(part, 0, bytes.size());
  BOOST_CHECK_EXCEPTION(part.commit(ctx, store), Error, is_mismatch);
  BOOST_TEST(!store.has(descriptor.digest, bytes.size()));
  BOOST_TEST(open().resumed_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_byte_too_many_is_refused) {
  PartFile part = open();
  BOOST_CHECK_EXCEPTION(part.write(ctx, bytes.size(), as_bytes("x")), Error, is_too_large);
  BOOST_CHECK_EXCEPTION(part.write(ctx, ~0ULL - 1, as_bytes("xxxx")), Error, is_too_large);
  BOOST_CHECK_EXCEPTION(part.commit(ctx, store), Error, is_too_large);
}

// A child process is killed at some point of its writing; what it recorded is sound and the blob becomes right.
BOOST_AUTO_TEST_CASE(kill_at_any_moment_leaves_a_sound_part) {
  constexpr std::uint64_t step = 64 * 1024;
  for (int round = 0; round < 8; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      std::optional<PartFile> part = PartFile::try_open(ctx, store, descriptor);
      for (std::uint64_t at = part->hashed_bytes() / step * step; at < bytes.size(); at += step) {
        if (part->present().contains({at, std::min(at + step, bytes.size())})) continue;
        write(*part, at, std::min<std::uint64_t>(at + step, bytes.size()));
      }
      for (;;) pause();
    }
    usleep(static_cast<useconds_t>(500 * (round + 1)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  PartFile part = open();
  BOOST_TEST(part.resumed_bytes() > 0U);
  for (const ByteRange& hole : part.present().missing(bytes.size())) write(part, hole.begin, hole.end);
  part.commit(ctx, store);
  BOOST_TEST((store.read(descriptor.digest, bytes.size()) == bytes));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(part_file_large)

// Beyond resume_hash_bytes the saved state is used: a prefix changed behind its back, with its CRC made right, would go unnoticed, so
// the test looks at what was hashed and not only at the result.
BOOST_FIXTURE_TEST_CASE(a_large_prefix_is_not_hashed_again, PartFileFixture) {
  const std::string block = noise(1U << 20U);
  constexpr std::uint64_t blocks = (resume_hash_bytes >> 20U) + 8;
  Hasher hasher(Digest::Algorithm::sha256);
  for (std::uint64_t i = 0; i < blocks; ++i) hasher.update(as_bytes(block));
  descriptor.size = blocks << 20U;
  descriptor.digest = hasher.finish();
  {
    PartFile part = open();
    for (std::uint64_t i = 0; i + 4 < blocks; ++i) {
      part.write(ctx, i << 20U, as_bytes(block));
      hash(part);
    }
  }
  PartFile part = open();
  BOOST_TEST(part.resumed_bytes() == (blocks - 4) << 20U);
  BOOST_TEST(part.hashed_bytes() == (blocks - 5) << 20U);  // a record tells what was hashed before it
  for (std::uint64_t i = blocks - 4; i < blocks; ++i) part.write(ctx, i << 20U, as_bytes(block));
  part.commit(ctx, store);
  BOOST_TEST(store.has(descriptor.digest, descriptor.size));
}

BOOST_FIXTURE_TEST_CASE(parts_are_hashed_together_while_they_are_written, PartFileFixture) {
  constexpr std::size_t count = 5;
  std::vector<std::string> contents;
  std::vector<Descriptor> descriptors;
  std::deque<PartFile> parts;
  for (std::size_t i = 0; i < count; ++i) {
    contents.push_back(noise((1U << 20U) + i * 300'000 + i));
    descriptors.push_back(descriptor);
    descriptors.back().digest = Digest::of(contents[i], i == 4 ? Digest::Algorithm::sha512 : Digest::Algorithm::sha256);
    descriptors.back().size = contents[i].size();
    parts.push_back(*PartFile::try_open(ctx, store, descriptors[i]));
  }
  std::atomic<bool> is_written = false;
  std::jthread writer([&] {
    constexpr std::size_t step = 50'000;
    for (std::size_t at = 0; at < contents.back().size(); at += step) {
      for (std::size_t i = 0; i < count; ++i) {
        if (at < contents[i].size()) parts[i].write(ctx, at, as_bytes(std::string_view(contents[i]).substr(at, step)));
      }
    }
    is_written = true;
  });
  const Sha256Lanes lanes;
  std::vector<std::byte> memory;
  for (bool is_last = false; !is_last;) {
    is_last = is_written;
    std::vector<PartFile*> ready;
    for (PartFile& part : parts) {
      if (part.has_unhashed()) ready.push_back(&part);
    }
    if (!ready.empty()) is_last = false;
    PartFile::hash_frontiers(lanes, ready, memory);
  }
  writer.join();
  for (std::size_t i = 0; i < count; ++i) {
    BOOST_TEST(parts[i].hashed_bytes() == contents[i].size());
    parts[i].commit(ctx, store);
    BOOST_TEST((store.read(descriptors[i].digest, contents[i].size()) == contents[i]));
  }
}

BOOST_FIXTURE_TEST_CASE(where_others_can_write_everything_is_hashed_again, PartFileFixture) {
  const std::string block = noise(1U << 20U);
  constexpr std::uint64_t blocks = (resume_hash_bytes >> 20U) + 2;
  descriptor.size = blocks << 20U;
  {
    PartFile part = open();
    for (std::uint64_t i = 0; i + 1 < blocks; ++i) part.write(ctx, i << 20U, as_bytes(block));
  }
  chmod(std::filesystem::path(part_path()).parent_path().c_str(), 0777);
  const PartFile part = open();
  BOOST_TEST(part.resumed_bytes() == (blocks - 1) << 20U);
  BOOST_TEST(part.hashed_bytes() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
