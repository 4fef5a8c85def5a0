// What a person is told to type.
#include "stack/remedies.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace drover;
using namespace drover::stack;
using compose::ContainerTarget;
using compose::Plan;
using compose::StepOutcome;

BOOST_AUTO_TEST_SUITE(remedies)

namespace {

const std::string new_id(64, 'b');
const std::string old_id(64, 'a');

std::vector<StepOutcome> outcomes_of(const Plan& plan, const std::vector<StepOutcome::State>& states) {
  std::vector<StepOutcome> outcomes;
  for (std::size_t i = 0; i < states.size(); ++i) outcomes.push_back({.id = plan.steps[i].id, .state = states[i]});
  return outcomes;
}

engine::ContainerSummary container(const std::string& name, const std::string& state) {
  return {.id = name, .name = name, .state = state, .labels = {{"com.docker.compose.service", "web"}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_service_that_is_half_way_back_is_told_with_what_is_owed) {
  const ContainerTarget fresh{.id = new_id};
  const ContainerTarget old{.id = old_id};
  const Plan back{.project = "shop",
                  .steps = {{.id = 1, .action = compose::StopContainer{.container = fresh}, .group = "web"},
                            {.id = 2, .action = compose::RenameContainer{fresh, "shop-web-1", "aaaaaaaaaaaa_shop-web-1"}, .group = "web"},
                            {.id = 3, .action = compose::StartContainer{old}, .group = "web"},
                            {.id = 4, .action = compose::RemoveContainer{.container = fresh, .force = true}, .group = "web"},
                            {.id = 5, .action = compose::ConnectNetwork{"shop_back", old, {}}, .group = "api"},
                            {.id = 6, .action = compose::RemoveNetwork{.id = "n", .request = {.name = "shop_new"}}}}};
  using State = StepOutcome::State;

  const auto lines = remedies_of_way_back(back, outcomes_of(back, {State::done, State::done, State::failed, State::not_run, State::not_run, State::failed}),
                                          {container("shop-web-1", "exited"), container("aaaaaaaaaaaa_shop-web-1", "exited")});

  const std::vector<std::string> expected = {
      "networks; to go back: docker network rm shop_new", "api: no container; to go back: docker network connect shop_back aaaaaaaaaaaa",
      "web: shop-web-1 (exited), aaaaaaaaaaaa_shop-web-1 (exited); to go back: docker start aaaaaaaaaaaa && docker rm -f bbbbbbbbbbbb"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_a_way_back_kept_containers_are_named) {
  const Plan plan{.project = "shop",
                  .steps = {{.id = 1, .action = compose::RenameContainer{{.id = old_id}, "shop-web-1", "shop-web-1-old-aaaaaaaaaaaa"}, .group = "web"},
                            {.id = 2, .action = compose::RenameContainer{{.id = {}, .step = 1}, "aaaaaaaaaaaa_shop-web-1", "shop-web-1"}, .group = "web"},
                            {.id = 3, .action = compose::RenameContainer{{.id = old_id}, "shop-db-1", "shop-db-1-old-aaaaaaaaaaaa"}, .group = "db"}}};
  using State = StepOutcome::State;

  const auto lines = remedies_of_kept(plan, outcomes_of(plan, {State::done, State::done, State::not_run}));

  BOOST_REQUIRE_EQUAL(lines.size(), 1U);
  BOOST_TEST(lines[0].starts_with("web: the container from before is kept as shop-web-1-old-aaaaaaaaaaaa; "), lines[0]);
}

BOOST_AUTO_TEST_SUITE_END()
