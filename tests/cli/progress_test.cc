#include "cli/progress.h"

#include "tests/support/fake_clock.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include <sstream>

using namespace drover;
using namespace drover::cli;
using drover::test::FakeClock;
using Kind = ProgressEvent::Kind;

BOOST_AUTO_TEST_SUITE(progress)

namespace {

ProgressEvent event(Kind kind, const char* id, std::uint64_t done, std::uint64_t total, const char* phase = "fetch") {
  return {.kind = kind, .phase = phase, .id = id, .label = id, .done = done, .total = total, .text = kind == Kind::failed ? "cut" : ""};
}

struct Shown {
  explicit Shown(ProgressMode mode) : display(make_progress(mode, screen, clock)) {}
  std::string take() {
    std::string text = out.str();
    out.str("");
    return text;
  }
  FakeClock clock;
  std::ostringstream out;
  Screen screen{out};
  std::unique_ptr<ProgressDisplay> display;
};

}  // namespace

BOOST_AUTO_TEST_CASE(plain_writes_a_line_a_finished_blob) {
  using namespace std::chrono_literals;
  Shown shown(ProgressMode::plain);

  shown.display->on(event(Kind::started, "redis a1", 0, 2'000'000));
  shown.display->on(event(Kind::advanced, "redis a1", 1'000'000, 2'000'000));
  shown.clock.advance(1500ms);
  shown.display->on(event(Kind::finished, "redis a1", 2'000'000, 2'000'000));

  BOOST_TEST(shown.take() == "fetched redis a1 (2.0 MB in 1.5s)\n");
}

