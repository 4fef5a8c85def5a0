#include "store/tar_writer.h"

#include "base/error.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

using namespace drover;
using namespace drover::store;

BOOST_AUTO_TEST_SUITE(tar_writer)

namespace {

// What libarchive's reader makes of it: "name mode size mtime uid:content" a line.
std::string list_tar(const std::string& tar) {
  std::string text;
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  BOOST_TEST_REQUIRE(archive_read_open_memory(reader, tar.data(), tar.size()) == ARCHIVE_OK);
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    const la_ssize_t n = archive_read_data(reader, content.data(), content.size());
    BOOST_TEST(n == static_cast<la_ssize_t>(content.size()));
    text += std::string(archive_entry_pathname(entry)) + " " + std::to_string(archive_entry_perm(entry)) + " " +
            std::to_string(archive_entry_size(entry)) + " " + std::to_string(archive_entry_mtime(entry)) + " " +
            std::to_string(archive_entry_uid(entry)) + ":" + content + "\n";
  }
  BOOST_TEST(result == ARCHIVE_EOF);
  archive_read_free(reader);
  return text;
}

struct Sink {
  std::string bytes;
  std::vector<std::size_t> pieces;
  const std::byte* last = nullptr;
  ByteSink as_function() {
    return [this](std::span<const std::byte> piece) {
      bytes += as_text(piece);
      pieces.push_back(piece.size());
      last = piece.data();
    };
  }
};

// A header's field of octal digits.
std::uint64_t octal_at(const std::string& tar, std::size_t offset, std::size_t length) {
  return std::stoull(tar.substr(offset, length), nullptr, 8);
}

auto has_code(ErrorCode code) {
  return [code](const Error& e) { return e.code() == code; };
}

}  // namespace

BOOST_AUTO_TEST_CASE(files_come_back_as_they_went_in) {
  Sink sink;
  TarWriter writer(sink.as_function());
  writer.add("manifest.json", "[]");
  writer.add("empty", "");
  writer.begin("blobs/sha256/" + std::string(64, 'a'), 6);
  writer.write(as_bytes("abc"));
  writer.write(as_bytes("def"));
  writer.add("block", std::string(512, 'x'));
  writer.finish();

  BOOST_TEST(list_tar(sink.bytes) == "manifest.json 420 2 0 0:[]\nempty 420 0 0 0:\nblobs/sha256/" + std::string(64, 'a') +
                                         " 420 6 0 0:abcdef\nblock 420 512 0 0:" + std::string(512, 'x') + "\n");
}

BOOST_AUTO_TEST_CASE(headers_are_plain_ustar_and_the_end_is_two_blocks) {
  Sink sink;
  TarWriter writer(sink.as_function());
  writer.add("a", "b");
  writer.finish();

  BOOST_TEST(sink.bytes.size() == 512U + 512U + 1024U);
  BOOST_TEST(sink.bytes.substr(257, 8) == std::string("ustar\00000", 8));
  BOOST_TEST(sink.bytes[156] == '0');
  BOOST_TEST(octal_at(sink.bytes, 100, 7) == 0644U);
  BOOST_TEST(octal_at(sink.bytes, 136, 11) == 0U);
  BOOST_TEST(sink.bytes.substr(1024) == std::string(1024, '\0'));
}

BOOST_AUTO_TEST_CASE(the_same_files_give_the_same_bytes) {
  const auto write = [] {
    Sink sink;
    TarWriter writer(sink.as_function());
    writer.add("a", "b");
    writer.begin("large", 9ULL << 30U);
    std::string head = sink.bytes;
    return head;
  };
  BOOST_TEST(write() == write());
}

BOOST_AUTO_TEST_CASE(an_empty_archive_is_its_end) {
  Sink sink;
  TarWriter(sink.as_function()).finish();
  BOOST_TEST(sink.bytes == std::string(1024, '\0'));
}

