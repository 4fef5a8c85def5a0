// What a container has to be to pass: a row a case.
#include "stack/gate.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace drover;
using namespace std::chrono_literals;
using compose::Await;
using stack::Judgement;
using stack::Watched;
using Until = Await::Until;

BOOST_AUTO_TEST_SUITE(gate_)

namespace {

engine::ContainerDetails in_state(const std::string& status, std::int64_t code = 0, const std::string& health = {}) {
  engine::ContainerDetails details{.id = "c"};
  details.state.status = status;
  details.state.is_running = status == "running" || status == "restarting" || status == "paused";
  details.state.is_restarting = status == "restarting";
  details.state.exit_code = code;
  if (!health.empty()) details.state.health = engine::Health{.status = health};
  return details;
}

struct Row {
  std::string name;
  Await await;
  Watched watched;
  std::string expected;  // "passed", "waits", "waits 500", or why it failed
  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

std::string text_of(const Judgement& judgement) {
  if (judgement.verdict == Judgement::Verdict::passed) return "passed";
  if (judgement.verdict == Judgement::Verdict::failed) return judgement.why;
  return judgement.look_again ? "waits " + std::to_string(judgement.look_again->count()) : "waits";
}

Await gate(bool may_complete = false) { return {.container = {}, .until = Until::gate, .may_complete = may_complete, .timeout = 60s, .settle = 2000ms}; }
Await until(Until what) { return {.container = {}, .until = what, .timeout = 60s}; }
Watched seen(engine::ContainerDetails details, std::chrono::milliseconds undisturbed = 0ms, int deaths = 0) {
  return {.details = std::move(details), .deaths = deaths, .waited = undisturbed, .undisturbed = undisturbed};
}
Watched late(engine::ContainerDetails details) { return {.details = std::move(details), .waited = 61s}; }
Watched with_probe(Watched watched, const std::string& output) {
  watched.details->state.health->log = {{.exit_code = 7, .output = output}, {.exit_code = 0, .output = "fine"}};
  return watched;
}
Watched with_memory_gone(Watched watched) {
  watched.details->state.is_oom_killed = true;
  return watched;
}
Watched after_restarts(Watched watched, std::int64_t now, std::int64_t before) {
  watched.details->restart_count = now;
  watched.restarts = before;
  return watched;
}
Watched gone(std::optional<std::int64_t> code) { return {.details = {}, .last_exit_code = code}; }

const std::vector<Row> rows{
    {"it runs, not long enough", gate(), seen(in_state("running"), 1500ms), "waits 500"},
    {"it runs long enough", gate(), seen(in_state("running"), 2000ms), "passed"},
    {"it exits", gate(), seen(in_state("exited", 3)), "exited with code 3"},
    {"it exits well", gate(), seen(in_state("exited", 0)), "exited with code 0"},
    {"it completes", gate(true), seen(in_state("exited", 0)), "passed"},
    {"it was killed", gate(true), with_memory_gone(seen(in_state("exited", 137))), "exited with code 137, killed for want of memory"},
    {"it comes up again after a death", gate(), seen(in_state("running"), 100ms, 1), "waits 1900"},
    {"it is up again long enough", gate(), seen(in_state("running"), 2s, 2), "passed"},
    {"it dies for ever", gate(), seen(in_state("restarting", 1), 100ms, 3), "died 3 times, the last time it exited with code 1"},
    {"events were missed, its count tells", gate(), after_restarts(seen(in_state("running", 1), 100ms), 9, 5), "died 4 times, the last time it exited with code 1"},
    {"it is between two lives", gate(), seen(in_state("restarting", 1), 100ms, 1), "waits 59900"},
    {"it is never up", gate(), late(in_state("restarting", 1)), "did not get to run within 1m00s"},
    {"it is paused", gate(), seen(in_state("paused"), 2s), "passed"},
    {"its check is young", gate(), seen(in_state("running", 0, "starting"), 5s), "waits 55000"},
    {"its check is green", gate(), seen(in_state("running", 0, "healthy")), "passed"},
    {"its check is red", gate(), with_probe(seen(in_state("running", 0, "unhealthy")), " refused\n"), "is unhealthy: its check printed \"refused\" (exit code 7)"},
    {"its check is red and silent", gate(), with_probe(seen(in_state("running", 0, "unhealthy")), ""), "is unhealthy: its check printed nothing (exit code 7)"},
    {"its check never gets green", gate(), with_probe(late(in_state("running", 0, "starting")), "not yet"),
     "did not become healthy within 1m00s: its check printed \"not yet\" (exit code 7)"},
    {"its check was switched off", gate(), seen(in_state("running", 0, "none"), 2s), "passed"},
    {"green, and gone", gate(), seen(in_state("exited", 1, "healthy")), "exited with code 1"},
    {"it is removed", gate(), gone({}), "is gone"},
    {"it removed itself when it was done", gate(true), gone(0), "passed"},
    {"it removed itself when it failed", gate(true), gone(2), "exited with code 2"},

    {"healthy: green", until(Until::healthy), seen(in_state("running", 0, "healthy")), "passed"},
    {"healthy: no check", until(Until::healthy), seen(in_state("running"), 10s), "has no health check, so it never becomes healthy"},
    {"healthy: exits well", until(Until::healthy), seen(in_state("exited", 0, "starting")), "exited with code 0"},

    {"completed: runs", until(Until::completed), seen(in_state("running"), 10s), "waits 50000"},
    {"completed: done", until(Until::completed), seen(in_state("exited", 0)), "passed"},
    {"completed: failed", until(Until::completed), seen(in_state("exited", 2)), "exited with code 2"},
    {"completed: too late", until(Until::completed), late(in_state("running")), "did not complete within 1m00s"},
    {"completed: without a limit", {.container = {}, .until = Until::completed}, late(in_state("running")), "waits"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_container_passes_waits_or_fails, boost::unit_test::data::make(rows), row) {
  BOOST_TEST(text_of(stack::judge(row.await, row.watched)) == row.expected);
}

BOOST_AUTO_TEST_CASE(an_end_is_seen_for_a_while_before_it_counts) {
  const auto patience = [](const std::string& policy, const std::string& status, stack::Circumstances circumstances) {
    engine::ContainerDetails details = in_state(status, 1);
    details.host_config.restart_policy.name = policy;
    circumstances.farewell_max = 20s;
    return stack::patience_with(details, circumstances).count();
  };
  BOOST_TEST(patience("", "running", {}) == 0);
  BOOST_TEST(patience("", "exited", {}) == 250);
  BOOST_TEST(patience("on-failure", "exited", {.has_no_news = true}) == 5000);
  BOOST_TEST(patience("no", "exited", {.looks_like_shutdown = true}) == 20000);
  BOOST_TEST(patience("always", "exited", {}) == 20000);
  BOOST_TEST(patience("unless-stopped", "exited", {}) == 20000);
}

BOOST_AUTO_TEST_SUITE_END()
