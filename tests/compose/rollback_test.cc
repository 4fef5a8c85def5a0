// The way back, as text: what each failure leaves to be undone, and in which order.
#include "compose/rollback.h"

#include "tests/compose/swap_plan.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace drover::compose;
using drover::test::create_of;
using drover::test::PlanBuilder;
using drover::test::swap_plan;
using State = StepOutcome::State;

BOOST_AUTO_TEST_SUITE(rollback)

namespace {

const std::string old_db(64, 'a');
const std::string old_web(64, 'b');

Plan two_services() { return swap_plan({{.service = "db", .old_id = old_db, .image = "db:2"}, {.service = "web", .old_id = old_web, .image = "web:2", .after = {"db"}}}); }

// Done up to and without `failed`, which failed; the rest was not begun.
std::vector<StepOutcome> failed_at(const Plan& plan, int failed) {
  std::vector<StepOutcome> outcomes;
  for (const Step& step : plan.steps) {
    StepOutcome outcome{.id = step.id};
    if (step.id <= failed) outcome.state = step.id == failed ? State::failed : State::done;
    if (std::holds_alternative<CreateContainer>(step.action) && outcome.state == State::done) outcome.created_id = "new" + std::to_string(step.id);
    outcomes.push_back(outcome);
  }
  return outcomes;
}

// The text, with the containers that are meant behind it.
std::string text_of(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    text += "#" + std::to_string(step.id) + " " + std::string(operation_of(step.action)) + " ";
    const auto id = [](const ContainerTarget& target) { return target.id.substr(0, 4); };
    if (const auto* start = std::get_if<StartContainer>(&step.action)) text += id(start->container);
    else if (const auto* stop = std::get_if<StopContainer>(&step.action)) text += id(stop->container);
    else if (const auto* remove = std::get_if<RemoveContainer>(&step.action)) text += id(remove->container) + (remove->force ? " by force" : "") + (remove->with_anonymous_volumes ? " with volumes" : "");
    else if (const auto* rename = std::get_if<RenameContainer>(&step.action)) text += rename->from + " to " + rename->to;
    else if (const auto* connect = std::get_if<ConnectNetwork>(&step.action)) text += connect->network + " " + id(connect->container) + " " + connect->settings.ipam.ipv4_address;
    else if (const auto* disconnect = std::get_if<DisconnectNetwork>(&step.action)) text += disconnect->network + " " + id(disconnect->container);
    else if (const auto* network = std::get_if<RemoveNetwork>(&step.action)) text += network->id;
    else if (const auto* made = std::get_if<CreateNetwork>(&step.action)) text += made->request.name + " " + made->request.driver;
    for (const int other : step.depends_on) text += " <" + std::to_string(other);
    text += "\n";
  }
  for (const std::string& note : plan.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_run_that_ended_has_done_is_not_undone) {
  Plan plan = two_services();
  for (Step& step : plan.steps) {
    step.is_done = step.group == "db" && !step.is_commit && !std::holds_alternative<Await>(step.action);
    if (step.is_done && std::holds_alternative<CreateContainer>(step.action)) step.done_id = "proven";
    step.is_settled = step.is_done;
  }
  std::vector<StepOutcome> outcomes;
  for (const Step& step : plan.steps) outcomes.push_back({.id = step.id});

  BOOST_TEST(text_of(plan_rollback(plan, outcomes)) == "");
  BOOST_TEST(!has_touched_running(plan, outcomes));

  for (Step& step : plan.steps) step.is_settled = false;
  BOOST_TEST(!plan_rollback(plan, outcomes).steps.empty());
}

BOOST_AUTO_TEST_CASE(a_network_that_could_not_be_made_is_somebody_elses) {
  Plan plan;
  plan.steps.push_back({.id = 1, .action = CreateNetwork{{.name = "shop_back"}}, .resource = "network shop_back"});

  BOOST_TEST(text_of(plan_rollback(plan, {{.id = 1, .state = State::failed}})) == "");
  BOOST_TEST(text_of(plan_rollback(plan, {{.id = 1, .state = State::done}})) == "#1 remove shop_back\n");
}

BOOST_AUTO_TEST_CASE(nothing_done_is_nothing_to_undo) {
  const Plan plan = two_services();
  const std::vector<StepOutcome> outcomes = failed_at(plan, 1);
  BOOST_TEST(text_of(plan_rollback(plan, outcomes)) == "");
  BOOST_TEST(!has_touched_running(plan, outcomes));
}

BOOST_AUTO_TEST_CASE(what_was_only_created_goes_with_its_own_volumes) {
  const Plan plan = two_services();
  const std::vector<StepOutcome> outcomes = failed_at(plan, 2);
  BOOST_TEST(text_of(plan_rollback(plan, outcomes)) == "#1 remove new1 by force with volumes\n");
  BOOST_TEST(!has_touched_running(plan, outcomes));
}

// #3 stop db, #4 start db, #5-6 names, #7 gate; #8 stop web, #9 start web.
BOOST_AUTO_TEST_CASE(a_container_that_does_not_start_gives_way_to_the_old_one) {
  const Plan plan = two_services();
  const std::vector<StepOutcome> outcomes = failed_at(plan, 4);
  BOOST_TEST(text_of(plan_rollback(plan, outcomes)) ==
             "#1 stop new1\n"
             "#2 start aaaa <1\n"
             "#3 remove new2 by force with volumes <2\n"
             "#4 remove new1 by force <2\n");
  BOOST_TEST(has_touched_running(plan, outcomes));
}

BOOST_AUTO_TEST_CASE(what_was_swapped_in_the_same_run_returns_with_it) {
  const Plan plan = two_services();
  BOOST_TEST(text_of(plan_rollback(plan, failed_at(plan, 12))) ==
             "#1 rename shop-web-1 to bbbbbbbbbbbb_shop-web-1\n"
             "#2 rename shop-web-1-old-bbbbbbbbbbbb to shop-web-1 <1\n"
             "#3 stop new2\n"
             "#4 start bbbb <3\n"
             "#5 rename shop-db-1 to aaaaaaaaaaaa_shop-db-1\n"
             "#6 rename shop-db-1-old-aaaaaaaaaaaa to shop-db-1 <5\n"
             "#7 stop new1 <4\n"
             "#8 start aaaa <7\n"
             "#9 remove new2 by force <1 <4 <8\n"
             "#10 remove new1 by force <4 <5 <8\n");
}

BOOST_AUTO_TEST_CASE(a_stop_that_failed_may_have_happened) {
  const Plan plan = two_services();
  BOOST_TEST(text_of(plan_rollback(plan, failed_at(plan, 3))) ==
             "#1 start aaaa\n"
             "#2 remove new2 by force with volumes <1\n"
             "#3 remove new1 by force with volumes <1\n");
}

BOOST_AUTO_TEST_CASE(one_that_did_not_run_is_not_started) {
  PlanBuilder builder;
  builder.add(StopContainer{.container = {.id = old_web}, .was_running = false}, "container shop-web-1");
  const Plan plan = builder.take();
  BOOST_TEST(text_of(plan_rollback(plan, failed_at(plan, 1))) == "");
  BOOST_TEST(!has_touched_running(plan, failed_at(plan, 1)));
}

// A run that was cut off after its swap: the old container is kept under another name, and still leads back.
BOOST_AUTO_TEST_CASE(a_swap_that_was_taken_up_is_undone_as_well) {
  Plan plan = swap_plan({{.service = "web", .old_id = old_web, .image = "web:2"}});
  for (int id = 1; id <= 5; ++id) plan.steps[static_cast<std::size_t>(id) - 1].is_done = true;
  plan.steps[0].done_id = "seen";
  std::vector<StepOutcome> outcomes(plan.steps.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i].id = static_cast<int>(i) + 1;
  outcomes[5].state = State::failed;
  BOOST_TEST(text_of(plan_rollback(plan, outcomes)) ==
             "#1 rename shop-web-1 to bbbbbbbbbbbb_shop-web-1\n"
             "#2 rename shop-web-1-old-bbbbbbbbbbbb to shop-web-1 <1\n"
             "#3 stop seen\n"
             "#4 start bbbb <3\n"
             "#5 remove seen by force <1 <4\n");
  BOOST_TEST(has_touched_running(plan, outcomes));
}

BOOST_AUTO_TEST_CASE(a_network_becomes_what_it_was) {
  drover::engine::NetworkRequest before{.name = "shop_default", .driver = "macvlan"};
  drover::engine::NetworkRequest after{.name = "shop_default", .driver = "bridge"};
  drover::engine::EndpointSettings settings{.ipam = {.ipv4_address = "10.1.0.5"}};
  PlanBuilder builder;
  const ContainerTarget web{.id = old_web};
  const int made = builder.add(create_of("shop-new-1", "new:1", "new"), "container shop-new-1");
  const int stop = builder.add(StopContainer{.container = web}, "container shop-web-1", {made});
  const int out = builder.add(DisconnectNetwork{"shop_default", web, settings}, "container shop-web-1", {stop});
  const int gone = builder.add(RemoveNetwork{"id1", before}, "network shop_default", {out});
  const int anew = builder.add(CreateNetwork{after}, "network shop_default", {gone});
  const int in = builder.add(ConnectNetwork{"shop_default", web, settings}, "container shop-web-1", {anew});
  builder.add(ConnectNetwork{"shop_default", {.id = {}, .step = made}, {}}, "container shop-new-1", {anew});
  builder.add(StartContainer{web}, "container shop-web-1", {in});
  const Plan plan = builder.take();
  BOOST_TEST(text_of(plan_rollback(plan, failed_at(plan, 8))) ==
             "#1 stop bbbb\n"
             "#2 disconnect shop_default bbbb <1\n"
             "#3 remove shop_default <2\n"
             "#4 create shop_default macvlan <3\n"
             "#5 connect shop_default bbbb 10.1.0.5 <4\n"
             "#6 start bbbb <5\n"
             "#7 remove new1 by force with volumes <6\n");
}

BOOST_AUTO_TEST_CASE(volumes_stay) {
  PlanBuilder builder;
  builder.add(CreateVolume{{.name = "shop_data"}}, "volume shop_data");
  builder.add(create_of("shop-db-1", "db:1", "db"), "container shop-db-1", {1});
  const Plan plan = builder.take();
  BOOST_TEST(text_of(plan_rollback(plan, failed_at(plan, 2))) == "note: volume shop_data stays: it may hold data by now\n");
}

BOOST_AUTO_TEST_SUITE_END()
