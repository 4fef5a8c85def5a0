#include "net/rate_watchdog.h"

#include <boost/test/unit_test.hpp>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(rate_watchdog)

namespace {

using std::chrono::milliseconds;

const RateWatchdog::TimePoint start{std::chrono::hours(1)};

RateWatchdog started(std::uint64_t bytes_per_second, milliseconds window) {
  RateWatchdog watchdog(bytes_per_second, window);
  watchdog.start(start);
  return watchdog;
}

BOOST_AUTO_TEST_CASE(silence_from_the_start_is_noticed_after_one_window) {
  RateWatchdog watchdog = started(1000, milliseconds(800));

  BOOST_TEST(!watchdog.is_stalled(start + milliseconds(799)));
  BOOST_TEST(watchdog.is_stalled(start + milliseconds(800)));
}

BOOST_AUTO_TEST_CASE(a_steady_trickle_above_the_rate_lives_for_ever) {
  RateWatchdog watchdog = started(1000, milliseconds(800));

  for (int i = 1; i < 10'000; ++i) {
    watchdog.add(start + milliseconds(10 * i), 11);
    BOOST_REQUIRE(!watchdog.is_stalled(start + milliseconds(10 * i)));
  }
}

BOOST_AUTO_TEST_CASE(a_steady_trickle_below_the_rate_is_a_stall) {
  RateWatchdog watchdog = started(1000, milliseconds(800));

  bool is_stalled = false;
  for (int i = 1; i < 100 && !is_stalled; ++i) {
    watchdog.add(start + milliseconds(10 * i), 8);
    is_stalled = watchdog.is_stalled(start + milliseconds(10 * i));
  }
  BOOST_TEST(is_stalled);
}

BOOST_AUTO_TEST_CASE(a_burst_buys_one_window_only) {
  RateWatchdog watchdog = started(1000, milliseconds(800));
  watchdog.add(start + milliseconds(5000), 1'000'000);

  BOOST_TEST(!watchdog.is_stalled(start + milliseconds(5790)));
  BOOST_TEST(watchdog.is_stalled(start + milliseconds(5910)));
}

BOOST_AUTO_TEST_CASE(zero_rate_or_window_never_stalls) {
  RateWatchdog rateless = started(0, milliseconds(800));
  RateWatchdog windowless = started(1000, milliseconds(0));
  RateWatchdog unstarted(1000, milliseconds(1));

  BOOST_TEST(!rateless.is_stalled(start + std::chrono::hours(1)));
  BOOST_TEST(!windowless.is_stalled(start + std::chrono::hours(1)));
  BOOST_TEST(!unstarted.is_stalled(start + std::chrono::hours(1)));
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_is_survived) {
  RateWatchdog watchdog = started(1000, milliseconds(800));
  watchdog.add(start + milliseconds(700), 5000);
  watchdog.add(start - milliseconds(500), 5000);

  BOOST_TEST(!watchdog.is_stalled(start + milliseconds(900)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
