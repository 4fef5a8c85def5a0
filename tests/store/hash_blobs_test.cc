#include "store/hash_blobs.h"

#include "base/error.h"
#include "tests/store/small_image.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

using namespace drover;
using namespace drover::store;

namespace {

// Files of a layout, named by their digests; what a test puts in their place comes after.
struct HashBlobsFixture {
  test::TempDir dir;
  Context ctx;
  test::RecordingProgress progress;
  std::vector<StoredBlob> blobs;

  HashBlobsFixture() { ctx.progress = &progress; }

  std::filesystem::path add(std::string_view bytes) {
    const Digest digest = Digest::of(bytes);
    blobs.push_back({.digest = digest, .size = bytes.size(), .changed = {}});
    return dir.write("blobs/sha256/" + digest.hex(), bytes);
  }
  std::vector<BlobFinding> hash(std::size_t threads) { return hash_blobs(ctx, dir.path(), blobs, threads); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hash_blobs_of_a_store, HashBlobsFixture)

BOOST_AUTO_TEST_CASE(no_blobs_are_no_findings) {
  BOOST_TEST(hash(0).empty());
  BOOST_TEST(hash(4).empty());
}

BOOST_AUTO_TEST_CASE(findings_come_in_the_order_of_the_blobs) {
  for (std::size_t i = 0; i < 50; ++i) add(std::string(i * i * 100, static_cast<char>('a' + i % 26)));
  for (const std::size_t threads : {0U, 1U, 2U, 7U, 50U, 500U}) {
    const auto findings = hash(threads);
    BOOST_TEST_REQUIRE(findings.size() == blobs.size());
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      BOOST_TEST(findings[i].bytes == blobs[i].size);
      BOOST_TEST(!findings[i].why.has_value());
    }
  }
}

// A vanished file is no fault; what is no regular file cannot be read, and must not block.
BOOST_AUTO_TEST_CASE(vanished_and_unreadable_files_stop_nobody) {
  add(std::string(300000, 'x'));
  const auto vanished = add("vanished");
  const auto pipe = add("pipe");
  const auto folder = add(std::string(100000, 'f'));
  add(std::string(200000, 'y'));
  std::filesystem::remove(vanished);
  std::filesystem::remove(pipe);
  BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::filesystem::remove(folder);
  std::filesystem::create_directory(folder);

  for (const std::size_t threads : {1U, 3U}) {
    const auto findings = hash(threads);
    BOOST_TEST(findings[0].bytes == 300000U);
    BOOST_TEST(!findings[0].why.has_value());
    BOOST_TEST(findings[1].bytes == 0U);
    BOOST_TEST(!findings[1].why.has_value());
    for (const std::size_t i : {2U, 3U}) {
      BOOST_TEST(findings[i].bytes == 0U);
      BOOST_TEST(findings[i].why.value().find("it is not a regular file") != std::string::npos);
    }
    BOOST_TEST(!findings[4].why.has_value());
  }
}

BOOST_AUTO_TEST_CASE(every_blob_has_one_first_and_one_last_event) {
  add(std::string(3000000, 'x'));
  std::filesystem::remove(add("vanished"));
  const auto damaged = add("damaged");
  dir.write("blobs/sha256/" + damaged.filename().string(), "changed");
  add("");

  hash(2);

  BOOST_TEST(progress.events(ProgressEvent::Kind::started).size() == 4U);
  BOOST_TEST(progress.events(ProgressEvent::Kind::finished).size() == 3U);
  const auto failed = progress.events(ProgressEvent::Kind::failed);
  BOOST_TEST_REQUIRE(failed.size() == 1U);
  BOOST_TEST(failed[0].text == "its 7 bytes have digest " + Digest::of("changed").to_string());
  BOOST_TEST(failed[0].label == failed[0].id);
  BOOST_TEST(failed[0].total == 7U);
}

// As when verify was first told of a file of 7 bytes: what is there is hashed, also what has been appended.
BOOST_AUTO_TEST_CASE(the_file_counts_not_the_size_that_was_listed) {
  const std::string bytes(100000, 'x');
  add(bytes);
  blobs[0].size = 7;
  const auto findings = hash(1);
  BOOST_TEST(findings[0].bytes == bytes.size());
  BOOST_TEST(!findings[0].why.has_value());
}

BOOST_AUTO_TEST_CASE(files_in_use_are_bounded) {
  for (std::size_t i = 0; i < 300; ++i) add(std::to_string(i));
  rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few = before;
  few.rlim_cur = 280;
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);

  const auto findings = hash(64);

  ::setrlimit(RLIMIT_NOFILE, &before);
  for (const BlobFinding& finding : findings) BOOST_TEST(finding.why.value_or("") == "");
}

BOOST_AUTO_TEST_CASE(the_largest_blob_is_not_left_alone) {
  constexpr std::size_t turn_max = 16;
  BOOST_TEST(store::find_turn_size(1, 15, 1, turn_max) == turn_max);
  BOOST_TEST(store::find_turn_size(1000, 1001, 1, turn_max) == turn_max);
  BOOST_TEST(store::find_turn_size(1000, 1000, 1, turn_max) == 2U);  // one beside it, to the end of both
  BOOST_TEST(store::find_turn_size(1000, 0, 1, turn_max) == 2U);
  BOOST_TEST(store::find_turn_size(1000, 1600, 2, turn_max) == 1U);  // the other thread is done with them as soon as this one
  BOOST_TEST(store::find_turn_size(1000, 1601, 2, turn_max) == turn_max);
  BOOST_TEST(store::find_turn_size(1000, 4800, 4, turn_max) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
