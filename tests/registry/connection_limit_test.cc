#include "registry/connection_limit.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>

using drover::registry::ConnectionLimit;

BOOST_AUTO_TEST_SUITE(connection_limit)

namespace {

ConnectionLimit::TimePoint at(double seconds) {
  return ConnectionLimit::TimePoint(std::chrono::nanoseconds(static_cast<std::int64_t>((seconds + 1) * 1e9)));
}

// A host that is always asked by as many as allowed, and always has more; `rate` is what so many connections bring together.
struct Host {
  ConnectionLimit limit{16};
  double now = 0;
  double received = 0;
  double since_change = 0;       // seconds
  double proven_after = 0.05;    // how long a new connection needs to show that it works

  void run(double seconds, const std::function<double(double)>& rate, double step = 0.01) {
    for (const double end = now + seconds; now < end; now += step) {
      const std::size_t before = limit.limit();
      received += step * rate(static_cast<double>(before));
      const bool is_settled = since_change >= proven_after;
      limit.look(at(now), {.received = static_cast<std::uint64_t>(received),
                           .in_use = before,
                           .in_use_and_proven = is_settled ? before : before - 1,
                           .is_all_receiving = is_settled,
                           .is_more_wanted = true,
                           .round_trip_seconds = 0.02});
      since_change = limit.limit() == before ? since_change + step : 0;
    }
  }
};

double each_20_mb(double connections) { return 20e6 * connections; }
double link_of_100_mb(double connections) { return std::min(100e6, 20e6 * connections); }
double saturated(double) { return 50e6; }

}  // namespace

BOOST_AUTO_TEST_CASE(one_connection_that_works_doubles_until_there_are_enough) {
  Host host;
  BOOST_TEST(host.limit.limit() == 1U);
  host.run(0.4, each_20_mb);
  BOOST_TEST(host.limit.limit() == 16U);
}

BOOST_AUTO_TEST_CASE(nothing_is_added_before_what_there_is_has_shown_something) {
  Host host;
  host.proven_after = 10;
  host.run(5, each_20_mb);
  BOOST_TEST(host.limit.limit() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_added_without_work_for_it) {
  ConnectionLimit limit(16);
  for (int i = 0; i < 100; ++i) {
    limit.look(at(i * 0.1), {.in_use = 1, .in_use_and_proven = 1, .is_all_receiving = true, .is_more_wanted = false});
  }
  BOOST_TEST(limit.limit() == 1U);
}

BOOST_AUTO_TEST_CASE(it_begins_with_what_stands_already_but_not_with_more_than_allowed) {
  ConnectionLimit limit(16);
  limit.begin_with(4);
  limit.begin_with(11);
  limit.begin_with(2);
  BOOST_TEST(limit.limit() == 11U);
  limit.begin_with(40);
  BOOST_TEST(limit.limit() == 16U);
}

// A host nearby: the machine itself is the limit, and more connections only take turns.
BOOST_AUTO_TEST_CASE(connections_that_bring_plenty_are_judged_before_more_are_opened) {
  Host host;
  host.proven_after = 0;
  host.run(1, [](double connections) { return connections < 2 ? 500e6 : 700e6; });
  BOOST_TEST(host.limit.limit() <= 2U);

  Host wide;  // a link that takes eight of them
  wide.proven_after = 0;
  wide.run(1, [](double connections) { return std::min(1200e6, connections * 150e6); });
  BOOST_TEST(wide.limit.limit() >= 8U);
  BOOST_TEST(wide.limit.limit() <= 9U);
}

// A server that lets the first megabytes through at once and slows down then.
BOOST_AUTO_TEST_CASE(a_burst_at_first_is_not_plenty) {
  Host host;
  host.proven_after = 0.01;
  host.run(0.5, [&](double connections) { return connections * (host.since_change < 0.005 ? 400e6 : 20e6); }, 0.001);
  BOOST_TEST(host.limit.limit() == 16U);
}

// Where connections show themselves slowly enough to be judged, a doubling that brings nothing is undone and two failures hold.
BOOST_AUTO_TEST_CASE(a_saturated_link_keeps_few) {
  Host host;
  host.proven_after = 0.3;
  host.run(10, saturated);
  BOOST_TEST(host.limit.limit() <= 2U);
}

BOOST_AUTO_TEST_CASE(additions_end_where_the_link_does) {
  Host host;
  host.proven_after = 0.3;
  host.run(12, link_of_100_mb);
  BOOST_TEST(host.limit.limit() >= 5U);
  BOOST_TEST(host.limit.limit() <= 8U);
}

BOOST_AUTO_TEST_CASE(a_held_limit_is_tried_again_every_15_seconds) {
  Host host;
  host.proven_after = 0.3;
  host.run(12, link_of_100_mb);
  const std::size_t held = host.limit.limit();
  host.run(40, each_20_mb);  // the link became wider
  BOOST_TEST(host.limit.limit() > held + 3);
}

BOOST_AUTO_TEST_CASE(a_refusal_halves_and_holds) {
  Host host;
  host.run(0.4, each_20_mb);
  host.limit.refused(at(host.now), 16);
  BOOST_TEST(host.limit.limit() == 8U);
  host.run(10, each_20_mb);
  BOOST_TEST(host.limit.limit() == 8U);
}

BOOST_AUTO_TEST_CASE(refusals_that_come_together_count_once) {
  ConnectionLimit limit(16);
  limit.begin_with(16);
  for (std::size_t in_use = 16; in_use > 8; --in_use) limit.refused(at(0.1), in_use);
  BOOST_TEST(limit.limit() == 8U);
  limit.refused(at(2), 8);
  BOOST_TEST(limit.limit() == 4U);
}

BOOST_AUTO_TEST_CASE(one_is_always_left) {
  ConnectionLimit limit(16);
  limit.refused(at(0), 1);
  BOOST_TEST(limit.limit() == 1U);
}

BOOST_AUTO_TEST_CASE(when_one_that_is_tried_out_is_refused_the_others_stay) {
  Host host;
  host.run(0.4, each_20_mb);
  host.limit.refused(at(host.now), 16);
  while (host.limit.limit() == 8U) host.run(0.1, each_20_mb);  // after the hold
  BOOST_TEST(host.limit.limit() == 9U);
  host.limit.refused(at(host.now), 9);
  BOOST_TEST(host.limit.limit() == 8U);
}

BOOST_AUTO_TEST_CASE(connections_without_an_answer_are_taken_back) {
  ConnectionLimit limit(16);
  limit.begin_with(16);
  limit.starved(at(3), 4);
  BOOST_TEST(limit.limit() == 4U);
  limit.starved(at(4), 4);
  BOOST_TEST(limit.limit() == 4U);
}

// A few milliseconds say more about token buckets than about the link: they must not stop the first doublings.
BOOST_AUTO_TEST_CASE(a_burst_at_the_start_is_not_held_against_the_others) {
  Host host;
  host.proven_after = 0.01;
  double sent = 0;
  host.run(0.2, [&](double connections) {
    sent += connections;
    return sent < 3 ? 500e6 : 20e6 * connections;
  });
  BOOST_TEST(host.limit.limit() == 16U);
}

BOOST_AUTO_TEST_SUITE_END()
