#include "store/layer_digests.h"

#include "base/error.h"
#include "store/tar_writer.h"
#include "tests/support/layer_bytes.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <zstd.h>

#include <string>

using namespace drover;
using store::LayerDigests;
using store::read_layer_digests;

BOOST_AUTO_TEST_SUITE(layer_digests)

namespace {

// The tar of one file of about that size: text, then a run of zeros.
std::string plain_of(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size / 2) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>('a' + (state >> 24U) % 26);
  }
  text.resize(size, '\0');
  std::string tar;
  store::TarWriter writer([&](std::span<const std::byte> bytes) { tar.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); });
  writer.add("file", text);
  writer.finish();
  return tar;
}

const std::size_t sizes[] = {0, 1000, 260608, 262144, 3000000};

void expect_digests(const std::string& blob, const std::string& plain) {
  const test::TempDir dir;
  const LayerDigests found = read_layer_digests(Context{}, dir.write("layer", blob));
  BOOST_TEST(found.blob == Digest::of(blob));
  BOOST_TEST(found.diff_id == Digest::of(plain));
  BOOST_TEST(found.blob_bytes == blob.size());
  BOOST_TEST(found.plain_bytes == plain.size());
}

}  // namespace

BOOST_DATA_TEST_CASE(both_names_of_a_layer_however_it_is_packed, sizes, size) {
  const std::string plain = plain_of(size);
  expect_digests(plain, plain);
  expect_digests(test::gzip(plain), plain);
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  expect_digests(packed, plain);
}

BOOST_AUTO_TEST_CASE(members_one_after_another_are_one_layer) {
  const std::string first = plain_of(300000);
  const std::string second = "more" + std::string(70000, '\0');
  expect_digests(test::gzip(first) + test::gzip(second), first + second);
}

BOOST_AUTO_TEST_CASE(bytes_behind_the_last_member_are_refused) {
  const test::TempDir dir;
  const auto file = dir.write("layer", test::gzip(plain_of(5000)) + "junk");
  BOOST_CHECK_EXCEPTION(read_layer_digests(Context{}, file), Error, [](const Error& e) { return e.code() == ErrorCode::invalid; });
}

BOOST_AUTO_TEST_CASE(a_stop_ends_it) {
  const test::TempDir dir;
  std::stop_source stop;
  stop.request_stop();
  Context ctx;
  ctx.stop = stop.get_token();
  const auto file = dir.write("layer", plain_of(5000));
  BOOST_CHECK_EXCEPTION(read_layer_digests(ctx, file), Error, [](const Error& e) { return e.code() == ErrorCode::interrupted; });
}

BOOST_AUTO_TEST_SUITE_END()
