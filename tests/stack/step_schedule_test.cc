// Which step may begin when: by table for the order within a swap, by seeded simulation for what has to hold in every order of ends.
#include "stack/step_schedule.h"

#include "base/error.h"
#include "tests/compose/swap_plan.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace drover;
using compose::Plan;
using compose::Step;
using stack::StepSchedule;
using State = compose::StepOutcome::State;
using OnFailure = StepSchedule::OnFailure;

BOOST_AUTO_TEST_SUITE(step_schedule)

namespace {

const std::string id_a(64, 'a');
const std::string id_b(64, 'b');

// #1-2 create; #3 stop a, #4 start a, #5-6 rename, #7 gate; #8 stop b, #9 start b, #10-11 rename, #12 gate; #13-14 remove.
Plan two_swaps() { return test::swap_plan({{.service = "a", .old_id = id_a, .image = "a:2"}, {.service = "b", .old_id = id_b, .image = "b:2"}}); }

std::vector<int> take_all(StepSchedule& schedule) {
  std::vector<int> taken;
  while (const auto step = schedule.take_call()) taken.push_back(*step);
  return taken;
}

using Ids = std::vector<int>;

}  // namespace

BOOST_AUTO_TEST_CASE(one_service_at_a_time_is_down) {
  const Plan plan = two_swaps();
  StepSchedule schedule(plan, OnFailure::halt);
  BOOST_TEST((take_all(schedule) == Ids{1, 2}));
  for (const int id : {1, 2}) schedule.finish(id, State::done);
  BOOST_TEST((take_all(schedule) == Ids{3}));
  BOOST_TEST(schedule.has_turn(3));
  schedule.finish(3, State::done);
  BOOST_TEST((take_all(schedule) == Ids{4}));
  schedule.finish(4, State::done);
  BOOST_TEST((take_all(schedule) == Ids{5, 8}));
  BOOST_TEST(schedule.take_wait().value_or(0) == 7);
  BOOST_TEST(!schedule.take_wait().has_value());
}

BOOST_AUTO_TEST_CASE(one_that_takes_long_to_stop_keeps_nobody_waiting) {
  const Plan plan = two_swaps();
  StepSchedule schedule(plan, OnFailure::halt);
  for (const int id : take_all(schedule)) schedule.finish(id, State::done);
  BOOST_TEST((take_all(schedule) == Ids{3}));
  schedule.give_turn_away(3);
  BOOST_TEST((take_all(schedule) == Ids{8}));
  schedule.finish(3, State::done);
  BOOST_TEST(take_all(schedule).empty());  // b is between its stop and its start
  schedule.finish(8, State::done);
  BOOST_TEST((take_all(schedule) == Ids{9}));
  schedule.finish(9, State::done);
  BOOST_TEST((take_all(schedule) == Ids{4, 10}));
}

BOOST_AUTO_TEST_CASE(after_a_failure_nothing_begins) {
  const Plan plan = two_swaps();
  StepSchedule schedule(plan, OnFailure::halt);
  BOOST_TEST((take_all(schedule) == Ids{1, 2}));
  schedule.finish(1, State::failed);
  BOOST_TEST(!schedule.is_over());  // #2 is under way
  schedule.finish(2, State::done);
  BOOST_TEST(take_all(schedule).empty());
  BOOST_TEST(schedule.is_over());
}

BOOST_AUTO_TEST_CASE(a_removal_that_fails_keeps_no_other_from_its) {
  const Plan plan = two_swaps();
  StepSchedule schedule(plan, OnFailure::halt);
  while (!schedule.is_committed()) {
    std::vector<int> taken = take_all(schedule);
    while (const auto wait = schedule.take_wait()) taken.push_back(*wait);
    BOOST_TEST_REQUIRE(!taken.empty());
    if (!schedule.is_committed()) for (const int id : taken) schedule.finish(id, State::done);
  }
  schedule.finish(13, State::failed);
  schedule.finish(14, State::done);
  BOOST_TEST(schedule.is_over());
}

