// What is left over from a run that was cut off, or from docker compose, and how it is taken up.
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_slots)

namespace {

const std::string first = "services: {web: {image: app:1}}";
const std::string second = "services: {web: {image: app:2}}";
const std::string third = "services: {web: {image: app:3}}";

// Up for `first`, then so many steps of the plan for `second`: #1 create, #2 stop, #3 start, #4 gate, #5 and #6 rename, #7
// remove.
Shop cut_after(int steps) {
  Shop shop;
  shop.up(first);
  const Plan plan = shop.plan(second);
  for (const int id : {1, 2, 3, 5, 6, 4, 7})
    if (steps-- > 0) shop.engine.apply(plan.steps.at(static_cast<std::size_t>(id) - 1));
  return shop;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_container_made_for_the_swap_is_taken_up) {
  Shop shop = cut_after(1);

  BOOST_TEST(shop.text(second) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2 (done)\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_stop_that_was_done_leads_back_to_the_old_one) {
  Shop shop = cut_after(2);

  BOOST_TEST(shop.text(second) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2 (done)\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_swap_goes_on_after_the_start) {
  Shop shop = cut_after(3);

  BOOST_TEST(shop.text(second) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, an earlier run was cut off (done)\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
             "#3 container shop-web-1, start (after #2) (done)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(only_a_run_that_was_cut_off_just_now_is_gone_back_on) {
  for (const int steps : {3, 4, 5}) {
    Shop shop = cut_after(steps);
    const auto settled = [&](const UpOptions& options) {
      const Plan plan = shop.plan(second, options);
      return std::count_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) { return step.is_settled; });
    };
    BOOST_TEST(settled({.continues_cut_off_run = true}) == 0);
    BOOST_TEST(settled({}) >= 3);
  }
  Shop shop = cut_after(2);  // the new one never ran: its making is undone whatever happened
  const Plan plan = shop.plan(second);
  BOOST_TEST(std::none_of(plan.steps.begin(), plan.steps.end(), [](const Step& step) { return step.is_settled; }));
}

BOOST_AUTO_TEST_CASE(a_swap_goes_on_after_the_first_rename) {
  Shop shop = cut_after(4);

  BOOST_TEST(
      shop.text(second) ==
      "#1 container shop-web-1, create as <app:1>_shop-web-1, an earlier run was cut off (done)\n"
      "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
      "#3 container shop-web-1, start (after #2) (done)\n"
      "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
      "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3) (done)\n"
      "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
      "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_swap_goes_on_at_the_gate) {
  Shop shop = cut_after(5);

  BOOST_TEST(
      shop.text(second) ==
      "#1 container shop-web-1, create as <app:1>_shop-web-1, an earlier run was cut off (done)\n"
      "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
      "#3 container shop-web-1, start (after #2) (done)\n"
      "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
      "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3) (done)\n"
      "#6 container shop-web-1, rename to shop-web-1 (after #5) (done)\n"
      "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
  BOOST_TEST(cut_after(6).text(second) == cut_after(5).text(second));
  BOOST_TEST(cut_after(7).text(second) == "");
}

BOOST_AUTO_TEST_CASE(a_container_made_for_other_files_is_of_no_use) {
  Shop shop = cut_after(1);

  BOOST_TEST(shop.text(third) ==
             "#1 container <app:1>_shop-web-1, remove, left by a run that was cut off\n"
             "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:3 (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #2 (after #2)\n"
             "#4 container shop-web-1, start (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
             "#8 container shop-web-1, remove, replaced by #2 (after #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(files_changed_back_leave_the_old_one_running) {
  BOOST_TEST(cut_after(1).text(first) == "#1 container <app:1>_shop-web-1, remove, left by a run that was cut off\n");
  BOOST_TEST(cut_after(2).text(first) == "#1 container <app:1>_shop-web-1, remove, left by a run that was cut off\n"
                                         "#2 container shop-web-1, start, it is exited (after #1)\n");
}

BOOST_AUTO_TEST_CASE(one_that_never_proved_itself_is_replaced_and_the_old_one_goes_last) {
  Shop shop = cut_after(3);
  BOOST_TEST(shop.text(third) ==
             "#1 container shop-web-1, create as <app:2>_shop-web-1, services.web.image: app:2 -> app:3\n"
             "#2 container shop-web-1, rename to shop-web-1-old-<app:1>, its name is needed (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#4 container shop-web-1, start (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:2>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #2, #6)\n"
             "#8 container shop-web-1, remove, replaced by #1 (after #5, #7) (destructive)\n"
             "#9 container shop-web-1, remove, one too many in its place (after #5, #7) (destructive)\n");

  shop = cut_after(5);
  BOOST_TEST(shop.text(third) ==
             "#1 container shop-web-1, create as <app:2>_shop-web-1, services.web.image: app:2 -> app:3\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:2>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n"
             "#8 container shop-web-1-old-<app:1>, remove, one too many in its place (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(one_that_ran_and_died_is_tried_again) {
  Shop shop = cut_after(3);
  const std::string name = shop.short_id_of("shop-web-1") + "_shop-web-1";
  shop.engine.stop(name, 1);
  BOOST_TEST(shop.text(second) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2 (done)\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");

  shop = cut_after(4);
  shop.engine.stop(name, 1);
  BOOST_TEST(
      shop.text(second) ==
      "#1 container shop-web-1, create as <app:1>_shop-web-1, an earlier run was cut off (done)\n"
      "#2 container shop-web-1, stop, replaced by #1 (after #1) (done)\n"
      "#3 container shop-web-1, start (after #2)\n"
      "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
      "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3) (done)\n"
      "#6 container shop-web-1, rename to shop-web-1 (after #3, #5)\n"
      "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(one_that_died_for_other_files_goes_and_the_kept_one_is_the_way_back) {
  Shop shop = cut_after(3);
  const std::string name = shop.short_id_of("shop-web-1") + "_shop-web-1";
  shop.engine.apply(Step{.action = StopContainer{{.id = shop.engine.container(name)["Id"]}}});
  shop.engine.rename("shop-web-1", "shop-web-1-old-" + shop.short_id_of("shop-web-1"));

  BOOST_TEST(
      shop.text(third) ==
      "#1 container <app:1>_shop-web-1, remove, left by a run that was cut off (destructive)\n"
      "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:3 (after #1)\n"
      "#3 container shop-web-1, stop, replaced by #2 (after #2) (done)\n"
      "#4 container shop-web-1, start (after #2-3)\n"
      "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
      "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4) (done)\n"
      "#7 container shop-web-1, rename to shop-web-1 (after #4, #6)\n"
      "#8 container shop-web-1, remove, replaced by #2 (after #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_kept_one_alone_gets_its_name_back) {
  Shop shop;
  shop.up(first);
  shop.engine.rename("shop-web-1", "shop-web-1-old-" + shop.short_id_of("shop-web-1"));

  BOOST_TEST(shop.text(first) == "#1 container shop-web-1, rename to shop-web-1, left by a run that was cut off\n");
}

BOOST_AUTO_TEST_CASE(a_name_that_docker_compose_left_is_repaired) {
  Shop shop;
  shop.up(first);
  shop.engine.rename("shop-web-1", "0123456789ab_shop-web-1");
  BOOST_TEST(shop.text(first) == "#1 container shop-web-1, rename to shop-web-1, left by a run that was cut off\n");

  shop.engine.rename("0123456789ab_shop-web-1", "0123456789ab_ba9876543210_shop-web-1");
  BOOST_TEST(shop.plan(first).steps.size() == 1U);
}

BOOST_AUTO_TEST_CASE(docker_compose_killed_in_its_stop_is_finished) {
  Shop shop = cut_after(2);  // it makes and stops as drover does
  const Plan plan = shop.up(second);

  BOOST_TEST(plan.steps.back().is_commit);
  BOOST_TEST(shop.engine.names() == std::vector<std::string>{"shop-web-1 running"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(both_run_since_the_engine_brought_up_the_old_one_which_stops_at_once) {
  Shop shop = cut_after(1);
  shop.engine.start(shop.short_id_of("shop-web-1") + "_shop-web-1");

  BOOST_TEST(shop.text(second) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, an earlier run was cut off (done)\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2) (done)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #2-3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #2-3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
  BOOST_TEST(shop.text(third) ==
             "#1 container shop-web-1, create as <app:1, next>_shop-web-1, services.web.image: app:1 -> app:3\n"
             "#2 container <app:1>_shop-web-1, stop, one too many in its place (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#4 container shop-web-1, start (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
             "#8 container shop-web-1, remove, replaced by #1 (after #2, #5, #7) (destructive)\n"
             "#9 container <app:1>_shop-web-1, remove, one too many in its place (after #2, #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(surplus_of_a_slot_goes_at_the_end) {
  Shop shop;
  shop.up(first);
  shop.engine.rename("shop-web-1", "by-hand");
  shop.engine.container("by-hand");
  nlohmann::json body = shop.engine.container("by-hand")["Config"];
  shop.engine.add_container("shop-web-1", body);

  BOOST_TEST(shop.text(first) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.networks: not in shop_default\n"
             "#2 container by-hand, stop, one too many in its place (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#4 container shop-web-1, start (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
             "#8 container shop-web-1, remove, replaced by #1 (after #2, #5, #7) (destructive)\n"
             "#9 container by-hand, remove, one too many in its place (after #2, #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(force_recreate_after_a_cut_replaces_what_runs) {
  Shop shop = cut_after(5);
  shop.up(second, {.recreate = Recreate::always});

  BOOST_TEST(shop.engine.names() == std::vector<std::string>{"shop-web-1 running"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_recreate_clears_what_was_made_for_a_swap) {
  Shop shop = cut_after(1);

  BOOST_TEST(shop.text(second, {.recreate = Recreate::never}) ==
             "#1 container <app:1>_shop-web-1, remove, left by a run that was cut off\n");
}

BOOST_AUTO_TEST_CASE(a_container_without_a_number_is_known_by_its_name) {
  Shop shop;
  shop.up("services: {web: {image: app:1, scale: 2}}");
  shop.engine.container("shop-web-2")["Config"]["Labels"].erase("com.docker.compose.container-number");

  BOOST_TEST(shop.text("services: {web: {image: app:1, scale: 2}}") == "");
}

BOOST_AUTO_TEST_SUITE_END()
