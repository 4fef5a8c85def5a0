#include "engine/layer_usage.h"

#include "tests/stack/engine_state.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using drover::test::image;
using drover::test::days;

BOOST_AUTO_TEST_SUITE(layer_usage)

BOOST_AUTO_TEST_CASE(what_goes_is_what_nobody_else_stands_on) {
  const std::vector<engine::SnapshotImage> images{image("1", {}, days(1), "abc"), image("2", {}, days(1), "abd"), image("3", {}, days(1), "ab"), image("4", {}, days(1), "abc")};
  engine::LayerUsage usage(images);
  BOOST_TEST(usage.remove(images[0]) == 0U);  // 4 has the same layers
  BOOST_TEST(usage.remove(images[3]) == 100U);
  BOOST_TEST(usage.remove(images[2]) == 0U);
  BOOST_TEST(usage.remove(images[1]) == 300U);
}

// Sizes of whole images tell the sizes of what they share, when one of them is what they share.
BOOST_AUTO_TEST_CASE(only_branches_that_no_image_tells_of_are_measured) {
  std::vector<engine::SnapshotImage> images{image("1", {}, days(1), "abc"), image("2", {}, days(1), "abd"), image("3", {}, days(1), "ab"), image("4", {}, days(1), "x")};
  BOOST_TEST(engine::images_to_measure(images).empty());
  for (engine::SnapshotImage& each : images) each.layer_bytes.clear();
  engine::LayerUsage usage(images);
  BOOST_TEST(usage.remove(images[0]) == 100U);
  BOOST_TEST(usage.remove(images[3]) == 100U);

  images.erase(images.begin() + 2);
  BOOST_TEST(engine::images_to_measure(images) == std::vector<std::size_t>{0}, boost::test_tools::per_element());
  engine::LayerUsage unmeasured(images);
  BOOST_TEST(unmeasured.remove(images[0]) == 0U);  // never more than is sure
  images[0].layer_bytes = {100, 100, 100};
  engine::LayerUsage measured(images);
  BOOST_TEST(measured.remove(images[1]) == 100U);
}

BOOST_AUTO_TEST_CASE(packed_blobs_go_in_proportion) {
  std::vector<engine::SnapshotImage> images{image("1", {}, days(1), "abc"), image("2", {}, days(1), "abd")};
  for (engine::SnapshotImage& each : images) each.bytes = 300 + 90;
  engine::LayerUsage usage(images);
  BOOST_TEST(usage.remove(images[0]) == 130U);
  BOOST_TEST(usage.remove(images[1]) == 390U);
}

BOOST_AUTO_TEST_CASE(steps_without_a_layer_are_told_apart_as_far_as_can_be) {
  const std::vector<std::uint64_t> sizes{70, 0, 20, 0};
  BOOST_TEST(engine::layer_bytes_of(sizes, 2) == (std::vector<std::uint64_t>{70, 20}), boost::test_tools::per_element());
  BOOST_TEST(engine::layer_bytes_of(sizes, 3) == (std::vector<std::uint64_t>{70, 20, 0}), boost::test_tools::per_element());
  BOOST_TEST(engine::layer_bytes_of(sizes, 1).empty());
  BOOST_TEST(engine::layer_bytes_of(sizes, 5).empty());
}

BOOST_AUTO_TEST_SUITE_END()
