#include "engine/archive_source.h"

#include "base/error.h"
#include "tests/engine/stored_images.h"
#include "tests/support/fake_image_store.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <vector>

using namespace drover;
using engine::ArchiveFile;
using engine::ArchiveSource;

BOOST_AUTO_TEST_SUITE(archive_source)

namespace {

std::string read_all(ArchiveSource& source, std::size_t piece_bytes) {
  std::string out;
  std::vector<std::byte> piece(piece_bytes);
  for (std::size_t got = source.read(piece); got > 0; got = source.read(piece)) {
    out.append(reinterpret_cast<const char*>(piece.data()), got);
  }
  BOOST_TEST(source.bytes() == out.size());
  return out;
}

ArchiveSource::NextFile these(std::vector<ArchiveFile> files) {
  return [files = std::deque<ArchiveFile>(files.begin(), files.end())]() mutable -> std::optional<ArchiveFile> {
    if (files.empty()) return std::nullopt;
    ArchiveFile file = std::move(files.front());
    files.pop_front();
    return file;
  };
}

ErrorCode failure_of(std::vector<ArchiveFile> files) {
  ArchiveSource source(these(std::move(files)));
  try {
    read_all(source, 4096);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_archive_is_the_same_whatever_the_readers_span) {
  const test::TempDir dir;
  const std::string blob = test::gzip(test::layer_text("a"));
  const auto path = dir.write("blob", blob);
  const auto make = [&](std::size_t piece) {
    ArchiveSource source(these({engine::text_file("empty", ""), engine::text_file("a.json", "{}"),
                                engine::blob_file("layer.gz", path, Digest::of(blob), blob.size()),
                                engine::inflated_file("layer.tar", path, 2048)}));
    return read_all(source, piece);
  };

  const std::string archive = make(1U << 20U);

  for (const std::size_t piece : {1U, 511U, 512U, 513U, 4096U}) BOOST_TEST((make(piece) == archive));
  const auto files = test::read_tar(archive);
  BOOST_TEST(files.size() == 4U);
  BOOST_TEST(files.at("a.json") == "{}");
  BOOST_TEST((files.at("layer.gz") == blob));
  BOOST_TEST((files.at("layer.tar") == test::layer_text("a")));
}

BOOST_AUTO_TEST_CASE(a_damaged_blob_leaves_the_archive_without_its_end) {
  const test::TempDir dir;
  const auto path = dir.write("blob", std::string(5000, 'x'));
  BOOST_TEST((failure_of({engine::blob_file("b", path, Digest::of("other"), 5000)}) == ErrorCode::digest_mismatch));
}

BOOST_AUTO_TEST_CASE(a_layer_of_another_length_than_hinted_is_a_size_mismatch) {
  const test::TempDir dir;
  const auto path = dir.write("blob", test::gzip(test::layer_text("a")));
  BOOST_TEST((failure_of({engine::inflated_file("l", path, 1024)}) == ErrorCode::size_mismatch));
  BOOST_TEST((failure_of({engine::inflated_file("l", path, 4096)}) == ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(a_cut_layer_is_invalid) {
  const test::TempDir dir;
  const std::string whole = test::gzip(test::layer_text("a"));
  const auto path = dir.write("blob", whole.substr(0, whole.size() - 9));
  BOOST_TEST((failure_of({engine::inflated_file("l", path, 2048)}) == ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(what_is_there_is_handed_out_before_the_next_file_is_asked_for) {
  int asked = 0;
  ArchiveSource source([&]() -> std::optional<ArchiveFile> {
    if (++asked == 1) return engine::text_file("a", std::string(100'000, 'x'));
    return std::nullopt;
  });
  std::vector<std::byte> span(1U << 20U);

  const std::size_t first = source.read(span);

  BOOST_TEST(first > 0U);
  BOOST_TEST(asked == 1);
  while (source.read(span) > 0) continue;
  BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_SUITE_END()
