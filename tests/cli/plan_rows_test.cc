// A plan as people read it, and what is shown of each service while it is carried out.
#include "cli/plan_rows.h"

#include "base/text.h"
#include "cli/progress.h"
#include "cli/render_plan.h"
#include "cli/step_states.h"
#include "tests/compose/swap_plan.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::cli;
using namespace drover::compose;
using State = StepOutcome::State;

namespace {

constexpr const char* old_id = "0123456789abcdef";

Plan swap_of_two() {
  Plan plan = test::swap_plan({{.service = "db", .old_id = old_id, .image = "db:2"},
                               {.service = "web", .old_id = old_id, .image = "web:2", .after = {"db"}}});
  plan.steps[0].cause = "services.db.image: db:1 -> db:2";
  plan.steps[1].cause = "services.web.image: web:1 -> web:2";
  plan.services = {{"db", "recreate"}, {"web", "recreate"}};
  return plan;
}

// A step of service `group`, of the container "shop-NAME".
Step step(int id, Action action, const std::string& name, const std::string& cause, const std::string& group) {
  return {.id = id, .action = std::move(action), .resource = "container shop-" + name, .cause = cause, .group = group};
}

Plan mixed_plan() {
  Plan plan{.project = "shop", .steps = {}, .notes = {"container shop-a-1 is paused: left as it is"}, .services = {}};
  plan.services = {{"idle", "none"}, {"jobs", "scale"}, {"old", "remove"}, {"web", "recreate"}};
  plan.steps = {{.id = 1, .action = RemoveNetwork{"n1", {}}, .resource = "network shop_net", .cause = "networks.net.labels"},
                {.id = 2, .action = CreateNetwork{}, .resource = "network shop_net", .cause = "networks.net.labels"},
                step(3, CreateContainer{"shop-web-1", {}}, "web-1", "services.web.image: a -> b", "web"),
                step(4, CreateContainer{"shop-web-2", {}}, "web-2", "services.web.image: a -> b", "web"),
                step(5, StopContainer{{.id = "w3"}}, "web-3", "services.web.scale: 2", "web"),
                step(6, RemoveContainer{{.id = "w3"}}, "web-3", "services.web.scale: 2", "web"),
                step(7, StopContainer{{.id = "w1"}}, "web-1", "replaced by #3", "web"),
                step(8, RemoveContainer{{.id = "w1"}}, "web-1", "replaced by #3", "web"),
                step(9, StopContainer{{.id = "j2"}}, "jobs-2", "services.jobs.scale: 1", "jobs"),
                step(10, RemoveContainer{{.id = "j2"}}, "jobs-2", "services.jobs.scale: 1", "jobs"),
                step(11, StopContainer{{.id = "o1"}}, "old-1", "the project has no service old", "old"),
                step(12, RemoveContainer{{.id = "o1"}}, "old-1", "the project has no service old", "old"),
                step(13, StopContainer{{.id = "i1"}}, "idle-1", "its network is made again", "idle"),
                step(14, StartContainer{{.id = "i1"}}, "idle-1", "", "idle")};
  return plan;
}

// What is told of it, a line a change: begins "+3", ends "-3", "!3" for one that fails.
class Transcript {
 public:
  Transcript(const Plan& plan, StepStates::Way way) : plan_(plan), states_(plan, way) {
    for (const Task& task : states_.all()) tell(task);
  }

  Transcript& begin(int id) { return tell(states_.begin(at(id))); }
  Transcript& end(int id, State state = State::done, double seconds = 0) {
    return tell(
        states_.end(at(id), {.id = id, .state = state, .seconds = seconds, .error = state == State::failed ? "it exited" : ""}));
  }
  Transcript& both(int id) { return begin(id).end(id); }
  std::string take() { return std::exchange(text_, {}); }

 private:
  const Step& at(int id) const { return plan_.steps.at(static_cast<std::size_t>(id) - 1); }
  Transcript& tell(const Task& task) {
    constexpr const char* marks[] = {"(", "", "done: ", "failed: "};
    if (tasks_.set(task))
      text_ +=
          task.name + " " + marks[static_cast<int>(task.state)] + task.text + (task.state == Task::State::waiting ? ")\n" : "\n");
    return *this;
  }

