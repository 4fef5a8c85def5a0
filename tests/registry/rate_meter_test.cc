#include "registry/rate_meter.h"

#include <boost/test/unit_test.hpp>

using drover::registry::RateMeter;

BOOST_AUTO_TEST_SUITE(rate_meter)

namespace {

RateMeter::TimePoint at(int milliseconds) { return RateMeter::TimePoint(std::chrono::milliseconds(milliseconds)); }

// 1 MB every 100 ms.
RateMeter steady(int begin, int end) {
  RateMeter meter;
  meter.start(at(begin));
  for (int t = begin + 100; t <= end; t += 100) meter.add(at(t), 1'000'000);
  return meter;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_known_before_enough_came) {
  RateMeter meter;
  meter.start(at(0));
  BOOST_TEST(meter.bytes_per_second(at(100)) == 0);
  meter.add(at(100), 1000);
  BOOST_TEST(meter.bytes_per_second(at(100)) == 0);
}

BOOST_AUTO_TEST_CASE(a_steady_rate_is_told_exactly) {
  BOOST_TEST(steady(0, 200).last_bytes_per_second() == 10e6, boost::test_tools::tolerance(0.01));
  BOOST_TEST(steady(0, 5000).last_bytes_per_second() == 10e6, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(a_silence_pulls_it_below_a_fifth_within_a_second) {
  const RateMeter meter = steady(0, 3000);
  BOOST_TEST(meter.bytes_per_second(at(3100)) > 7e6);
  BOOST_TEST(meter.bytes_per_second(at(3900)) < 2e6);
  BOOST_TEST(meter.last_bytes_per_second() == 10e6, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(a_change_is_followed_within_two_seconds) {
  RateMeter meter = steady(0, 3000);
  for (int t = 3100; t <= 5000; t += 100) meter.add(at(t), 100'000);
  BOOST_TEST(meter.last_bytes_per_second() < 1.3e6);
}

BOOST_AUTO_TEST_CASE(time_between_requests_does_not_count) {
  RateMeter meter = steady(0, 1000);
  meter.start(at(9000));
  meter.add(at(9100), 1'000'000);
  BOOST_TEST(meter.last_bytes_per_second() == 10e6, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(a_burst_out_of_a_buffer_takes_no_time_but_gives_a_finite_rate) {
  RateMeter meter;
  meter.start(at(5));
  meter.add(at(5), 200'000);
  BOOST_TEST(meter.last_bytes_per_second() == 200e6, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_SUITE_END()
