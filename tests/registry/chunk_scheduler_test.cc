#include "registry/chunk_scheduler.h"

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace drover;
using drover::registry::ChunkScheduler;

namespace {

constexpr std::uint64_t mib = 1U << 20U;
constexpr std::uint64_t buffer = 256U << 10U;

RangeSet present(std::initializer_list<ByteRange> ranges) {
  RangeSet set;
  for (const ByteRange& r : ranges) set.add(r);
  return set;
}

// One host, all connections allowed, and a clock.
struct SchedulerFixture {
  ChunkScheduler scheduler{{.connections_each_host = 8}};
  ChunkScheduler::HostId host = scheduler.add_host();
  double now = 1;

  SchedulerFixture() { scheduler.begin_with(host, 8); }

  ChunkScheduler::TimePoint time() const {
    return ChunkScheduler::TimePoint(std::chrono::nanoseconds(static_cast<std::int64_t>(now * 1e9)));
  }
  ChunkScheduler::BlobId add(std::uint64_t size, const RangeSet& there = {}) { return scheduler.add(size, there, host); }
  std::optional<ChunkScheduler::Request> next(ChunkScheduler::ConnectionId connection = 0) {
    return scheduler.next(connection, time());
  }

  // The request's answer begins after `wait` and goes on at this rate until `reached`.
  void receive(const ChunkScheduler::Request& request, std::uint64_t reached, double rate, double wait = 0.02) {
    now += wait;
    std::uint64_t at = request.range.begin;
    while (at < reached) {
      const std::uint64_t more = scheduler.reserve(request.id, at, std::min(buffer, reached - at), time());
      if (more == 0) return;
      at += more;
      now += static_cast<double>(more) / rate;
    }
    scheduler.progress(request.id, at, time());
  }
  void finish(const ChunkScheduler::Request& request, std::uint64_t reached) { scheduler.returned(request.id, reached, time()); }
  void finish(const ChunkScheduler::Request& request) { finish(request, request.range.end); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chunk_scheduler, SchedulerFixture)

BOOST_AUTO_TEST_CASE(small_blobs_go_first_and_whole) {
  add(100 * mib);
  const auto small = add(3000);
  const auto request = next();
  BOOST_REQUIRE(request.has_value());
  BOOST_TEST(request->blob == small);
  BOOST_TEST((request->range == ByteRange{0, 3000}));
}

BOOST_AUTO_TEST_CASE(what_several_images_wait_for_goes_before_what_is_larger) {
  add(100 * mib);
  const auto shared = add(20 * mib);
  scheduler.set_shares(shared, 2);
  BOOST_TEST(next()->blob == shared);
}

BOOST_AUTO_TEST_CASE(urgent_blobs_go_before_shared_ones) {
  const auto shared = add(100 * mib);
  scheduler.set_shares(shared, 9);
  const auto urgent = add(6 * mib);
  scheduler.set_urgent(urgent);
  const auto small = add(3000);
  BOOST_TEST(next(0)->blob == small);
  BOOST_TEST(next(1)->blob == urgent);
  BOOST_TEST(next(2)->blob == shared);
}

BOOST_AUTO_TEST_CASE(connections_are_shared_out_by_what_is_left) {
  const auto large = add(300 * mib);
  const auto medium = add(100 * mib);
  std::size_t of_large = 0;
  std::size_t of_medium = 0;
  for (ChunkScheduler::ConnectionId c = 0; c < 8; ++c) ++(next(c)->blob == large ? of_large : of_medium);
  BOOST_TEST(of_large == 6U);
  BOOST_TEST(of_medium == 2U);
  BOOST_TEST(scheduler.in_flight(medium) == 2U);
}

BOOST_AUTO_TEST_CASE(the_first_request_of_a_large_blob_is_bounded) {
  add(100 * mib);
  BOOST_TEST((next(0)->range == ByteRange{0, 4 * mib}));
  BOOST_TEST((next(1)->range == ByteRange{4 * mib, 8 * mib}));
}

BOOST_AUTO_TEST_CASE(blobs_below_8_mib_are_not_split) {
  add(8 * mib - 1);
  BOOST_TEST((next()->range == ByteRange{0, 8 * mib - 1}));
}

BOOST_AUTO_TEST_CASE(a_known_rate_sizes_requests_to_about_a_second) {
  add(4096 * mib);
  const auto first = next();
  receive(*first, first->range.end, 10e6);
  finish(*first);
  BOOST_TEST(static_cast<double>(next()->range.size()) == 10e6, boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(long_round_trips_make_requests_longer) {
  add(4096 * mib);
  const auto first = next();
  receive(*first, first->range.end, 10e6, 0.2);
  finish(*first);
  BOOST_TEST(static_cast<double>(next()->range.size()) == 40e6, boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(towards_the_end_requests_are_each_connections_share) {
  add(12 * mib);
  const auto slow = next(0);
  const auto fast = next(1);
  receive(*slow, slow->range.end, 10e6);
  receive(*fast, fast->range.end, 30e6);
  finish(*slow);
  // 4 MiB are left, of which the slow one gets its part in four (or less: the other's rate has not sunk by then).
  const auto part = static_cast<double>(next(0)->range.size());
  BOOST_TEST(part <= 1.05 * mib);
  BOOST_TEST(part >= 0.5 * mib);
}

BOOST_AUTO_TEST_CASE(only_holes_are_fetched) {
  const auto blob = add(10 * mib, present({{0, 6 * mib}, {7 * mib, 10 * mib}}));
  BOOST_TEST((next(0)->range == ByteRange{6 * mib, 7 * mib}));
  BOOST_TEST(!next(1).has_value());
  BOOST_TEST(!scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(what_did_not_arrive_is_handed_out_again) {
  const auto blob = add(2 * mib);
  const auto request = next();
  finish(*request, 500);
  const auto rest = next();
  BOOST_TEST((rest->range == ByteRange{500, 2 * mib}));
  finish(*rest);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(a_host_gets_no_more_connections_than_its_limit) {
  const auto other = scheduler.add_host();  // one connection until it has shown something
  scheduler.add(100 * mib, {}, other);
  BOOST_TEST(next(0).has_value());
  BOOST_TEST(!next(1).has_value());
  scheduler.begin_with(other, 2);
  BOOST_TEST(next(1).has_value());
}

BOOST_AUTO_TEST_CASE(four_blobs_begin_at_once_the_fifth_waits) {
  const auto other = scheduler.add_host();
  for (int i = 0; i < 6; ++i) scheduler.add(100 * mib, {}, other);
  BOOST_TEST(scheduler.limit(other) == 4U);
}

BOOST_AUTO_TEST_CASE(a_server_without_ranges_gets_one_request_at_a_time) {
  const auto blob = add(100 * mib);
  const auto first = next(0);
  scheduler.set_sequential(blob);
  BOOST_TEST(!next(1).has_value());
  finish(*first, 1000);
  const auto second = next(0);
  BOOST_TEST((second->range == ByteRange{1000, 100 * mib}));
  BOOST_TEST(second->is_sequential);
  BOOST_TEST(!next(1).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_the_whole_blob_is_taken_whole) {
  const auto blob = add(100 * mib);
  const auto first = next(0);
  const auto other = next(1);
  BOOST_TEST(scheduler.extend(first->id));
  BOOST_TEST(!next(2).has_value());
  finish(*other, other->range.begin);
  BOOST_TEST(!next(1).has_value());
  finish(*first, 100 * mib);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(an_answer_for_a_dropped_blob_is_not_taken_whole) {
  const auto blob = add(100 * mib);
  const auto first = next(0);
  scheduler.drop(blob);
  BOOST_TEST(!scheduler.extend(first->id));
  finish(*first);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(a_restart_wants_everything_again) {
  const auto blob = add(5 * mib);
  finish(*next());
  BOOST_TEST(scheduler.is_settled(blob));
  scheduler.restart(blob);
  BOOST_TEST((next()->range == ByteRange{0, 5 * mib}));
}

BOOST_AUTO_TEST_CASE(paused_and_dropped_blobs_are_left_alone) {
  const auto blob = add(5 * mib);
  scheduler.set_paused(blob, true);
  BOOST_TEST(!next().has_value());
  scheduler.set_paused(blob, false);
  scheduler.set_host_paused(host, true);
  BOOST_TEST(!next().has_value());
  scheduler.set_host_paused(host, false);
  const auto request = next();
  scheduler.drop(blob);
  finish(*request, 0);
  BOOST_TEST(scheduler.is_settled(blob));
  BOOST_TEST(scheduler.unassigned_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(an_empty_blob_needs_nothing) {
  BOOST_TEST(scheduler.is_settled(add(0)));
  BOOST_TEST(!next().has_value());
}

// Taking over.

BOOST_AUTO_TEST_CASE(an_idle_connection_takes_the_second_part_of_what_ends_last) {
  const auto blob = add(7 * mib);
  const auto whole = next(0);
  receive(*whole, mib, 2e6);  // 6 MiB left: 3 s
  const auto part = next(1);
  BOOST_REQUIRE(part.has_value());
  BOOST_TEST(part->blob == blob);
  BOOST_TEST(part->range.end == 7 * mib);
  // As fast as the other, so about half, less what it may do while this one is asking.
  BOOST_TEST(static_cast<double>(part->range.size()) == 3.0 * mib, boost::test_tools::tolerance(0.1));
  BOOST_TEST(scheduler.reserve(whole->id, mib, 100 * mib, time()) == part->range.begin - mib);
  BOOST_TEST(scheduler.reserve(whole->id, part->range.begin, buffer, time()) == 0U);
  finish(*whole, part->range.begin);
  BOOST_TEST(scheduler.unassigned_bytes() == 0U);
  BOOST_TEST(!scheduler.is_settled(blob));
  finish(*part);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_buffer_that_is_being_filled_are_not_taken) {
  add(7 * mib);
  const auto whole = next(0);
  receive(*whole, mib, 2e6);
  BOOST_TEST(scheduler.reserve(whole->id, mib, 5 * mib, time()) == 5 * mib);
  BOOST_TEST(next(1)->range.begin == 6 * mib);
}

BOOST_AUTO_TEST_CASE(what_ends_soon_anyway_is_left_alone) {
  add(7 * mib);
  const auto whole = next(0);
  receive(*whole, 7 * mib - 2 * buffer, 100e6);
  BOOST_TEST(!next(1).has_value());
}

BOOST_AUTO_TEST_CASE(a_range_that_has_stopped_is_fetched_a_second_time_and_the_first_copy_counts) {
  const auto blob = add(7 * mib);
  const auto first = next(0);
  receive(*first, 7 * mib - buffer, 10e6);
  BOOST_TEST(scheduler.reserve(first->id, 7 * mib - buffer, buffer, time()) == buffer);
  now += 10;  // nothing more comes
  const auto copy = next(1);
  BOOST_REQUIRE(copy.has_value());
  BOOST_TEST((copy->range == ByteRange{7 * mib - buffer, 7 * mib}));
  BOOST_TEST(!next(2).has_value());  // two are enough
  receive(*copy, copy->range.end, 10e6);
  finish(*copy);
  const auto superfluous = scheduler.find_superfluous(time());
  BOOST_REQUIRE(superfluous.size() == 1U);
  BOOST_TEST(superfluous.front() == first->id);
  BOOST_TEST(scheduler.find_superfluous(time()).empty());
  finish(*first, 7 * mib - buffer);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(a_copy_that_fails_leaves_the_original_to_it) {
  const auto blob = add(7 * mib);
  const auto first = next(0);
  receive(*first, 7 * mib - buffer, 10e6);
  scheduler.reserve(first->id, 7 * mib - buffer, buffer, time());
  now += 10;
  const auto copy = next(1);
  finish(*copy, copy->range.begin);
  BOOST_TEST(scheduler.unassigned_bytes() == 0U);
  finish(*first);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(nothing_is_copied_while_much_is_to_come) {
  add(7 * mib);
  add(7 * mib);
  const auto first = next(0);
  const auto second = next(1);
  receive(*first, 6 * mib, 10e6);
  scheduler.reserve(first->id, 6 * mib, mib, time());  // its own to the end: cannot be split
  receive(*second, mib, 10e6);
  scheduler.reserve(second->id, mib, 6 * mib, time());
  now += 10;
  BOOST_TEST(!next(2).has_value());
}

BOOST_AUTO_TEST_CASE(a_connection_that_became_much_slower_than_the_others_is_given_up) {
  add(4096 * mib);
  const auto one = next(0);
  const auto two = next(1);
  const auto three = next(2);
  for (const auto& request : {one, two, three}) receive(*request, request->range.begin + mib, 10e6);
  std::vector<ChunkScheduler::RequestId> given_up;
  for (int i = 0; i < 45 && given_up.empty(); ++i) {
    now += 0.1;
    const std::uint64_t more = mib + static_cast<std::uint64_t>(i) * 50'000;
    for (const auto& request : {one, two}) scheduler.progress(request->id, request->range.begin + more, time());
    given_up = scheduler.find_superfluous(time());
    BOOST_TEST((i > 30 || given_up.empty()));
  }
  BOOST_REQUIRE(given_up.size() == 1U);
  BOOST_TEST(given_up.front() == three->id);
  finish(*three, three->range.begin + mib);
  BOOST_TEST((next(2)->range.begin == three->range.begin + mib));  // its rest is the next to be fetched
}

BOOST_AUTO_TEST_CASE(a_connection_that_we_hold_back_is_not_slow) {
  add(4096 * mib);
  const auto one = next(0);
  const auto two = next(1);
  receive(*one, one->range.begin + mib, 0.5e6);
  receive(*two, two->range.begin + mib, 0.5e6);
  scheduler.set_held(two->id, true, time());
  for (int i = 0; i < 60; ++i) {
    now += 0.1;
    scheduler.progress(one->id, one->range.begin + mib + static_cast<std::uint64_t>(i) * 50'000, time());
    BOOST_TEST(scheduler.find_superfluous(time()).empty());
  }
}

BOOST_AUTO_TEST_CASE(each_source_that_nothing_is_known_of_is_tried_once) {
  const auto mirror = scheduler.add_host();
  const auto blob = add(100 * mib);
  scheduler.set_hosts(blob, {mirror, host});
  BOOST_TEST(next(0)->host == mirror);
  BOOST_TEST(next(1)->host == host);
  BOOST_TEST(next(2)->host == host);  // the mirror gets one until it has shown something
}

BOOST_AUTO_TEST_CASE(a_connection_stays_unless_another_source_is_much_faster) {
  const auto mirror = scheduler.add_host();
  scheduler.begin_with(mirror, 8);
  const auto blob = add(1000 * mib);
  scheduler.set_hosts(blob, {mirror, host});
  const auto of_mirror = next(0);
  const auto of_host = next(1);
  receive(*of_mirror, of_mirror->range.end, 10e6);
  finish(*of_mirror);
  receive(*of_host, of_host->range.end, 11e6);
  finish(*of_host);
  const auto stayed = next(0);
  BOOST_TEST(stayed->host == mirror);

  receive(*stayed, stayed->range.end, 1e6);
  finish(*stayed);
  BOOST_TEST(next(0)->host == host);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_left_out_is_not_asked_for_that_blob) {
  const auto mirror = scheduler.add_host();
  const auto blob = add(100 * mib);
  scheduler.set_hosts(blob, {mirror, host});
  scheduler.leave_out(blob, mirror);
  BOOST_TEST(scheduler.host_count(blob) == 1U);
  scheduler.leave_out(blob, host);
  BOOST_TEST(scheduler.host_count(blob) == 1U);  // somebody has to be asked
  BOOST_TEST(next()->host == host);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_to_wait_leaves_the_blob_to_the_others) {
  const auto mirror = scheduler.add_host();
  const auto blob = add(100 * mib);
  scheduler.set_hosts(blob, {mirror, host});
  scheduler.set_host_paused(mirror, true);
  BOOST_TEST(next()->host == host);
  scheduler.set_host_paused(host, true);
  BOOST_TEST(!next(1));
  scheduler.set_host_paused(mirror, false);
  BOOST_TEST(next(1)->host == mirror);
}

BOOST_AUTO_TEST_SUITE_END()
