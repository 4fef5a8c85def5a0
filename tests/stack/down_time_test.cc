// How long a service was down, of the times of events.
#include "stack/down_time.h"

#include "tests/compose/swap_plan.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace drover;
using namespace drover::test;
using namespace std::chrono_literals;
using compose::ContainerTarget;
using stack::LifeTimes;

BOOST_AUTO_TEST_SUITE(down_time)

namespace {

engine::Timestamp at(std::chrono::milliseconds time) { return engine::Timestamp(time); }

std::string measured(const compose::Plan& plan, const LifeTimes& times, const compose::CreatedIds& created = {}) {
  std::string text;
  for (const auto& [service, seconds] : stack::measure_down_seconds(plan, created, times)) text += service + " " + std::to_string(static_cast<int>(seconds * 1000 + 0.5)) + "\n";
  return text;
}

const ContainerTarget old{.id = "old", .step = 0};
const ContainerTarget fresh{.id = "new", .step = 0};

}  // namespace

BOOST_AUTO_TEST_CASE(from_the_death_of_the_old_to_the_start_of_the_new) {
  const compose::Plan plan = swap_plan({{.service = "db", .old_id = "db-old", .image = "x"}, {.service = "web", .old_id = "web-old", .image = "x", .after = {"db"}}});
  const LifeTimes times{.died = {{"db-old", at(100ms)}, {"web-old", at(500ms)}}, .started = {{"db-new", at(400ms)}, {"web-new", at(750ms)}}};
  BOOST_TEST(measured(plan, times, {{1, "db-new"}, {2, "web-new"}}) == "db 300\nweb 250\n");
}

BOOST_AUTO_TEST_CASE(the_longest_of_its_containers) {
  PlanBuilder builder;
  for (const std::string number : {"1", "2"}) {
    const int stop = builder.add(compose::StopContainer{.container = {.id = "old" + number, .step = 0}}, "container", {}, "web");
    builder.add(compose::StartContainer{{.id = "new" + number, .step = 0}}, "container", {stop}, "web");
  }
  const LifeTimes times{.died = {{"old1", at(0ms)}, {"old2", at(1s)}}, .started = {{"new1", at(300ms)}, {"new2", at(1200ms)}}};
  BOOST_TEST(measured(builder.take(), times) == "web 300\n");
}

BOOST_AUTO_TEST_CASE(a_new_one_that_was_first_costs_nothing) {
  PlanBuilder builder;
  const int start = builder.add(compose::StartContainer{fresh}, "container", {}, "web");
  const int gate = builder.add(compose::Await{.container = fresh}, "container", {start}, "web");
  builder.add(compose::StopContainer{.container = old}, "container", {gate}, "web");
  BOOST_TEST(measured(builder.take(), {.died = {{"old", at(900ms)}}, .started = {{"new", at(100ms)}}}) == "web 0\n");
}

BOOST_AUTO_TEST_CASE(through_what_is_done_between_stop_and_start) {
  PlanBuilder builder;
  const int stop = builder.add(compose::StopContainer{.container = old}, "container", {}, "web");
  const int out = builder.add(compose::DisconnectNetwork{"net", old, {}}, "container", {stop}, "web");
  builder.add(compose::StartContainer{old}, "container", {out}, "web");
  BOOST_TEST(measured(builder.take(), {.died = {{"old", at(100ms)}}, .started = {{"old", at(800ms)}}}) == "web 700\n");
}

// The way back: the old one died in the run that is undone, the new one in this.
BOOST_AUTO_TEST_CASE(the_way_back_counts_from_the_first_death) {
  PlanBuilder builder;
  const int stop = builder.add(compose::StopContainer{.container = fresh}, "container", {}, "web");
  builder.add(compose::StartContainer{old}, "container", {stop}, "web");
  BOOST_TEST(measured(builder.take(), {.died = {{"old", at(100ms)}, {"new", at(3s)}}, .started = {{"old", at(3300ms)}}}) == "web 3200\n");
}

BOOST_AUTO_TEST_CASE(restarts_count_and_what_is_not_known_is_left_out) {
  PlanBuilder builder;
  builder.add(compose::RestartContainer{.container = old}, "container", {}, "web");
  builder.add(compose::StartContainer{fresh}, "container", {}, "new");
  const int stop = builder.add(compose::StopContainer{.container = {.id = "lost", .step = 0}}, "container", {}, "lost");
  builder.add(compose::StartContainer{{.id = "found", .step = 0}}, "container", {stop}, "lost");
  BOOST_TEST(measured(builder.take(), {.died = {{"old", at(100ms)}}, .started = {{"old", at(600ms)}, {"new", at(1s)}, {"found", at(1s)}}}) == "web 500\n");
}

BOOST_AUTO_TEST_SUITE_END()
