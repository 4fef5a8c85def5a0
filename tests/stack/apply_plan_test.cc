// The walk over a plan, against an engine that refuses, loses answers, restarts and hangs.
#include "stack/apply_plan.h"

#include "compose/rollback.h"
#include "tests/compose/swap_plan.h"
#include "tests/engine/engine_client.h"
#include "tests/support/fake_stack.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace drover;
using namespace drover::test;
using namespace std::chrono_literals;
using compose::Await;
using compose::Plan;
using compose::Step;
using nlohmann::json;
using State = compose::StepOutcome::State;

namespace {

json body_of(const std::string& service, const std::string& port = {}, const std::string& restarts = {}) {
  json body{{"Labels", {{"com.docker.compose.project", "shop"}, {"com.docker.compose.service", service}, {"com.docker.compose.config-hash", "old"}}}};
  if (!port.empty()) body["HostConfig"]["PortBindings"]["80/tcp"] = json::array({json{{"HostPort", port}}});
  if (!restarts.empty()) body["HostConfig"]["RestartPolicy"]["Name"] = restarts;
  return body;
}

// Two services that run, and the plan that swaps both.
struct Shop {
  EngineClient engine;
  FakeStack stack{engine.fake};
  std::string db = stack.add_running("shop-db-1", "db:1", body_of("db", "5432"));
  std::string web = stack.add_running("shop-web-1", "web:1", body_of("web", "80"));
  const std::string before = stack.text();
  stack::ApplyOptions options;
  Await gate{.container = {}, .timeout = 60s, .settle = 1ms};

  Shop() { options.swap_patience = 60s; }