  const Plan& plan_;
  StepStates states_;
  Tasks tasks_;
  std::string text_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(plan_rows)

BOOST_AUTO_TEST_CASE(a_service_is_a_row_with_its_cause) {
  BOOST_TEST(change_plan_text(swap_of_two(), PlanText::services) == "RESOURCE  ACTION    CAUSE\n"
                                                                    "db        recreate  services.db.image: db:1 -> db:2\n"
                                                                    "web       recreate  services.web.image: web:1 -> web:2\n");
}

BOOST_AUTO_TEST_CASE(what_goes_and_networks_are_named_and_notes_stay) {
  BOOST_TEST(change_plan_text(mixed_plan(), PlanText::services) ==
             "RESOURCE          ACTION                 CAUSE\n"
             "network shop_net  recreate               networks.net.labels\n"
             "web               recreate 2 containers  services.web.image: a -> b; shop-web-3 goes: services.web.scale: 2\n"
             "jobs              scale -1               services.jobs.scale: 1\n"
             "old               remove                 the project has no service old\n"
             "idle              restart                its network is made again\n"
             "note: container shop-a-1 is paused: left as it is\n");
}

BOOST_AUTO_TEST_CASE(the_steps_are_there_for_who_asks) {
  BOOST_TEST(change_plan_text(mixed_plan(), PlanText::steps) == to_text(mixed_plan()));
}

BOOST_AUTO_TEST_CASE(what_an_earlier_run_did_is_no_row) {
  Plan plan = swap_of_two();
  for (Step& each : plan.steps) each.is_done = each.group == "db";
  BOOST_TEST(change_plan_text(plan, PlanText::services) ==
             "RESOURCE  ACTION    CAUSE\nweb       recreate  services.web.image: web:1 -> web:2\n");
  for (Step& each : plan.steps) each.is_done = each.id < 4;
  const std::string rest = change_plan_text(plan, PlanText::services);
  BOOST_TEST(rest.find("\ndb        recreate  services.db.image: db:1 -> db:2\n") != std::string::npos, rest);
  for (Step& each : plan.steps) each.is_done = true;
  BOOST_TEST(change_plan_text(plan, PlanText::services) == "nothing to do\n");
}

BOOST_AUTO_TEST_CASE(names_are_those_of_containers_that_are_there) {
  const auto names = [](const Plan& plan, Gone gone, const std::vector<StepOutcome>& outcomes = {}) {
    return join(changed_containers(plan, outcomes, gone), " ");
  };
  std::vector<StepOutcome> outcomes(mixed_plan().steps.size());
  outcomes[2].state = outcomes[10].state = State::done;  // web-1 is created, old-1 stopped
  outcomes[3].state = State::failed;

  BOOST_TEST(names(swap_of_two(), Gone::left_out) == "shop-db-1 shop-web-1");
  BOOST_TEST(names(mixed_plan(), Gone::left_out) == "shop-web-1 shop-web-2 shop-idle-1");
  BOOST_TEST(names(mixed_plan(), Gone::named) == "shop-web-1 shop-web-2 shop-web-3 shop-jobs-2 shop-old-1 shop-idle-1");
  BOOST_TEST(names(mixed_plan(), Gone::left_out, outcomes) == "shop-web-1 shop-old-1");
}

// create 1 2; db: stop 3, start 4, renames 5 6, gate 7; web: 8 to 12; the old ones are removed by 13 and 14.
BOOST_AUTO_TEST_CASE(a_swap_is_told_state_by_state) {
  const Plan plan = swap_of_two();
  Transcript seen(plan, StepStates::Way::there);

  BOOST_TEST(seen.take() == "db (waiting)\nweb (waiting)\n");
  BOOST_TEST(seen.begin(1).begin(2).end(1).end(2).take() == "db creating\nweb creating\ndb (created)\nweb (created)\n");
  BOOST_TEST(seen.both(3).begin(4).end(4).begin(7).both(5).both(6).take() ==
             "db stopping\ndb (stopped)\ndb starting\ndb (running)\ndb waiting until it runs or is healthy\n");
  BOOST_TEST(seen.both(8).both(9).begin(12).both(10).both(11).end(7, State::done, 3.2).take() ==
             "web stopping\nweb (stopped)\nweb starting\nweb (running)\nweb waiting until it runs or is healthy\n"
             "db done: recreated, passed its gate in 3.2s\n");
  BOOST_TEST(seen.end(12, State::done, 2).both(13).both(14).take() == "web done: recreated, passed its gate in 2.0s\n");
}

BOOST_AUTO_TEST_CASE(a_failure_stays_and_waits_that_are_broken_off_are_none) {
  const Plan plan = swap_of_two();
  Transcript seen(plan, StepStates::Way::there);
  seen.both(1).both(2).both(3).both(4).both(8).both(9).begin(7).begin(12).take();

  BOOST_TEST(seen.end(7, State::failed).both(5).end(12, State::not_run).take() == "db failed: it exited\nweb (running)\n");
}

BOOST_AUTO_TEST_CASE(a_removal_after_the_gates_can_fail_too) {
  const Plan plan = swap_of_two();
  Transcript seen(plan, StepStates::Way::there);
  for (const int id : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) seen.both(id);
  seen.take();

  BOOST_TEST(seen.begin(13).end(13, State::failed).take() == "db failed: it exited\n");
}

BOOST_AUTO_TEST_CASE(the_way_back_ends_each_row) {
  Plan back{.project = "shop", .steps = {}, .notes = {}, .services = {}};
  back.steps = {step(1, StopContainer{{.id = "n"}}, "web-1", "undoes #4", "web"),
                step(2, StartContainer{{.id = "o"}}, "web-1", "undoes #3", "web")};
  Transcript seen(back, StepStates::Way::back);

  BOOST_TEST(seen.take() == "web going back\n");
  BOOST_TEST(seen.both(1).begin(2).take() == "");
  BOOST_TEST(seen.end(2).take() == "web done: rolled back\n");
}

BOOST_AUTO_TEST_CASE(of_several_containers_the_one_is_named) {
  const Plan plan = mixed_plan();
  Transcript seen(plan, StepStates::Way::there);
  seen.take();

  BOOST_TEST(seen.begin(3).begin(4).end(4).take() ==
             "web creating shop-web-1\nweb creating shop-web-2\nweb creating shop-web-1\n");
  BOOST_TEST(
      seen.both(1).begin(2).end(2).take() ==
      "network shop_net removing\nnetwork shop_net (removed)\nnetwork shop_net creating\nnetwork shop_net done: recreated\n");
  BOOST_TEST(seen.both(9).both(10).take() == "jobs stopping\njobs (stopped)\njobs removing\njobs done: scaled\n");
}

BOOST_AUTO_TEST_SUITE_END()
