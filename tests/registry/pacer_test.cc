#include "registry/pacer.h"

#include "tests/support/fake_clock.h"
#include "tests/support/recording_progress.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mega = 1'000'000;

struct PaceRow {
  std::string name;
  PaceView view;
  std::uint64_t rate;              // to a thousandth
  std::optional<int> late_seconds = {};

  friend std::ostream& operator<<(std::ostream& out, const PaceRow& row) { return out << row.name; }
};

const std::vector<PaceRow> paces = {
    {"spread over what is left, but for the reserve", {.left_bytes = 950 * mega, .left_seconds = 100, .reserve_seconds = 5}, 10 * mega},
    {"never slower than connections bear", {.left_bytes = 10 * mega, .left_seconds = 36'000, .reserve_seconds = 5}, pace_min},
    {"the cap counts where it is lower", {.left_bytes = 950 * mega, .left_seconds = 100, .reserve_seconds = 5, .rate_max = 9'900'000}, 9'900'000},
    {"and not where it is higher", {.left_bytes = 950 * mega, .left_seconds = 100, .reserve_seconds = 5, .rate_max = 50 * mega}, 10 * mega},
    {"a cap below the least", {.left_bytes = 10 * mega, .left_seconds = 36'000, .reserve_seconds = 5, .rate_max = 1000}, 1000},
    {"a cap that cannot do", {.left_bytes = 1000 * mega, .left_seconds = 100, .reserve_seconds = 5, .rate_max = 5 * mega}, 5 * mega, 100},
    {"nothing left", {.left_bytes = 0, .left_seconds = 100, .reserve_seconds = 5}, 0},
    {"nothing left and late", {.left_bytes = 0, .left_seconds = -5, .reserve_seconds = 5}, 0},
    {"fast enough", {.left_bytes = 950 * mega, .left_seconds = 100, .reserve_seconds = 5, .measured_rate = 9.6e6}, 10 * mega},
    {"a little slow", {.left_bytes = 1000 * mega, .left_seconds = 100, .reserve_seconds = 5, .measured_rate = 9.1e6}, 10'526'316},
    {"too slow", {.left_bytes = 1000 * mega, .left_seconds = 100, .reserve_seconds = 5, .measured_rate = 5e6}, 10'526'316, 100},
    {"nothing comes", {.left_bytes = 100, .left_seconds = 10, .reserve_seconds = 5, .measured_rate = 0.0}, pace_min, 90},
    {"in the reserve", {.left_bytes = mega, .left_seconds = 4, .reserve_seconds = 5}, 0},
    {"behind the deadline", {.left_bytes = 100 * mega, .left_seconds = -10, .reserve_seconds = 5, .rate_max = 7, .measured_rate = 10e6}, 7, 20},
    {"as good as done, at the last moment", {.left_bytes = 1700, .left_seconds = 0.001, .reserve_seconds = 2, .measured_rate = 1.6e6}, 0},
    {"as good as done, behind it", {.left_bytes = 1700, .left_seconds = -0.1, .reserve_seconds = 2, .measured_rate = 1.6e6}, 0},
    {"behind it, with nothing measured", {.left_bytes = 100 * mega, .left_seconds = -10, .reserve_seconds = 5}, 0, 10},
};

struct BeginRow {
  std::string name;
  std::uint64_t bytes;
  std::chrono::seconds time;
  std::uint64_t rate_max;
  std::uint64_t rate;
  std::string late = {};

  friend std::ostream& operator<<(std::ostream& out, const BeginRow& row) { return out << row.name; }
};

const std::vector<BeginRow> begins = {
    {"a long night", mega, 8h, 0, pace_min + 1},
    {"a twentieth is kept", 950 * mega, 100s, 0, 10 * mega + 1},
    {"at least two seconds are kept", 80 * mega, 10s, 0, 10 * mega + 1},
    {"in less than what is kept", 80 * mega, 1s, 0, 0},
    {"a cap that cannot do", 45 * mega, 30s, 100'000, 100'000,
     "this will not be done in time: 45.0 MB are left, --limit-rate allows 100.0 kB/s; 7m00s too long"},
    {"a cap that can", 45 * mega, 100s, 500'000, 500'000},
    {"a moment that is over", 45 * mega, -5s, 0, 0, "the time is over: 45.0 MB are left; 5.0s too long"},
    {"nothing to fetch", 0, -5s, 100'000, 100'000},
};

// 100 MB of one blob, until ten minutes from now.
struct PacerFixture {
  test::FakeClock clock;
  test::RecordingLog log;
  test::RecordingProgress progress;
  Context ctx{.progress = &progress, .log = &log, .clock = &clock};
  RateLimiter limiter{0};
  Pacer pacer{ctx, clock.system_now() + 600s, 0, limiter};

  void tell(ProgressEvent::Kind kind, std::uint64_t done, std::uint64_t total = 100 * mega, const char* id = "a") {
    pacer.on({.kind = kind, .phase = "fetch", .id = id, .label = "a", .done = done, .total = total, .text = {}});
  }
  // How long the limiter keeps a megabyte waiting.
  std::int64_t milliseconds_a_megabyte() {
    const auto begin = pass(mega);
    return std::chrono::round<std::chrono::milliseconds>(pass(mega) - begin).count();
  }
  RateLimiter::TimePoint pass(std::uint64_t bytes) {
    RateLimiter::TimePoint end = clock.now();
    while (bytes > 0) {
      const RateLimiter::Grant grant = limiter.reserve(clock.now(), bytes);
      bytes -= grant.bytes;
      end = grant.at;
    }
    return end;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pace)

BOOST_DATA_TEST_CASE(is_what_the_time_asks_for, paces, row) {
  const ChosenPace chosen = choose_pace(row.view);
  BOOST_TEST(static_cast<double>(chosen.rate) == static_cast<double>(row.rate), boost::test_tools::tolerance(0.001));
  BOOST_TEST(chosen.late_seconds.has_value() == row.late_seconds.has_value());
  if (chosen.late_seconds && row.late_seconds) BOOST_TEST(*chosen.late_seconds == *row.late_seconds, boost::test_tools::tolerance(0.01));
}

BOOST_DATA_TEST_CASE(is_known_before_the_first_byte, begins, row) {
  const PaceView view = view_at_begin(row.bytes, row.time, row.rate_max);
  const ChosenPace chosen = choose_pace(view);
  BOOST_TEST(chosen.rate == row.rate);
  BOOST_TEST((chosen.late_seconds ? late_text(view, *chosen.late_seconds) : std::string()) == row.late);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(arrival_meter)

// Megabytes that have come by each half second; what is known then, in kB/s.
struct ArrivalRow {
  std::string name;
  std::vector<double> megabytes;
  std::optional<int> kilobytes_per_second;

  friend std::ostream& operator<<(std::ostream& out, const ArrivalRow& row) { return out << row.name; }
};

const std::vector<ArrivalRow> arrivals = {
    {"nothing yet", {0, 0, 0, 0, 0, 0, 0}, {}},
    {"not for long enough", {0, 0, 1, 2, 3, 4}, {}},
    {"steady", {0, 1, 2, 3, 4, 5}, 2000},
    {"only the last two seconds count", {9, 18, 19, 20, 21, 22}, 2000},
    {"connections are added", {1, 1.5, 2, 4, 6}, 4000},
    {"it became slow", {1, 5, 9, 9.1, 9.2}, 4100},
    {"it stopped", {1, 5, 5, 5, 5, 5}, 0},
};

BOOST_DATA_TEST_CASE(measures_over_its_window, arrivals, row) {
  ArrivalMeter meter(2s);
  ArrivalMeter::TimePoint now{1h};
  for (const double megabytes : row.megabytes) meter.note(now += 500ms, static_cast<std::uint64_t>(megabytes * 1e6));
  const std::optional<double> rate = meter.bytes_per_second();
  BOOST_TEST(rate.has_value() == row.kilobytes_per_second.has_value());
  if (rate && row.kilobytes_per_second) BOOST_TEST(*rate / 1000 == *row.kilobytes_per_second, boost::test_tools::tolerance(0.001));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(late_news)

// How much too long it takes at each look, 0: it does not, and how long there is; which looks are told.
struct NewsRow {
  std::string name;
  std::vector<std::pair<double, double>> looks;
  std::string told;

  friend std::ostream& operator<<(std::ostream& out, const NewsRow& row) { return out << row.name; }
};

const std::vector<NewsRow> news = {
    {"two looks say so", {{0, 60}, {30, 59}, {30, 58}, {31, 57}}, "--x-"},
    {"a hiccup is no news", {{30, 60}, {0, 59}, {30, 58}, {0, 57}}, "----"},
    {"much worse", {{30, 60}, {30, 59}, {50, 58}, {60, 57}, {70, 56}, {120, 55}}, "-x-x-x"},
    {"a little worse than little", {{3, 60}, {3, 59}, {7, 58}, {12, 57}, {13, 56}}, "-x--x"},
    {"the time is over", {{30, 60}, {30, 2}, {30, 0}, {31, -1}, {40, -10}}, "-xx--"},
    {"late only then", {{0, 1}, {3, -3}, {4, -4}, {5, -5}}, "--x-"},
    {"good for a while", {{30, 60}, {30, 59}, {0, 58}, {0, 57}, {31, 56}, {31, 55}, {31, 54}}, "-x-----"},
};

BOOST_DATA_TEST_CASE(are_told_once_each, news, row) {
  LateNews teller;
  std::string told;
  for (const auto& [late, left] : row.looks) {
    const ChosenPace pace{.rate = 0, .late_seconds = late > 0 ? std::optional(late) : std::nullopt};
    told += teller.is_news({.left_bytes = mega, .left_seconds = left}, pace) ? 'x' : '-';
  }
  BOOST_TEST(told == row.told);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(pacer, PacerFixture)

using Kind = ProgressEvent::Kind;

BOOST_AUTO_TEST_CASE(events_are_passed_on) {
  tell(Kind::started, 0);
  pacer.on({.kind = Kind::started, .phase = "load", .id = "x", .label = {}, .done = 0, .total = 10 * mega, .text = {}});
  BOOST_TEST(progress.events().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_rate_follows_what_is_left) {
  tell(Kind::started, 0, 570 * mega);
  pacer.tick();
  BOOST_TEST(milliseconds_a_megabyte() == 1000);  // 570 MB in 600 s less the reserve
  tell(Kind::advanced, 0, 570 * mega);
  clock.advance(300s - 2s);
  tell(Kind::advanced, 427 * mega + mega / 2, 570 * mega);
  pacer.tick();
  BOOST_TEST(milliseconds_a_megabyte() > 1800);  // a quarter in half the time; but not below the least
  BOOST_TEST(milliseconds_a_megabyte() <= 2000);
}

BOOST_AUTO_TEST_CASE(a_plan_counts_before_its_blobs_begin) {
  pacer.expect(1140 * mega);
  BOOST_TEST(milliseconds_a_megabyte() == 500);
  tell(Kind::started, 0, 570 * mega);
  pacer.tick();
  BOOST_TEST(milliseconds_a_megabyte() >= 495);
}

BOOST_AUTO_TEST_CASE(what_was_there_is_not_fetched) {
  tell(Kind::started, 400 * mega, 970 * mega);
  tell(Kind::finished, 500 * mega, 500 * mega, "never begun");
  pacer.tick();
  BOOST_TEST(milliseconds_a_megabyte() == 1000);
}

BOOST_AUTO_TEST_CASE(a_blob_that_begins_anew_is_left_again) {
  tell(Kind::started, 0, 570 * mega);
  tell(Kind::advanced, 500 * mega, 570 * mega);
  tell(Kind::advanced, 0, 570 * mega);
  pacer.tick();
  BOOST_TEST(milliseconds_a_megabyte() == 1000);
}

BOOST_AUTO_TEST_CASE(the_warning_comes_as_soon_as_the_rate_shows_it_and_once) {
  tell(Kind::started, 0, 6000 * mega);
  std::uint64_t done = 0;
  std::optional<int> warned_at;
  for (int second = 1; second <= 30; ++second) {
    clock.advance(1s);
    pass(mega);  // 10 MB/s were needed
    tell(Kind::advanced, done += mega, 6000 * mega);
    pacer.tick();
    if (!warned_at && log.has(LogLevel::warning, "will not be done in time")) warned_at = second;
  }
  BOOST_TEST(warned_at.value_or(0) == 12);  // ten seconds from the first byte, and once more to be sure
  const std::string text = log.text();
  BOOST_TEST(text == "this will not be done in time: 6.0 GB are left, 1.0 MB/s come; 1h30m too long\n", text);
}

BOOST_AUTO_TEST_CASE(a_short_time_is_found_too_short_within_seconds) {
  Pacer hurried(ctx, clock.system_now() + 8s, 0, limiter);
  hurried.expect(53 * mega + 40'000);
  for (int tick = 1; tick <= 5; ++tick) {
    clock.advance(500ms);
    pass(mega / 10);
    hurried.tick();
  }
  const std::string text = log.text();
  BOOST_TEST(text == "this will not be done in time: 53.0 MB are left, 200.0 kB/s come; 4m19s too long\n", text);
}

BOOST_AUTO_TEST_CASE(a_slow_beginning_alarms_nobody) {
  tell(Kind::started, 0, 6000 * mega);
  for (int second = 1; second <= 60; ++second) {
    clock.advance(1s);
    pacer.tick();
  }
  BOOST_TEST(log.text() == "");
}

BOOST_AUTO_TEST_CASE(failed_blobs_are_not_waited_for) {
  tell(Kind::started, 0, 6000 * mega);
  tell(Kind::failed, 0, 6000 * mega);
  clock.advance(590s);
  pacer.tick();
  BOOST_TEST(log.text() == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