BOOST_AUTO_TEST_CASE(the_way_back_goes_on_after_a_failure) {
  const Plan plan = two_swaps();
  StepSchedule schedule(plan, OnFailure::go_on);
  for (const int id : take_all(schedule)) schedule.finish(id, State::failed);
  BOOST_TEST((take_all(schedule) == Ids{3}));
  schedule.finish(3, State::done);
  BOOST_TEST((take_all(schedule) == Ids{4}));
  schedule.finish(4, State::failed);
  BOOST_TEST((take_all(schedule) == Ids{5, 8}));
}

// Two databases on one volume: worse than a service that is left as it is, with a word on what to type.
BOOST_AUTO_TEST_CASE(on_the_way_back_nothing_starts_in_the_place_of_what_could_not_be_stopped) {
  for (const auto& [state, begun] : {std::pair{State::failed, Ids{3, 5, 6}}, std::pair{State::done, Ids{3, 4, 5, 6, 7}}}) {
    test::PlanBuilder builder;
    const compose::ContainerTarget old{.id = id_a};
    const compose::ContainerTarget made{.id = id_b};
    builder.add(compose::StopContainer{.container = made}, "container db");                    // 1
    builder.add(compose::ConnectNetwork{"n", old, {}}, "container db", {1});            // 2
    builder.add(compose::RenameContainer{old, "b", "a"}, "container db");                // 3
    builder.add(compose::StartContainer{old}, "container db", {2, 3});                         // 4
    builder.add(compose::StopContainer{.container = {.id = "web"}}, "container web", {4});     // 5
    builder.add(compose::StartContainer{{.id = "old web"}}, "container web", {5});             // 6: nothing was wrong with it
    builder.add(compose::RemoveContainer{.container = made}, "container db", {4});             // 7
    const Plan plan = builder.take();
    StepSchedule schedule(plan, OnFailure::go_on);
    std::set<int> taken;
    while (!schedule.is_over()) {
      for (const int id : take_all(schedule)) {
        taken.insert(id);
        schedule.finish(id, id == 1 ? state : State::done);
      }
    }
    std::set<int> wanted(begun.begin(), begun.end());
    wanted.insert({1, 2});
    BOOST_TEST((taken == wanted));
  }
}

BOOST_AUTO_TEST_CASE(what_an_earlier_run_did_is_not_done_again) {
  Plan plan = two_swaps();
  for (const std::size_t i : {0U, 1U, 2U}) plan.steps[i].is_done = true;
  StepSchedule schedule(plan, OnFailure::halt);
  BOOST_TEST((take_all(schedule) == Ids{4}));  // a is down
  schedule.finish(4, State::done);
  BOOST_TEST((take_all(schedule) == Ids{5, 8}));
}

BOOST_AUTO_TEST_CASE(stops_that_belong_together_are_one_turn) {
  test::PlanBuilder builder;
  const compose::ContainerTarget one{.id = "1"};
  builder.add(compose::StopContainer{.container = one}, "container sidecar");        // 1
  builder.add(compose::StopContainer{.container = one}, "container web", {1});       // 2
  builder.add(compose::StartContainer{one}, "container web", {2});                   // 3
  builder.add(compose::StartContainer{one}, "container sidecar", {1, 3});            // 4
  builder.add(compose::StopContainer{.container = one}, "container other");          // 5
  builder.add(compose::StartContainer{one}, "container other", {5});                 // 6
  const Plan plan = builder.take();
  StepSchedule schedule(plan, OnFailure::halt);
  for (const int id : {1, 2, 3, 4}) {
    BOOST_TEST((take_all(schedule) == Ids{id}));
    schedule.finish(id, State::done);
  }
  BOOST_TEST((take_all(schedule) == Ids{5}));
}

BOOST_AUTO_TEST_CASE(a_plan_out_of_order_is_refused) {
  for (const int other : {1, 2, 0}) {
    test::PlanBuilder builder;
    builder.add(compose::CreateVolume{}, "volume a", {other});
    const Plan plan = builder.take();
    BOOST_CHECK_THROW(StepSchedule(plan, OnFailure::halt), Error);
  }
}

