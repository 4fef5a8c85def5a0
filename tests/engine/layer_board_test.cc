#include "engine/layer_board.h"

#include "base/error.h"
#include "tests/engine/stored_images.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace drover;
using engine::Inventory;
using engine::LayerBoard;
using engine::LoadImage;

namespace {

struct LayerBoardFixture {
  test::TempDir dir;
  store::BlobStore store = store::BlobStore::open(dir.path() / "store", store::BlobStore::Access::write);
  LoadImage one = test::put_image(store, "one:1", {test::plain_layer("base"), test::plain_layer("one")});
  LoadImage two = test::put_image(store, "two:1", {test::plain_layer("base"), test::plain_layer("two")});
  LayerBoard board{Inventory{}};
  Context ctx;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(layer_board, LayerBoardFixture)

BOOST_AUTO_TEST_CASE(the_second_load_waits_for_the_shared_layer_only) {
  const auto first = board.take(one, false);
  const auto second = board.take(two, false);

  BOOST_TEST((first->own[0] && first->own[1]));
  BOOST_TEST(!second->own[0]);
  BOOST_TEST((second->others[0] == first->own[0]));
  BOOST_TEST((second->own[1] && !second->others[1]));
}

BOOST_AUTO_TEST_CASE(a_kept_promise_ends_the_wait_and_is_known_from_then_on) {
  const auto first = board.take(one, false);
  const auto second = board.take(two, false);
  std::jthread engine([&] { board.keep(*first->own[0]); });

  BOOST_TEST(board.wait(ctx, *second->others[0]));
  const auto third = board.take(two, false);
  BOOST_TEST((third->plan.layers[0].action == engine::LayerPlan::Action::skip_known));
}

BOOST_AUTO_TEST_CASE(a_load_that_fails_breaks_its_promises_and_takes_back_the_kept_ones) {
  const auto first = board.take(one, false);
  const auto second = board.take(two, false);
  board.keep(*first->own[0]);

  board.give_up(*first);

  BOOST_TEST(board.wait(ctx, *second->others[0]));  // was kept: the second load relied on it and finds out by itself
  BOOST_TEST((first->own[1]->state == LayerBoard::State::broken));
  const auto third = board.take(one, false);
  BOOST_TEST((third->own[0] && third->own[1]));
}

BOOST_AUTO_TEST_CASE(a_load_that_ends_without_a_word_breaks_its_promises) {
  auto first = board.take(one, false);
  const auto second = board.take(two, false);
  first.reset();
  BOOST_TEST(!board.wait(ctx, *second->others[0]));
}

BOOST_AUTO_TEST_CASE(a_forced_load_owns_everything) {
  const auto first = board.take(one, false);
  const auto forced = board.take(two, true);
  BOOST_TEST((forced->own[0] && !forced->others[0]));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait) {
  const auto first = board.take(one, false);
  const auto second = board.take(two, false);
  std::stop_source stop;
  ctx.stop = stop.get_token();
  std::jthread user([&] { stop.request_stop(); });
  BOOST_CHECK_THROW(board.wait(ctx, *second->others[0]), Error);
}

BOOST_AUTO_TEST_CASE(a_recorded_image_moves_its_tag_and_is_present) {
  board.record(one, one.image.parsed.config.digest);
  BOOST_TEST((board.take(one, false)->plan.verdict == engine::LoadPlan::Verdict::present));

  LoadImage moved = two;
  moved.reference = one.reference;
  board.record(moved, two.image.parsed.config.digest);
  BOOST_TEST((board.take(one, false)->plan.verdict == engine::LoadPlan::Verdict::retag));
}

BOOST_AUTO_TEST_SUITE_END()
