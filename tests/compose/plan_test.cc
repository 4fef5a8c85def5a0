// How a plan reads, for people and for scripts.
#include "compose/plan.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(plan)

namespace {

Plan swap() {
  Plan plan{.project = "shop", .steps = {}, .notes = {"container shop-old-1 is of no service"}, .services = {}};
  const ContainerTarget made{.id = {}, .step = 1};
  const ContainerTarget old{.id = "0123", .step = 0};
  plan.steps = {
      {.id = 1, .action = CreateContainer{"0123_shop-web-1", {}}, .resource = "container shop-web-1", .cause = "services.web.image: v1 -> v2", .group = "web"},
      {.id = 2, .action = StopContainer{old}, .resource = "container shop-web-1", .cause = "replaced by #1", .depends_on = {1}, .group = "web"},
      {.id = 3, .action = StartContainer{made}, .resource = "container shop-web-1", .depends_on = {2}, .group = "web"},
      {.id = 4, .action = RenameContainer{made, "0123_shop-web-1", "shop-web-1"}, .resource = "container shop-web-1", .depends_on = {3}, .group = "web"},
      {.id = 5, .action = Await{.container = made}, .resource = "container shop-web-1", .depends_on = {3}, .group = "web"},
      {.id = 6,
       .action = RemoveContainer{old},
       .resource = "container shop-web-1",
       .depends_on = {1, 3, 4, 5},
       .group = "web",
       .is_destructive = true,
       .is_commit = true}};
  return plan;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_step_is_a_line) {
  BOOST_TEST(to_text(swap()) ==
             "#1 container shop-web-1, create as 0123_shop-web-1, services.web.image: v1 -> v2\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, rename to shop-web-1 (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#6 container shop-web-1, remove (after #1, #3-5) (destructive)\n"
             "note: container shop-old-1 is of no service\n");
}

BOOST_AUTO_TEST_CASE(a_script_reads_the_same) {
  const nlohmann::ordered_json json = to_json(swap());

  BOOST_TEST(json["steps"][1].dump() ==
             R"({"id":2,"operation":"stop","resource":"container shop-web-1","cause":"replaced by #1","dependsOn":[1],)"
             R"("group":"web","destructive":false})");
  BOOST_TEST(json["steps"][3]["detail"] == "to shop-web-1");
  BOOST_TEST(json["notes"].dump() == R"(["container shop-old-1 is of no service"])");
}

BOOST_AUTO_TEST_CASE(a_plan_of_done_steps_is_empty) {
  Plan plan = swap();
  BOOST_TEST(!is_empty(plan));
  for (Step& step : plan.steps) step.is_done = true;

  BOOST_TEST(is_empty(plan));
  BOOST_TEST(to_json(plan)["steps"][0]["done"] == true);
  BOOST_TEST(is_empty(Plan{}));
}

BOOST_AUTO_TEST_CASE(what_came_from_outside_cannot_move_the_cursor) {
  Plan plan;
  plan.notes = {"volume \x1b[2J"};

  BOOST_TEST(to_text(plan).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