namespace {

// Services in random dependency, some of them new, which end their steps in random order; sometimes one fails.
class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed), plan_(make_plan()), schedule_(plan_, OnFailure::halt), fails_at_(chance(2) ? 0 : pick(static_cast<int>(plan_.steps.size()) + 1)) {}

  void run() {
    while (true) {
      begin_some();
      if (under_way_.empty()) break;
      if (chance(4)) make_one_slow();
      end_one();
    }
    BOOST_TEST_REQUIRE(schedule_.is_over());
    if (!has_failed_) BOOST_TEST_REQUIRE(over_.size() == plan_.steps.size());
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  bool chance(int of) { return pick(of) == 0; }

  Plan make_plan() {
    std::vector<test::SwappedService> services;
    const int count = 1 + pick(6);
    for (int i = 0; i < count; ++i) {
      test::SwappedService service{.service = "s" + std::to_string(i), .old_id = std::string(64, static_cast<char>('a' + i)), .image = "x"};
      for (int other = 0; other < i; ++other) if (chance(3)) service.after.push_back("s" + std::to_string(other));
      services.push_back(service);
    }
    Plan plan = test::swap_plan(services);
    const int first = static_cast<int>(plan.steps.size()) + 1;
    for (int i = 0; i < pick(3); ++i) {
      const int id = first + 2 * i;
      plan.steps.push_back({.id = id, .action = compose::CreateVolume{}, .depends_on = {}});
      plan.steps.push_back({.id = id + 1, .action = compose::StartContainer{}, .depends_on = {id}});
    }
    return plan;
  }

  const Step& step(int id) const { return plan_.steps[static_cast<std::size_t>(id) - 1]; }
  bool is_swap_part(int id) const { return schedule_.is_swap(id) || (std::holds_alternative<compose::StartContainer>(step(id).action) && std::any_of(step(id).depends_on.begin(), step(id).depends_on.end(), [&](int other) { return schedule_.is_swap(other); })); }

  void begin_some() {
    while (true) {
      std::optional<int> id = chance(5) ? schedule_.take_wait() : std::nullopt;
      if (!id) id = schedule_.take_call();
      if (!id) id = schedule_.take_wait();
      if (!id) return;
      begin(*id);
    }
  }

  void begin(int id) {
    for (const int other : step(id).depends_on) BOOST_TEST_REQUIRE(over_.contains(other), "#" << id << " before #" << other);
    if (has_failed_) BOOST_TEST_REQUIRE(step(id).is_commit);
    if (is_swap_part(id)) {
      BOOST_TEST_REQUIRE((down_ == 0 || down_ == id - 1), "#" << id << " while #" << down_ << " is between its stop and its start");
      down_ = id;
    }
    under_way_.push_back(id);
  }

  void make_one_slow() {
    const int id = under_way_[static_cast<std::size_t>(pick(static_cast<int>(under_way_.size())))];
    if (!schedule_.is_swap(id) || !schedule_.has_turn(id)) return;
    schedule_.give_turn_away(id);
    down_ = 0;
  }

  void end_one() {
    const auto at = under_way_.begin() + pick(static_cast<int>(under_way_.size()));
    const int id = *at;
    under_way_.erase(at);
    over_.insert(id);
    const bool fails = id == fails_at_;
    has_failed_ = has_failed_ || fails;
    const bool had_turn = schedule_.has_turn(id);
    schedule_.finish(id, fails ? State::failed : State::done);
    if (fails && had_turn) down_ = 0;
    if (had_turn && !schedule_.is_swap(id)) down_ = 0;
    if (!had_turn || !schedule_.is_swap(id) || has_failed_) return;
    const auto next = schedule_.take_call();
    BOOST_TEST_REQUIRE((next && *next == id + 1), "the start does not follow the stop #" << id);
    begin(*next);
  }

  std::mt19937 random_;
  const Plan plan_;
  StepSchedule schedule_;
  const int fails_at_;
  bool has_failed_ = false;
  int down_ = 0;
  std::vector<int> under_way_;
  std::set<int> over_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_order_of_ends_keeps_the_rules) {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    BOOST_TEST_INFO_SCOPE("seed " << seed);
    Simulation(seed).run();
  }
}

BOOST_AUTO_TEST_SUITE_END()
