#include "engine/layer_size.h"

#include "tests/engine/stored_images.h"
#include "tests/support/temp_dir.h"

#include "base/text.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using engine::hinted_plain_size;

BOOST_AUTO_TEST_SUITE(layer_size)

namespace {

std::optional<std::uint64_t> hint(std::string_view file) {
  return hinted_plain_size(as_bytes(file.substr(0, 18)), as_bytes(file.substr(file.size() - 4)), file.size());
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_hints_of_gzip_zstd_and_plain_files_are_their_sizes) {
  const std::string plain = test::layer_text("a");
  BOOST_TEST(hint(test::gzip(plain)).value() == plain.size());
  BOOST_TEST(hint(test::zstd(plain, true)).value() == plain.size());
  BOOST_TEST(hint(test::zstd(plain, false)).has_value() == false);
}

BOOST_AUTO_TEST_CASE(a_hint_that_cannot_be_a_tar_is_not_believed) {
  BOOST_TEST(!hint(test::gzip(test::layer_text("a") + std::string(100, '\0'))));  // no whole tar blocks
  BOOST_TEST(!hint(test::gzip(test::layer_text("a")) + test::gzip("")));          // eStargz ends in an empty member
  const std::string many = test::gzip(test::layer_text("a")) + test::gzip(test::layer_text("b"));
  BOOST_TEST(hint(many).value_or(0) < 2 * test::layer_text("a").size());  // two members: wrong, and found out while inflating
}

BOOST_AUTO_TEST_CASE(big_gzip_files_are_not_believed_as_isize_wraps) {
  const std::string file = test::gzip(test::layer_text("a"));
  const auto head = as_bytes(std::string_view(file).substr(0, 18));
  const std::string tail("\x00\x00\x00\xf0", 4);
  BOOST_TEST(hinted_plain_size(head, as_bytes(tail), 700U << 20U).value() == 0xf0000000U);
  BOOST_TEST(!hinted_plain_size(head, as_bytes(tail), 900U << 20U));
  BOOST_TEST(!hinted_plain_size(head, as_bytes(tail), 1U << 20U));  // deflate cannot shrink that far
}

BOOST_AUTO_TEST_CASE(counting_and_distrust_replace_a_hint) {
  const test::TempDir dir;
  const std::string bytes = test::gzip(test::layer_text("a"));
  const std::filesystem::path file = dir.write("layer", bytes);
  const Digest digest = Digest::of(bytes);
  engine::LayerSizes sizes;

  BOOST_TEST(sizes.find(digest, file).value() == 2048U);
  sizes.distrust(digest);
  BOOST_TEST(!sizes.find(digest, file));
  BOOST_TEST(sizes.count(digest, file) == 2048U);
  BOOST_TEST(sizes.find(digest, file).value() == 2048U);
}

BOOST_AUTO_TEST_SUITE_END()