BOOST_AUTO_TEST_CASE(files_beyond_8_gib_say_so_in_a_pax_header) {
  constexpr std::uint64_t size = 9ULL << 30U;
  Sink sink;
  std::uint64_t total = 0;
  TarWriter writer([&](std::span<const std::byte> piece) {
    total += piece.size();
    if (sink.bytes.size() < 4096) sink.bytes += as_text(piece.first(std::min<std::size_t>(piece.size(), 4096)));
  });
  writer.begin("large", size);
  const std::vector<std::byte> piece(32U << 20U);
  for (std::uint64_t done = 0; done < size; done += piece.size()) writer.write(piece);
  writer.finish();

  BOOST_TEST(sink.bytes[156] == 'x');
  BOOST_TEST(sink.bytes.find("size=" + std::to_string(size) + "\n") != std::string::npos);
  BOOST_TEST(total == 512 * 3 + size + 1024);
  BOOST_TEST(sink.bytes.substr(1024, 5) == "large");
}

BOOST_AUTO_TEST_CASE(large_pieces_pass_uncopied_and_small_ones_are_gathered) {
  Sink sink;
  TarWriter writer(sink.as_function());
  const std::vector<std::byte> large(1U << 20U);
  writer.begin("large", large.size() * 2);
  writer.write(large);
  BOOST_TEST(sink.last == large.data());
  writer.write(large);
  for (int i = 0; i < 100; ++i) writer.add("small" + std::to_string(i), "x");
  writer.finish();

  BOOST_TEST_REQUIRE(sink.pieces.size() == 5U);
  BOOST_TEST(sink.pieces[0] == 512U);
  BOOST_TEST(sink.pieces[1] == large.size());
  BOOST_TEST(sink.pieces[2] == large.size());
  BOOST_TEST(sink.pieces[3] <= 65536U);
  BOOST_TEST(sink.pieces[3] > 64000U);
}

BOOST_AUTO_TEST_CASE(sizes_are_kept_to) {
  Sink sink;
  TarWriter writer(sink.as_function());
  writer.begin("a", 3);
  BOOST_CHECK_EXCEPTION(writer.write(as_bytes("abcd")), Error, has_code(ErrorCode::size_mismatch));
  writer.write(as_bytes("ab"));
  BOOST_CHECK_EXCEPTION(writer.begin("b", 1), Error, has_code(ErrorCode::size_mismatch));
  BOOST_CHECK_EXCEPTION(writer.finish(), Error, has_code(ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(an_unfinished_archive_has_no_end_marker) {
  Sink sink;
  {
    TarWriter writer(sink.as_function());
    writer.begin("large", 200000);
    writer.write(std::vector<std::byte>(100000));
  }
  BOOST_TEST(sink.bytes.size() == 100512U);
}

BOOST_AUTO_TEST_CASE(what_the_sink_throws_comes_out) {
  int calls = 0;
  TarWriter writer([&](std::span<const std::byte>) {
    ++calls;
    throw std::runtime_error("broken pipe");
  });
  writer.begin("large", 200000);
  BOOST_CHECK_EXCEPTION(writer.write(std::vector<std::byte>(100000)), std::runtime_error,
                        [](const std::runtime_error& e) { return std::string_view(e.what()) == "broken pipe"; });
  BOOST_CHECK_THROW(writer.write(std::vector<std::byte>(1)), std::runtime_error);
  BOOST_TEST(calls == 1);
}

const std::string bad_names[] = {"", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\nb", std::string("a\0b", 3), "caf\xc3\xa9", std::string(101, 'x')};

BOOST_DATA_TEST_CASE(odd_names_are_refused, boost::unit_test::data::make(bad_names), name) {
  Sink sink;
  TarWriter writer(sink.as_function());
  BOOST_CHECK_EXCEPTION(writer.add(name, "x"), Error, has_code(ErrorCode::usage));
}

BOOST_AUTO_TEST_CASE(a_file_takes_its_header_and_whole_blocks) {
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 5000U}) {
    std::size_t written = 0;
    TarWriter writer([&](std::span<const std::byte> bytes) { written += bytes.size(); });
    writer.add("a", std::string(size, 'x'));
    writer.finish();
    BOOST_TEST(written == tar_entry_bytes(size) + 1024);  // the end: two blocks of zeros
  }
}

BOOST_AUTO_TEST_SUITE_END()