BOOST_AUTO_TEST_CASE(plain_tells_what_was_there_already) {
  Shown shown(ProgressMode::plain);

  shown.display->on(event(Kind::started, "a", 500'000, 2'000'000));
  shown.display->on(event(Kind::finished, "a", 2'000'000, 2'000'000));
  shown.display->on(event(Kind::finished, "b", 3'000, 3'000));

  BOOST_TEST(shown.take() == "fetched a (2.0 MB, 500.0 kB were there in 0.0s)\nfetched b (3.0 kB, was there)\n");
}

BOOST_AUTO_TEST_CASE(plain_writes_a_total_at_each_tick_while_something_is_under_way) {
  using namespace std::chrono_literals;
  Shown shown(ProgressMode::plain);
  shown.display->on(event(Kind::started, "a", 0, 100'000'000));
  shown.clock.advance(10s);
  shown.display->on(event(Kind::advanced, "a", 50'000'000, 100'000'000));

  shown.display->tick();
  BOOST_TEST(shown.take() == "fetch: 50.0 MB of 100.0 MB, 5.0 MB/s, 10.0s left, 1 under way\n");

  shown.display->on(event(Kind::finished, "a", 100'000'000, 100'000'000));
  shown.take();
  shown.display->tick();
  BOOST_TEST(shown.take() == "");
}

BOOST_AUTO_TEST_CASE(plain_says_why_a_blob_failed) {
  Shown shown(ProgressMode::plain);

  shown.display->on(event(Kind::started, "a", 0, 10));
  shown.display->on(event(Kind::failed, "a", 3, 10));

  BOOST_TEST(shown.take() == "a failed: cut\n");
}

BOOST_AUTO_TEST_CASE(json_writes_one_object_a_line_and_not_every_advance) {
  using namespace std::chrono_literals;
  Shown shown(ProgressMode::json);

  shown.display->on(event(Kind::started, "a", 0, 10));
  for (std::uint64_t i = 1; i < 10; ++i) shown.display->on(event(Kind::advanced, "a", i, 10));
  shown.clock.advance(1s);
  shown.display->on(event(Kind::advanced, "a", 9, 10));
  shown.display->on(event(Kind::finished, "a", 10, 10));

  std::istringstream lines(shown.take());
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    events.push_back(json.at("event").get<std::string>() + " " + std::to_string(json.at("done").get<int>()));
    BOOST_TEST(json.at("phase") == "fetch");
    BOOST_TEST(json.at("id") == "a");
    BOOST_TEST(json.at("total") == 10);
  }
  const std::vector<std::string> expected = {"started 0", "advanced 1", "advanced 9", "finished 10"};
  BOOST_TEST(events == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_frame_fits_its_window) {
  Transfers transfers;
  const Transfers::Time now{};
  for (const char* const id : {"a", "b", "c", "d", "e", "f", "g", "h"}) transfers.apply(event(Kind::started, id, 10, 100), now);
  const std::string long_label(300, 'x');
  transfers.apply({.kind = Kind::started, .phase = "fetch", .id = "long", .label = long_label, .done = 0, .total = 100, .text = {}}, now);

  for (const Window window : {Window{20, 5}, Window{40, 6}, Window{80, 24}, Window{200, 60}}) {
    const std::vector<std::string> lines = draw_frame(transfers, window);
    BOOST_TEST(lines.size() < window.rows);
    for (const std::string& line : lines) BOOST_TEST(line.size() < window.columns, line);
  }
}

BOOST_AUTO_TEST_CASE(a_frame_shows_bars_and_a_total) {
  Transfers transfers;
  transfers.apply(event(Kind::started, "redis 9f2c", 0, 40'000'000), Transfers::Time{});
  transfers.apply(event(Kind::advanced, "redis 9f2c", 20'000'000, 40'000'000), Transfers::Time{});
  transfers.tick(Transfers::Time{} + std::chrono::seconds(2));

  const std::vector<std::string> lines = draw_frame(transfers, {.columns = 80, .rows = 24});

  const std::vector<std::string> expected = {"redis 9f2c                           [==========          ] 20.0 MB/40.0 MB    ",
                                             "fetch: 20.0 MB of 40.0 MB, 10.0 MB/s, 2.0s left, 1 under way"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_under_way_draws_nothing) {
  Transfers transfers;
  transfers.apply(event(Kind::started, "a", 0, 10), {});
  transfers.apply(event(Kind::finished, "a", 10, 10), {});

  BOOST_TEST(draw_frame(transfers, {}).empty());
}

BOOST_AUTO_TEST_CASE(the_terminal_is_clean_at_the_end_and_lines_stay_above_the_frame) {
  Shown shown(ProgressMode::tty);
  shown.display->on(event(Kind::started, "a", 0, 10));
  shown.display->tick();
  shown.take();

  shown.screen.write_line("drover: warning: x");
  const std::string with_line = shown.take();
  shown.display->end();

  BOOST_TEST(with_line.starts_with("\r\x1b[2A\x1b[Jdrover: warning: x\n"));
  BOOST_TEST(shown.take() == "\r\x1b[2A\x1b[J");
}

BOOST_AUTO_TEST_CASE(a_task_is_a_row_and_fits_its_window) {
  using namespace std::chrono_literals;
  Tasks tasks;
  const Tasks::Time now{};
  tasks.set({.name = "db", .state = Task::State::done, .text = "recreated", .since = now});
  tasks.set({.name = "webserver", .state = Task::State::under_way, .text = "waiting until healthy", .since = now});
  tasks.set({.name = "web", .state = Task::State::waiting, .text = "created", .since = now});

  const std::vector<std::string> expected = {"db         recreated", "webserver  waiting until healthy, 3.2s", "web        created", "1 of 3 done"};
  BOOST_TEST(draw_tasks(tasks, now + 3200ms, {.columns = 80, .rows = 24}) == expected, boost::test_tools::per_element());
  const std::vector<std::string> busy = {"webserver  waiting un", "1 of 3 done"};
  BOOST_TEST(draw_tasks(tasks, now, {.columns = 22, .rows = 4}) == busy, boost::test_tools::per_element());
  BOOST_TEST(draw_tasks({}, now, {}).empty());
}

BOOST_AUTO_TEST_CASE(plain_writes_a_line_a_service_at_its_end_and_when_it_takes_long) {
  using namespace std::chrono_literals;
  Shown shown(ProgressMode::plain);
  shown.display->show({.name = "web", .state = Task::State::waiting, .text = "waiting"});
  shown.display->show({.name = "web", .state = Task::State::under_way, .text = "stopping"});
  shown.display->tick();
  BOOST_TEST(shown.take() == "");

  shown.clock.advance(10s);
  shown.display->tick();
  shown.display->show({.name = "web", .state = Task::State::done, .text = "recreated"});
  shown.display->show({.name = "web", .state = Task::State::done, .text = "recreated"});
  shown.display->show({.name = "db", .state = Task::State::failed, .text = "it exited"});
  shown.display->tick();
  BOOST_TEST(shown.take() == "web: stopping, 10.0s\nweb: recreated\ndb: failed: it exited\n");
}

BOOST_AUTO_TEST_CASE(programs_and_nobody_see_no_tasks) {
  for (const ProgressMode mode : {ProgressMode::json, ProgressMode::none}) {
    Shown shown(mode);
    shown.display->show({.name = "web", .state = Task::State::done, .text = "recreated"});
    shown.display->tick();
    BOOST_TEST(shown.take() == "");
  }
}

BOOST_AUTO_TEST_CASE(what_goes_to_standard_output_meets_no_frame) {
  Shown shown(ProgressMode::tty);
  shown.display->show({.name = "web", .state = Task::State::under_way, .text = "stopping"});
  shown.display->tick();
  shown.take();

  shown.screen.without_frame([&] { BOOST_TEST(shown.take() == "\r\x1b[2A\x1b[J"); });
  shown.display->tick();
  BOOST_TEST(shown.take() == "web  stopping, 0.0s\n0 of 1 done\n");
}

BOOST_AUTO_TEST_CASE(kept_bytes_are_those_of_the_fetch) {
  Shown shown(ProgressMode::none);
  shown.display->on(event(Kind::started, "a", 5, 10));
  shown.display->on(event(Kind::advanced, "a", 8, 10));
  shown.display->on(event(Kind::started, "b", 0, 10));
  shown.display->on(event(Kind::finished, "b", 10, 10));
  shown.display->on(event(Kind::started, "image", 0, 1000, "load"));
  shown.display->on(event(Kind::advanced, "image", 900, 1000, "load"));

  BOOST_TEST(shown.display->kept_bytes() == 18U);
}

BOOST_AUTO_TEST_CASE(an_end_without_figures_takes_nothing_back) {
  Shown shown(ProgressMode::plain);
  shown.display->on(event(Kind::started, "a", 0, 2'000'000));
  shown.display->on(event(Kind::advanced, "a", 900'000, 2'000'000));
  shown.display->on(event(Kind::failed, "a", 0, 0));
  shown.take();
  BOOST_TEST(shown.display->kept_bytes() == 900'000U);

  shown.display->on(event(Kind::started, "b", 0, 3'000'000));
  shown.display->on(event(Kind::finished, "b", 1, 1));
  BOOST_TEST(shown.take() == "fetched b (3.0 MB in 0.0s)\n");
}

BOOST_AUTO_TEST_CASE(a_transfer_that_begins_again_is_not_counted_twice) {
  Transfers transfers;
  transfers.apply(event(Kind::started, "a", 0, 100), {});
  transfers.apply(event(Kind::advanced, "a", 60, 100), {});
  transfers.apply(event(Kind::started, "a", 0, 100), {});
  transfers.apply(event(Kind::advanced, "a", 10, 100), {});

  BOOST_TEST(transfers.total("fetch").done == 10U);
  BOOST_TEST(transfers.total("fetch").total == 100U);
}

BOOST_AUTO_TEST_SUITE_END()