  Plan plan() const { return swap_plan({service("db", db), service("web", web, {"db"})}); }
  SwappedService service(const std::string& name, const std::string& old, std::vector<std::string> after = {}, const std::string& restarts = {}) const {
    return {.service = name, .old_id = old, .image = name + ":2", .after = std::move(after), .body = body_of(name, name == "db" ? "5432" : "80", restarts), .gate = gate};
  }
  stack::ApplyReport apply(const Plan& plan) { return stack::apply_plan(engine.ctx, *engine.client, plan, options); }
  stack::WayBackReport go_back(const Plan& plan, const stack::ApplyReport& applied) { return stack::go_back(engine.ctx, *engine.client, plan, applied, options); }
  // Fails as told, and all is as it was.
  std::string fail(const Plan& plan) {
    const stack::ApplyReport report = apply(plan);
    BOOST_TEST_REQUIRE(report.failure.has_value());
    const stack::WayBackReport back = go_back(plan, report);
    BOOST_TEST(!back.report.failure.has_value(), (back.report.failure ? back.report.failure->what() : ""));
    BOOST_TEST(stack.text() == before);
    return report.failure->what();
  }
};

std::string text_of(const stack::ApplyReport& report) {
  std::string text;
  for (const compose::StepOutcome& outcome : report.outcomes) {
    if (outcome.state != State::done) text += "#" + std::to_string(outcome.id) + " " + std::string(to_string(outcome.state)) + " " + outcome.error + "\n";
  }
  return text;
}

const std::string swapped = "shop-db-1 db:2 running\nshop-web-1 web:2 running\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(apply_plan, Shop)

BOOST_AUTO_TEST_CASE(everything_is_created_before_anything_stops_and_removed_after_every_gate) {
  const stack::ApplyReport report = apply(plan());
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(stack.text() == swapped);
  BOOST_TEST(report.is_committed);
  std::vector<std::string> deeds = stack.deeds();
  std::sort(deeds.begin(), deeds.begin() + 2);
  deeds.resize(4);
  BOOST_TEST(deeds == (std::vector<std::string>{"create " + db.substr(0, 12) + "_shop-db-1", "create " + web.substr(0, 12) + "_shop-web-1", "stop shop-db-1",
                                                "start " + db.substr(0, 12) + "_shop-db-1"}),
             boost::test_tools::per_element());
}

// The engine's clock moves by 0.1 s an event: die, start.
BOOST_AUTO_TEST_CASE(the_time_down_is_told_by_events) {
  const stack::ApplyReport report = apply(plan());
  BOOST_TEST_REQUIRE(report.down_seconds.size() == 2U);
  BOOST_TEST(report.down_seconds.at("db") == 0.1, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(report.down_seconds.at("web") >= 0.09);
}

BOOST_AUTO_TEST_CASE(listeners_hear_of_every_step_in_order) {
  std::vector<int> begun;
  std::vector<int> ended;
  options.on_begin = [&](const Step& step) { begun.push_back(step.id); };
  options.on_end = [&](const Step& step, const compose::StepOutcome& outcome) {
    BOOST_TEST(step.id == outcome.id);
    BOOST_TEST((std::find(begun.begin(), begun.end(), step.id) != begun.end()));
    ended.push_back(step.id);
  };
  const Plan all = plan();
  apply(all);
  BOOST_TEST(begun.size() == all.steps.size());
  BOOST_TEST(ended.size() == all.steps.size());
}

BOOST_AUTO_TEST_CASE(a_listener_that_throws_keeps_nothing_from_its_course) {
  std::size_t told = 0;
  options.on_end = [&](const Step&, const compose::StepOutcome&) {
    if (++told == 1) throw std::runtime_error("no space left");
    if (told == 2) throw 2;
  };
  const Plan all = plan();
  BOOST_TEST(text_of(apply(all)) == "");
  BOOST_TEST(told == all.steps.size());
}

BOOST_AUTO_TEST_CASE(a_create_that_fails_costs_no_time_down) {
  stack.set_behaviour("web:2", {.create_refusal = "invalid mount config"});
  BOOST_TEST(contains(fail(plan()), "cannot create container shop-web-1 as "));
  const auto deeds = stack.deeds();
  BOOST_TEST(std::none_of(deeds.begin(), deeds.end(), [](const std::string& deed) { return deed.starts_with("stop"); }));
}

BOOST_AUTO_TEST_CASE(a_port_that_another_program_has_brings_the_old_one_back) {
  stack.set_behaviour("web:2", {.start_refusal = "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated"});
  const std::string text = fail(plan());
  BOOST_TEST(contains(text, "cannot start container shop-web-1: "), text);
  BOOST_TEST(contains(text, "port is already allocated"), text);
}

BOOST_AUTO_TEST_CASE(an_image_that_exits_is_told_with_its_last_lines) {
  stack.set_behaviour("web:2", {.exits_with = 3, .log = "one\ntwo\nthree\nfour\nfive\nno such \x1b[31mtable\n"});
  const std::string text = fail(plan());
  BOOST_TEST(contains(text, "container shop-web-1 exited with code 3; its last lines: \"two\", "), text);
  BOOST_TEST(contains(text, "table\""), text);
  BOOST_TEST(!contains(text, "\x1b"), text);
}

BOOST_AUTO_TEST_CASE(an_image_that_its_policy_restarts_for_ever_is_given_up) {
  stack.set_behaviour("web:2", {.exits_with = 1});
  const Plan all = swap_plan({service("db", db), service("web", web, {}, "always")});
  const std::string text = fail(all);
  BOOST_TEST(contains(text, "container shop-web-1 died "), text);
}

BOOST_AUTO_TEST_CASE(a_check_that_turns_red_is_told_with_its_output) {
  stack.set_behaviour("db:2", {.health = "unhealthy", .probe_output = "connection refused\n"});
  const std::string text = fail(plan());
  BOOST_TEST(contains(text, "container shop-db-1 is unhealthy: its check printed \"connection refused\" (exit code 1)"), text);
}

BOOST_AUTO_TEST_CASE(a_check_that_never_gets_green_ends_with_its_time) {
  stack.set_behaviour("db:2", {.health = "starting"});
  gate.timeout = 1s;
  const std::string text = fail(plan());
  BOOST_TEST(contains(text, "container shop-db-1 did not become healthy within 1.0s"), text);
}

BOOST_AUTO_TEST_CASE(a_check_that_was_red_before_does_not_fail_the_run) {
  stack.set_behaviour("db:2", {.health = "unhealthy"});
  Plan all = plan();
  for (Step& step : all.steps) {
    if (auto* await = std::get_if<Await>(&step.action)) await->was_bad_before = step.group == "db";
  }
  const stack::ApplyReport report = apply(all);
  BOOST_TEST(!report.failure.has_value());
  BOOST_TEST(contains(text_of(report), " warned container shop-db-1 is unhealthy"));
  BOOST_TEST(stack.text() == swapped);
}

// For every call of the plan but the last: refused, then answered by nobody although it was done.
BOOST_AUTO_TEST_CASE(whatever_step_fails_all_is_as_it_was) {
  const std::vector<std::pair<std::string, std::string>> calls{
      {"create", db.substr(0, 12) + "_shop-db-1"}, {"create", web.substr(0, 12) + "_shop-web-1"}, {"stop", "shop-db-1"},
      {"start", db.substr(0, 12) + "_shop-db-1"},  {"rename", "shop-db-1"},                       {"rename", db.substr(0, 12) + "_shop-db-1"},
      {"stop", "shop-web-1"},                      {"start", web.substr(0, 12) + "_shop-web-1"},  {"rename", "shop-web-1"},
      {"rename", web.substr(0, 12) + "_shop-web-1"}};
  for (const auto& [kind, name] : calls) {
    BOOST_TEST_CONTEXT(kind << " " << name) {
      stack.refuse(kind, name);
      BOOST_TEST(contains(fail(plan()), "scripted: no " + kind));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_lost_is_no_failure) {
  for (const auto& [kind, name] : std::vector<std::pair<std::string, std::string>>{{"create", db.substr(0, 12) + "_shop-db-1"},
                                                                                  {"stop", "shop-db-1"},
                                                                                  {"start", db.substr(0, 12) + "_shop-db-1"},
                                                                                  {"rename", "shop-db-1"},
                                                                                  {"rename", db.substr(0, 12) + "_shop-db-1"},
                                                                                  {"remove", "shop-db-1-old-" + db.substr(0, 12)}}) {
    stack.lose_answer(kind, name);
  }
  const stack::ApplyReport report = apply(plan());
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(stack.text() == swapped);
}

BOOST_AUTO_TEST_CASE(a_name_that_somebody_else_has_is_not_taken_for_ours) {
  stack.add_running(web.substr(0, 12) + "_shop-web-1", "web:2", body_of("web", "81"));
  const Plan all = plan();
  const stack::ApplyReport report = apply(all);
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST(contains(report.failure->what(), "is already in use by container"));
  go_back(all, report);
  BOOST_TEST(contains(stack.text(), web.substr(0, 12) + "_shop-web-1 web:2 running"));
}

// Everything that ran is down, what was stopped is started again by its policy, what was started is not: nobody answers for a while.
BOOST_AUTO_TEST_CASE(an_engine_that_restarts_in_the_middle_is_waited_for) {
  for (const std::string when : {"create", "stop of db", "stop of web"}) {
    BOOST_TEST_CONTEXT(when) {
      Shop shop;
      const std::string target = "POST /containers/" + (when == "create" ? when : (when == "stop of db" ? shop.db : shop.web) + "/stop");
      shop.engine.fake.before(target, [&] {
        shop.engine.fake.go_away(5);
        shop.stack.restart();
      });
      const Plan all = swap_plan({shop.service("db", shop.db, {}, "always"), shop.service("web", shop.web, {"db"}, "always")});
      const stack::ApplyReport report = shop.apply(all);
      BOOST_TEST(text_of(report) == "");
      BOOST_TEST(shop.stack.text() == swapped);
    }
  }
}

// No answer is lost, since nothing is asked meanwhile; an old container, stopped by this run or by an earlier one, is started again by its policy.
BOOST_AUTO_TEST_CASE(what_a_restart_brought_back_goes_though_no_answer_was_lost) {
  for (const bool was_cut_off : {false, true}) {
    BOOST_TEST_CONTEXT((was_cut_off ? "stopped by an earlier run" : "stopped by this run")) {
      Shop shop;
      const json body = body_of("cache", "6379", "always");
      const std::string cache = shop.stack.add_running("shop-cache-1", "cache:1", body);
      const std::string queue = shop.stack.add_running("shop-queue-1", "queue:1", body_of("queue", "5672", "always"));
      const SwappedService first{.service = "cache", .old_id = cache, .image = "cache:2", .body = body, .gate = shop.gate};
      const SwappedService second{.service = "queue", .old_id = queue, .image = "queue:2", .after = {"cache"}, .body = body_of("queue", "5672"), .gate = shop.gate};
      Plan all = swap_plan({first, second});
      if (was_cut_off) {
        Plan begun = swap_plan({first});
        begun.steps.resize(3);  // create, stop, start
        const stack::ApplyReport earlier = shop.apply(begun);
        BOOST_TEST_REQUIRE(text_of(earlier) == "");
        for (const std::size_t i : {0U, 2U, 3U}) all.steps[i].is_done = true;
        all.steps[0].done_id = earlier.outcomes[0].created_id;
      }
      shop.stack.set_behaviour("queue:1", {.stops_when_told = true});
      shop.engine.fake.before("POST /containers/" + queue + "/stop", [&] {
        shop.engine.fake.before("GET /containers/" + cache + "/json", [&shop] { shop.stack.let_stop(); });  // somebody has looked
        shop.stack.restart();
        shop.engine.fake.end_events();
      });
      const stack::ApplyReport report = shop.apply(all);
      std::string text;
      for (const compose::StepOutcome& outcome : report.outcomes) text += outcome.error;
      BOOST_TEST(text == "");
      BOOST_TEST(shop.stack.text() == "shop-cache-1 cache:2 running\nshop-db-1 db:1 exited\nshop-queue-1 queue:2 running\nshop-web-1 web:1 exited\n");
    }
  }
}

// Its containers are dead already when it still answers, and what it answers means nothing; then it is away.
BOOST_AUTO_TEST_CASE(an_engine_that_shuts_down_is_not_believed) {
  engine.fake.before("POST /containers/" + web + "/stop", [&] {
    const std::string first_name = stack.id_of(db.substr(0, 12) + "_shop-db-1");
    const std::string look = "GET /v1.41/containers/" + (first_name.empty() ? stack.id_of("shop-db-1") : first_name) + "/json";
    const auto looks = [&] {
      const auto targets = engine.fake.targets();
      return std::count(targets.begin(), targets.end(), look);
    };
    const auto before_death = looks();
    stack.restart();
    for (int i = 0; i < 30'000 && looks() < before_death + 2; ++i) std::this_thread::sleep_for(1ms);  // the news of db's death is out
  });
  const std::string name = web.substr(0, 12) + "_shop-web-1";
  stack.refuse("start", name, 500);
  stack.refuse("start", name, 403);
  stack.refuse("start", name, 500, [&] { engine.fake.go_away(3); });
  Plan all = plan();
  for (Step& step : all.steps) {
    if (auto* await = std::get_if<Await>(&step.action)) await->settle = step.group == "db" ? 1500ms : 1ms;  // db is still being watched when it is killed
  }
  const stack::ApplyReport report = apply(all);
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(stack.text() == swapped);
}

// It keeps its connections and says nothing; nothing waits for ever.
BOOST_AUTO_TEST_CASE(an_engine_that_answers_nothing_is_given_up) {
  options.outage = {.patience = 0ms, .pulse_every = 50ms, .answer_max = 2000ms};
  engine.fake.before("POST /containers/" + db + "/stop", [&] { engine.fake.hang(true); });
  stack.set_behaviour("db:1", {.stops_when_told = true});
  const stack::ApplyReport report = apply(plan());
  stack.let_stop();
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST((report.failure->code() == ErrorCode::network));
  BOOST_TEST(contains(report.failure->what(), "cannot stop container shop-db-1: the engine did not come back within "), report.failure->what());
}

BOOST_AUTO_TEST_CASE(an_engine_that_tells_no_events_is_refused_before_anything_is_done) {
  engine.fake.refuse_events(403, "not for you");
  const stack::ApplyReport report = apply(plan());
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST(report.failed_step == 0);
  BOOST_TEST(stack.deeds().empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_did_nothing_undoes_nothing_of_an_earlier_one) {
  Plan all = plan();
  for (const std::size_t i : {0U, 2U, 3U}) all.steps[i].is_done = true;
  all.steps[0].done_id = stack.add_running(db.substr(0, 12) + "_shop-db-1", "db:2", body_of("db", "5433"));
  const std::string was = stack.text();
  engine.fake.refuse_events(403, "not for you");
  const stack::ApplyReport report = apply(all);
  BOOST_TEST_REQUIRE(report.failure.has_value());
  engine.fake.refuse_events(0, "");
  const stack::WayBackReport back = go_back(all, report);
  BOOST_TEST(back.plan.steps.empty());
  BOOST_TEST(!compose::has_touched_running(all, report.outcomes));
  BOOST_TEST(!back.report.failure.has_value());
  BOOST_TEST(stack.text() == was);
}

// web is down while db takes its time, and no longer.
BOOST_AUTO_TEST_CASE(one_that_is_slow_to_stop_keeps_nobody_waiting) {
  options.swap_patience = 1ms;
  stack.set_behaviour("db:1", {.stops_when_told = true});
  engine.fake.before("POST /containers/" + web + "/stop", [&] { stack.let_stop(); });
  const stack::ApplyReport report = apply(swap_plan({service("db", db), service("web", web)}));
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(stack.text() == swapped);
}

BOOST_AUTO_TEST_CASE(a_user_who_stops_gets_what_was_there) {
  std::stop_source stop;
  engine.ctx.stop = stop.get_token();
  engine.fake.before("POST /containers/" + db + "/stop", [&] { stop.request_stop(); });
  const Plan all = plan();
  const stack::ApplyReport report = apply(all);
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST((report.failure->code() == ErrorCode::interrupted));
  BOOST_TEST((report.outcomes[2].state == State::done));  // what was under way was waited for
  BOOST_TEST(!go_back(all, report).report.failure.has_value());
  BOOST_TEST(stack.text() == before);
}

BOOST_AUTO_TEST_CASE(a_user_who_stops_waits_for_no_gate) {
  std::stop_source stop;
  engine.ctx.stop = stop.get_token();
  stack.set_behaviour("web:2", {.health = "starting"});
  options.on_begin = [&](const Step& step) {
    if (std::holds_alternative<Await>(step.action) && step.group == "web") stop.request_stop();
  };
  const Plan all = plan();
  const stack::ApplyReport report = apply(all);
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST((report.failure->code() == ErrorCode::interrupted));
  go_back(all, report);
  BOOST_TEST(stack.text() == before);
}

BOOST_AUTO_TEST_CASE(the_way_back_tells_how_long_a_service_was_down_in_all) {
  stack.set_behaviour("db:2", {.health = "unhealthy"});
  const Plan all = plan();
  const stack::ApplyReport report = apply(all);
  const stack::WayBackReport back = go_back(all, report);
  // Events: die of the old, start and health of the new, perhaps web's, die of the new, start of the old.
  BOOST_TEST(back.report.down_seconds.at("db") > 0.35);
}

BOOST_AUTO_TEST_CASE(a_way_back_that_fails_goes_on_with_the_rest) {
  stack.set_behaviour("web:2", {.exits_with = 1});
  const Plan all = plan();
  const stack::ApplyReport report = apply(all);
  stack.refuse("start", "shop-web-1-old-" + web.substr(0, 12));
  stack.refuse("start", "shop-web-1");
  const stack::WayBackReport back = go_back(all, report);
  BOOST_TEST_REQUIRE(back.report.failure.has_value());
  BOOST_TEST(contains(back.report.failure->what(), "cannot start container shop-web-1"), back.report.failure->what());
  BOOST_TEST(stack.text() == "shop-db-1 db:1 running\nshop-web-1 web:1 exited\n");
}

BOOST_AUTO_TEST_CASE(a_removal_that_fails_leaves_the_new_and_keeps_no_other_from_going) {
  stack.refuse("remove", "shop-db-1-old-" + db.substr(0, 12));
  const stack::ApplyReport report = apply(plan());
  BOOST_TEST(report.is_committed);
  BOOST_TEST_REQUIRE(report.failure.has_value());
  BOOST_TEST(stack.text() == "shop-db-1 db:2 running\nshop-db-1-old-" + db.substr(0, 12) + " db:1 exited\nshop-web-1 web:2 running\n");
}

BOOST_AUTO_TEST_CASE(a_network_is_made_anew_with_every_container_back_in_its_place) {
  stack.add_network("shop_default", {{"com.docker.compose.network", "default"}}, {{"mtu", "1400"}});
  const engine::EndpointSettings settings{.ipam = {.ipv4_address = "10.1.0.5"}, .aliases = {"mysql"}};
  const auto make_plan = [&] {
    PlanBuilder builder;
    const compose::ContainerTarget target{.id = web, .step = 0};
    const int stop = builder.add(compose::StopContainer{.container = target}, "container shop-web-1", {}, "web");
    const int out = builder.add(compose::DisconnectNetwork{"shop_default", target, settings}, "container shop-web-1", {stop}, "web");
    const engine::NetworkRequest was{.name = "shop_default", .options = {{"mtu", "1400"}}, .labels = {{"com.docker.compose.network", "default"}}};
    const int gone = builder.add(compose::RemoveNetwork{"shop_default", was}, "network shop_default", {out});
    const engine::NetworkRequest is{.name = "shop_default", .options = {{"mtu", "1500"}}, .labels = {{"com.docker.compose.network", "default"}}};
    const int anew = builder.add(compose::CreateNetwork{is}, "network shop_default", {gone});
    const int in = builder.add(compose::ConnectNetwork{"shop_default", target, settings}, "container shop-web-1", {anew}, "web");
    const int start = builder.add(compose::StartContainer{target}, "container shop-web-1", {in}, "web");
    Await last = gate;
    last.container = target;
    builder.add(last, "container shop-web-1", {start}, "web");
    return builder.take();
  };
  const stack::ApplyReport report = apply(make_plan());
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(contains(stack.text(), "network shop_default mtu=1500: shop-web-1(10.1.0.5)"), stack.text());
  BOOST_TEST(report.down_seconds.at("web") > 0);

  stack.set_behaviour("web:1", {.start_refusal = "no"});
  const Plan again = make_plan();
  const stack::ApplyReport second = apply(again);
  stack.set_behaviour("web:1", {});
  BOOST_TEST(!go_back(again, second).report.failure.has_value());
  BOOST_TEST(contains(stack.text(), "network shop_default mtu=1400: shop-web-1(10.1.0.5)"), stack.text());
  BOOST_TEST(contains(stack.text(), "shop-web-1 web:1 running"), stack.text());
}

BOOST_AUTO_TEST_CASE(files_are_written_before_the_start_and_hooks_run_after_it) {
  PlanBuilder builder;
  const int made = builder.add(create_of("shop-app-1", "app:1", "app"), "container shop-app-1", {}, "app");
  const compose::ContainerTarget target{.id = {}, .step = made};
  const int file = builder.add(compose::WriteFile{.container = target, .path = "/run/secrets/key", .content = "hush", .mode = 0400, .uid = 33}, "container shop-app-1", {made}, "app");
  const int start = builder.add(compose::StartContainer{target}, "container shop-app-1", {file}, "app");
  compose::Hook migration;
  migration.command = std::vector<std::string>{"migrate", "-v"};
  const int hook = builder.add(compose::RunHook{.container = target, .hook = migration}, "container shop-app-1", {start}, "app");
  builder.add(Await{.container = target, .settle = 1ms}, "container shop-app-1", {hook}, "app");
  const Plan all = builder.take();
  const stack::ApplyReport report = apply(all);
  BOOST_TEST(text_of(report) == "");
  BOOST_TEST(stack.files_of("shop-app-1").at("run/secrets/key") == "hush");

  stack.set_behaviour("app:1", {.hook_exit_code = 4, .hook_output = "no database\n"});
  go_back(all, report);
  const stack::ApplyReport failed = apply(all);
  BOOST_TEST_REQUIRE(failed.failure.has_value());
  BOOST_TEST(std::string(failed.failure->what()) == "cannot run the hook migrate with 1 argument in container shop-app-1: it exited with code 4: no database");
}

BOOST_AUTO_TEST_CASE(the_journal_says_where_a_run_was_cut_off) {
  TempDir folder;
  const stack::StateFolder state(folder / "state");
  const Plan all = plan();
  stack::RunJournal journal(engine.ctx, state, stack::header_of(engine.ctx, all, "unix:///x"));
  options.journal = &journal;
  options.outage = {.patience = 0ms, .pulse_every = 50ms, .answer_max = 60s};
  engine.fake.before("POST /containers/" + web + "/stop", [&] { engine.fake.go_away(1'000'000); });
  BOOST_TEST(apply(all).failure.has_value());
  const auto cut_off = stack::find_cut_off_run(state, "shop", "unix:///x");
  BOOST_TEST_REQUIRE(cut_off.has_value());
  BOOST_TEST((cut_off->ended.at(3) == State::done));
  BOOST_TEST((cut_off->ended.at(8) == State::failed));
  BOOST_TEST(!cut_off->is_committed);
  journal.remove();
  BOOST_TEST(!stack::find_cut_off_run(state, "shop", "unix:///x").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
