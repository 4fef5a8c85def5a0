#include "registry/chunk_scheduler.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <vector>

using namespace drover;
using drover::registry::ChunkScheduler;
using drover::registry::ConnectionRate;

namespace {

constexpr std::uint64_t mib = 1U << 20U;

RangeSet present(std::initializer_list<ByteRange> ranges) {
  RangeSet set;
  for (const ByteRange& r : ranges) set.add(r);
  return set;
}

// Connections of different rates fetch all blobs; returns total bytes / (sum of rates * seconds taken).
double simulate(const std::vector<std::uint64_t>& sizes, std::vector<double> rates, double round_trip) {
  ChunkScheduler scheduler;
  for (const std::uint64_t size : sizes) scheduler.add(size, {});
  double all = 0;
  for (const double r : rates) all += r;
  struct Event {
    double time;
    std::size_t connection;
    bool operator<(const Event& other) const { return time > other.time; }
  };
  std::priority_queue<Event> events;
  std::vector<std::optional<ChunkScheduler::Request>> running(rates.size());
  std::vector<RangeSet> got(sizes.size());
  std::vector<bool> is_known(rates.size());
  for (std::size_t i = 0; i < rates.size(); ++i) events.push({0, i});
  double end = 0;
  while (!events.empty()) {
    const Event event = events.top();
    events.pop();
    auto& mine = running[event.connection];
    if (mine) {
      got[mine->blob].add(mine->range);
      scheduler.returned(*mine, mine->range.end);
      is_known[event.connection] = true;
      end = std::max(end, event.time);
    }
    const double rate = rates[event.connection];
    mine = scheduler.next(is_known[event.connection] ? ConnectionRate{rate, all, round_trip} : ConnectionRate{});
    if (mine) events.push({event.time + round_trip + static_cast<double>(mine->range.size()) / rate, event.connection});
  }
  double total = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    BOOST_REQUIRE(got[i].contains({0, sizes[i]}));
    total += static_cast<double>(sizes[i]);
  }
  return total / all / end;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chunk_scheduler)

BOOST_AUTO_TEST_CASE(small_blobs_go_first_and_whole) {
  ChunkScheduler scheduler;
  scheduler.add(100 * mib, {});
  const auto small = scheduler.add(3000, {});
  const auto request = scheduler.next({});
  BOOST_REQUIRE(request.has_value());
  BOOST_TEST(request->blob == small);
  BOOST_TEST((request->range == ByteRange{0, 3000}));
}

BOOST_AUTO_TEST_CASE(what_several_images_wait_for_goes_before_what_is_larger) {
  ChunkScheduler scheduler;
  scheduler.add(100 * mib, {});
  const auto shared = scheduler.add(20 * mib, {});
  scheduler.set_shares(shared, 2);
  BOOST_TEST(scheduler.next({})->blob == shared);
}

BOOST_AUTO_TEST_CASE(the_first_request_of_a_large_blob_is_bounded) {
  ChunkScheduler scheduler;
  scheduler.add(100 * mib, {});
  BOOST_TEST((scheduler.next({})->range == ByteRange{0, 4 * mib}));
  BOOST_TEST((scheduler.next({})->range == ByteRange{4 * mib, 8 * mib}));
}

BOOST_AUTO_TEST_CASE(only_holes_are_fetched) {
  ChunkScheduler scheduler;
  const auto blob = scheduler.add(10 * mib, present({{0, 6 * mib}, {7 * mib, 10 * mib}}));
  BOOST_TEST((scheduler.next({})->range == ByteRange{6 * mib, 7 * mib}));
  BOOST_TEST(!scheduler.next({}).has_value());
  BOOST_TEST(!scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(what_did_not_arrive_is_handed_out_again) {
  ChunkScheduler scheduler;
  const auto blob = scheduler.add(2 * mib, {});
  const auto request = scheduler.next({});
  scheduler.returned(*request, 500);
  const auto rest = scheduler.next({});
  BOOST_TEST((rest->range == ByteRange{500, 2 * mib}));
  scheduler.returned(*rest, 2 * mib);
  BOOST_TEST(scheduler.is_settled(blob));
}

BOOST_AUTO_TEST_CASE(a_server_without_ranges_gets_one_request_at_a_time) {
  ChunkScheduler scheduler;
  const auto blob = scheduler.add(100 * mib, {});
  const auto first = scheduler.next({});
  scheduler.set_sequential(blob);
  BOOST_TEST(!scheduler.next({}).has_value());
  scheduler.returned(*first, 1000);
  const auto second = scheduler.next({});
  BOOST_TEST((second->range == ByteRange{1000, 100 * mib}));
  BOOST_TEST(second->is_sequential);
  BOOST_TEST(!scheduler.next({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_restart_wants_everything_again) {
  ChunkScheduler scheduler;
  const auto blob = scheduler.add(5 * mib, {});
  scheduler.returned(*scheduler.next({}), 5 * mib);
  BOOST_TEST(scheduler.is_settled(blob));
  scheduler.restart(blob);
  BOOST_TEST((scheduler.next({})->range == ByteRange{0, 5 * mib}));
}

BOOST_AUTO_TEST_CASE(paused_and_dropped_blobs_are_left_alone) {
  ChunkScheduler scheduler;
  const auto blob = scheduler.add(5 * mib, {});
  scheduler.set_paused(blob, true);
  BOOST_TEST(!scheduler.next({}).has_value());
  scheduler.set_paused(blob, false);
  const auto request = scheduler.next({});
  scheduler.drop(blob);
  scheduler.returned(*request, 0);
  BOOST_TEST(scheduler.is_settled(blob));
  BOOST_TEST(scheduler.unassigned_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(an_empty_blob_needs_nothing) {
  ChunkScheduler scheduler;
  BOOST_TEST(scheduler.is_settled(scheduler.add(0, {})));
  BOOST_TEST(!scheduler.next({}).has_value());
}

// Every byte exactly once without failures, and at a good share of what the connections could carry.
BOOST_AUTO_TEST_CASE(unequal_connections_finish_together) {
  std::mt19937 random(11);  // NOLINT: the same every time
  std::lognormal_distribution<double> spread(0, 0.5);
  double worst = 1;
  double sum = 0;
  constexpr int rounds = 50;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> rates;
    for (int i = 0; i < 8; ++i) rates.push_back(20e6 * spread(random));
    const double efficiency = simulate({200'000'000}, rates, 0.03);
    worst = std::min(worst, efficiency);
    sum += efficiency;
  }
  BOOST_TEST_MESSAGE("mean efficiency " << sum / rounds << ", worst " << worst);
  BOOST_TEST(sum / rounds > 0.78);
  BOOST_TEST(worst > 0.6);
}

BOOST_AUTO_TEST_SUITE_END()
