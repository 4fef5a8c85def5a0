#include "engine/upload.h"

#include "tests/engine/stored_images.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
using engine::Inventory;
using engine::LayerBoard;
using engine::LoadImage;

BOOST_AUTO_TEST_SUITE(upload)

namespace {

constexpr std::uint64_t mib = 1U << 20U;

struct Fixture {
  test::TempDir dir;
  store::BlobStore store = store::BlobStore::open(dir.path() / "store", store::BlobStore::Access::write);
  LoadImage image = test::put_image(store, "redis:7", {test::plain_layer("a"), test::plain_layer("b"), test::plain_layer("c")});
};

struct Row {
  std::vector<std::uint64_t> mebibytes;  // by layer
  std::optional<std::size_t> split;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  for (const std::uint64_t size : row.mebibytes) out << size << " ";
  return out;
}

const Row rows[] = {
    {{100, 100, 1}, 1},
    {{10, 10, 100}, 2},
    {{8, 8, 0}, 1},
    {{7, 100, 1}, std::nullopt},   // either side would be too small for a request of its own
    {{100, 7, 0}, std::nullopt},
    {{1, 1, 1}, std::nullopt},
    {{0, 0, 500}, std::nullopt},   // one layer cannot be cut
};

}  // namespace

BOOST_DATA_TEST_CASE(an_image_is_cut_where_both_sides_are_worth_a_request, rows, row) {
  Fixture fixture;
  LayerBoard board{Inventory{}};
  const auto share = board.take(fixture.image, false);
  for (std::size_t i = 0; i < row.mebibytes.size(); ++i) share->plan.layers[i].layer.size = row.mebibytes[i] * mib;

  BOOST_TEST((engine::split_layers(share->plan, *share) == row.split));
}

BOOST_FIXTURE_TEST_CASE(only_layers_that_this_load_brings_count, Fixture) {
  LayerBoard board{Inventory{}};
  const auto before = board.take(image, false);  // has promised all of them
  const auto share = board.take(image, false);
  for (engine::LayerPlan& layer : share->plan.layers) layer.layer.size = 100 * mib;
  BOOST_TEST((engine::split_layers(share->plan, *share) == std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(a_containerd_store_gets_one_request, Fixture) {
  Inventory inventory;
  inventory.store = engine::StoreKind::containerd;
  LayerBoard board{inventory};
  const auto share = board.take(image, false);
  for (engine::LayerPlan& layer : share->plan.layers) layer.layer.size = 100 * mib;
  BOOST_TEST((engine::split_layers(share->plan, *share) == std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(the_lower_layers_config_names_them_and_the_whole, Fixture) {
  const ImageConfig config = parse_image_config(engine::partial_config(image, 2));
  BOOST_TEST(config.diff_ids.size() == 2U);
  BOOST_TEST((config.chain_ids().back() == image.config.chain_ids()[1]));
  BOOST_TEST(engine::partial_config(image, 2).find(image.image.parsed.config.digest.to_string()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(widths_grow_with_the_cores_and_are_never_none) {
  BOOST_TEST(engine::sending_at_once(1) == 1U);
  BOOST_TEST(engine::sending_at_once(2) == 1U);
  BOOST_TEST(engine::sending_at_once(16) == 8U);
  BOOST_TEST(engine::unpacking_at_once(1) == 2U);
  BOOST_TEST(engine::unpacking_at_once(2) == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
