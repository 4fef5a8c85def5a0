// The scheduler as a whole, played out: how near to the ideal it comes, and what it does about hosts with rules of their own.
#include "tests/registry/transfer_simulation.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>
#include <random>

using namespace drover::test;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(transfer_simulation)

namespace {

// Fixed rates, lognormal around 20 MB/s.
struct Efficiency {
  double mean = 0;
  double fifth_percentile = 0;
};

Efficiency measure(double megabytes, std::size_t connections, double round_trip, double spread, double open_round_trips,
                   int trials) {
  std::mt19937 random(7);  // NOLINT: the same every time
  std::lognormal_distribution<double> factor(0, spread);
  std::vector<double> found;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> rates(connections);
    std::generate(rates.begin(), rates.end(), [&] { return 20e6 * factor(random); });
    const double ideal = megabytes * 1e6 / std::accumulate(rates.begin(), rates.end(), 0.0);
    const SimulationResult result =
        simulate({.sizes = {static_cast<std::uint64_t>(megabytes * 1e6)},
                  .connections = connections,
                  .host = {.round_trip = round_trip,
                           .open_round_trips = open_round_trips,
                           .rate = [&](std::size_t connection, std::size_t, double) { return rates[connection]; }}});
    BOOST_REQUIRE(result.is_complete);
    found.push_back(ideal / result.seconds);
  }
  std::sort(found.begin(), found.end());
  return {.mean = std::accumulate(found.begin(), found.end(), 0.0) / trials, .fifth_percentile = found[found.size() / 20]};
}

// The same bytes in parts of one size, handed out as connections come free, for comparison; 0: one part a connection.
Efficiency measure_fixed(double megabytes, std::size_t connections, double round_trip, double spread, double part, int trials) {
  std::mt19937 random(7);  // NOLINT
  std::lognormal_distribution<double> factor(0, spread);
  std::vector<double> found;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> rates(connections);
    std::generate(rates.begin(), rates.end(), [&] { return 20e6 * factor(random); });
    std::vector<double> free_at(connections);
    const double size = part > 0 ? part : megabytes / static_cast<double>(connections);
    for (double left = megabytes; left > 1e-9; left -= size) {
      const auto first = std::min_element(free_at.begin(), free_at.end());
      *first += round_trip + 1e6 * std::min(size, left) / rates[static_cast<std::size_t>(first - free_at.begin())];
    }
    const double ideal = megabytes * 1e6 / std::accumulate(rates.begin(), rates.end(), 0.0);
    found.push_back(ideal / *std::max_element(free_at.begin(), free_at.end()));
  }
  std::sort(found.begin(), found.end());
  return {.mean = std::accumulate(found.begin(), found.end(), 0.0) / trials, .fifth_percentile = found[found.size() / 20]};
}

struct Row {
  const char* name;
  double megabytes;
  std::size_t connections;
  double round_trip;
  double spread;
  Efficiency least;  // ideal time to actual
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

// Figures of the simulation that the rules come from (300 trials there): rate-aware requests with taking over.
const Row rows[] = {{"50_mb_8_connections_30_ms", 50, 8, 0.03, 0.5, {0.74, 0.67}},
                    {"200_mb_8_connections_30_ms", 200, 8, 0.03, 0.5, {0.86, 0.84}},
                    {"1_gb_8_connections_30_ms", 1000, 8, 0.03, 0.5, {0.95, 0.94}},
                    {"200_mb_8_connections_150_ms", 200, 8, 0.15, 0.5, {0.71, 0.64}},
                    {"200_mb_16_connections_of_very_unequal_rates", 200, 16, 0.03, 1.0, {0.76, 0.69}}};

// The spread of a mean and of a fifth percentile over so many trials, seen by other seeds.
constexpr double mean_tolerance = 0.005;
constexpr double percentile_tolerance = 0.02;
constexpr int trials = 150;

double steady(std::size_t, std::size_t, double) { return 20e6; }

SimulatedTransfer one_blob(double megabytes) {
  return {.sizes = {static_cast<std::uint64_t>(megabytes * 1e6)},
          .connections = 16,
          .is_adapting = true,
          .host = {.open_round_trips = 2, .rate = steady}};
}

}  // namespace

BOOST_DATA_TEST_CASE(unequal_connections_finish_together, data::make(rows), row) {
  const Efficiency free = measure(row.megabytes, row.connections, row.round_trip, row.spread, 0, trials);
  const Efficiency costly = measure(row.megabytes, row.connections, row.round_trip, row.spread, 2, trials / 3);
  const Efficiency fixed = measure_fixed(row.megabytes, row.connections, row.round_trip, row.spread, 8, trials);
  const Efficiency divided = measure_fixed(row.megabytes, row.connections, row.round_trip, row.spread, 0, trials);
  BOOST_TEST_MESSAGE(row.name << ": mean " << free.mean << ", 5th percentile " << free.fifth_percentile
                              << "; when new connections cost 2 round trips " << costly.mean << ", " << costly.fifth_percentile
                              << "; parts of 8 MB " << fixed.mean << ", " << fixed.fifth_percentile << "; one part each "
                              << divided.mean << ", " << divided.fifth_percentile);
  BOOST_TEST(free.mean >= row.least.mean - mean_tolerance);
  BOOST_TEST(free.fifth_percentile >= row.least.fifth_percentile - percentile_tolerance);
  BOOST_TEST(free.mean > fixed.mean);
  BOOST_TEST(free.mean > divided.mean);
}

BOOST_AUTO_TEST_CASE(many_blobs_end_together) {
  std::mt19937 random(3);  // NOLINT
  std::lognormal_distribution<double> factor(0, 0.5);
  std::vector<double> rates(8);
  std::generate(rates.begin(), rates.end(), [&] { return 20e6 * factor(random); });
  const SimulationResult result =
      simulate({.sizes = {400'000'000, 60'000'000, 30'000'000, 6'000'000, 3'000'000, 500'000, 20'000},
                .connections = 8,
                .host = {.rate = [&](std::size_t connection, std::size_t, double) { return rates[connection]; }}});
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.seconds < 1.12 * 499'520'000 / std::accumulate(rates.begin(), rates.end(), 0.0));
  BOOST_TEST(result.received == 499'520'000U);
}

BOOST_AUTO_TEST_CASE(a_large_blob_has_all_connections_within_half_a_second) {
  const SimulationResult result = simulate(one_blob(400));
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.connections_peak == 16U);
  BOOST_TEST(result.seconds < 1.25 + 0.5);  // 16 connections of 20 MB/s from the first moment would take 1.25
}

// Where each connection needs long enough to be judged by, no more are opened than bring something.
BOOST_AUTO_TEST_CASE(a_slow_link_is_not_crowded) {
  SimulatedTransfer transfer = one_blob(100);
  transfer.host.link_rate = 4e6;
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.seconds < 1.05 * 25);
  BOOST_TEST(result.connections_peak <= 8U);
  BOOST_TEST(result.limit <= 5U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_stops_is_replaced) {
  SimulatedTransfer transfer = one_blob(400);
  transfer.host.rate = [](std::size_t connection, std::size_t opening, double seconds) {
    return connection == 3 && opening == 0 && seconds > 0.8 ? 0 : 20e6;
  };
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.seconds < 1.25 + 1.0);
  BOOST_TEST(result.received < 400'000'000U + 1'000'000U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_crawls_in_a_long_transfer_is_reopened) {
  SimulatedTransfer transfer = one_blob(8000);
  transfer.host.rate = [](std::size_t connection, std::size_t opening, double seconds) {
    return connection == 3 && opening == 0 && seconds > 2 ? 1e6 : 20e6;
  };
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.given_up >= 1U);
  BOOST_TEST(result.seconds < 1.08 * 25);
}

BOOST_AUTO_TEST_CASE(a_server_that_caps_connections_is_left_with_as_many) {
  for (const std::size_t cap : {1U, 3U, 6U}) {
    SimulatedTransfer transfer = one_blob(1000);
    transfer.host.connections_max = cap;
    const SimulationResult result = simulate(transfer);
    BOOST_TEST_CONTEXT("cap " << cap) {
      BOOST_REQUIRE(result.is_complete);
      BOOST_TEST(result.limit <= cap + 1);
      BOOST_TEST(result.refusals <= 16U);
      // Half of the capacity at worst until it is tried again, and never more than was asked twice.
      BOOST_TEST(result.seconds < 2.2 * 50 / static_cast<double>(cap));
      BOOST_TEST(result.received == 1'000'000'000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_lets_surplus_connections_wait_does_not_stop_the_others) {
  SimulatedTransfer transfer = one_blob(2000);
  transfer.host.connections_max = 4;
  transfer.host.excess = SimulatedHost::Excess::unanswered;
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.seconds < 1.2 * 25);
  BOOST_TEST(result.limit <= 5U);
}

BOOST_AUTO_TEST_CASE(a_server_without_ranges_sends_each_blob_once_over_one_connection) {
  SimulatedTransfer transfer = one_blob(100);
  transfer.sizes.push_back(50'000'000);
  transfer.host.has_ranges = false;
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.received == 150'000'000U);
  BOOST_TEST(result.seconds < 5.3);
}

namespace {

// A host whose connections share a link; each of them carries what is left of that.
SimulatedHost link(double megabytes_per_second, double round_trip = 0.03) {
  return {.round_trip = round_trip, .open_round_trips = 2, .rate = steady, .link_rate = megabytes_per_second * 1e6};
}

SimulatedTransfer two_sources(double megabytes, SimulatedHost host, SimulatedHost mirror) {
  return {.sizes = {static_cast<std::uint64_t>(megabytes * 1e6)},
          .connections = 16,
          .is_adapting = true,
          .host = std::move(host),
          .mirrors = {std::move(mirror)}};
}

double share(const SimulationResult& result, std::size_t host) {
  return static_cast<double>(result.received_by_host[host]) / static_cast<double>(result.received);
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_equal_sources_bring_twice_as_much) {
  const SimulationResult alone = simulate(two_sources(400, link(50), {.rate = steady, .connections_max = 0}));
  const SimulationResult both = simulate(two_sources(400, link(50), link(50)));
  BOOST_REQUIRE(both.is_complete);
  BOOST_TEST(both.seconds < 1.25 * 400 / 100);
  BOOST_TEST(both.seconds < 0.7 * alone.seconds);
  BOOST_TEST(share(both, 1) > 0.35);
  BOOST_TEST(share(both, 1) < 0.65);
}

BOOST_AUTO_TEST_CASE(shares_of_a_blob_follow_the_rates) {
  std::mt19937 random(11);  // NOLINT: the same every time
  std::uniform_real_distribution<double> rate(10, 60);
  double sum = 0;
  constexpr int trials = 40;
  for (int trial = 0; trial < trials; ++trial) {
    const double a = rate(random);
    const double b = rate(random);
    const SimulationResult result = simulate(two_sources(300, link(a), link(b)));
    BOOST_REQUIRE(result.is_complete);
    BOOST_TEST(result.received < 300e6 * 1.02);
    BOOST_TEST(share(result, 0) == a / (a + b), boost::test_tools::tolerance(0.5));
    sum += 300 / (a + b) / result.seconds;
  }
  BOOST_TEST_MESSAGE("two sources: mean efficiency " << sum / trials);
  BOOST_TEST(sum / trials > 0.8);
}

BOOST_AUTO_TEST_CASE(a_slow_source_loses_its_share) {
  const SimulationResult alone = simulate(two_sources(400, link(80), {.rate = steady, .connections_max = 0}));
  const SimulationResult result = simulate(two_sources(400, link(80), link(1, 0.2)));
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(share(result, 1) < 0.05);
  BOOST_TEST(result.seconds < 1.1 * alone.seconds);
}

BOOST_AUTO_TEST_CASE(a_source_that_becomes_slow_loses_what_it_had) {
  SimulatedHost fading = link(40);
  fading.rate = [](std::size_t, std::size_t, double seconds) { return seconds < 2 ? 20e6 : 0.2e6; };
  const SimulationResult result = simulate(two_sources(400, link(40), fading));
  BOOST_REQUIRE(result.is_complete);
  // 80 MB from each in the first two seconds, the other 240 from one at 40 MB/s.
  BOOST_TEST(result.seconds < 1.3 * (2 + 240.0 / 40));
}

BOOST_AUTO_TEST_CASE(a_source_that_refuses_is_left_to_the_other) {
  const SimulationResult result = simulate(two_sources(200, link(50), {.rate = steady, .connections_max = 2}));
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST(result.seconds < 200.0 / 50);
  BOOST_TEST(result.refusals <= 6U);
  BOOST_TEST(share(result, 1) > 0.2);
}

// --- small blobs begin at a mirror (host 0), the registry (host 1) is its reserve -------------------------------------------------

namespace {

SimulatedTransfer small_blobs(double mirror_rate, double mirror_round_trip, double registry_rate) {
  return {.sizes = {2'750'000, 900'000, 300'000, 20'000, 2'000, 500},
          .connections = 8,
          .is_adapting = true,
          .host = {.round_trip = mirror_round_trip, .rate = [=](std::size_t, std::size_t, double) { return mirror_rate; }},
          .mirrors = {{.rate = [=](std::size_t, std::size_t, double) { return registry_rate; }}},
          .is_in_reserve = true};
}

const std::vector<ChunkScheduler::HostId> nobody;
const std::vector<ChunkScheduler::HostId> the_mirror = {0};

struct MirrorRow {
  const char* name;
  double rate;
  double round_trip;
  double registry_rate;
  bool is_slow;
  bool is_registry_asked;
  double seconds_max;
};

std::ostream& operator<<(std::ostream& out, const MirrorRow& row) { return out << row.name; }

const MirrorRow mirror_rows[] = {
    {"a_good_mirror", 20e6, 0.03, 80e6, false, false, 0.5},
    {"a_bit_slower_than_the_registry", 5e6, 0.3, 80e6, false, false, 1.5},
    {"late_answers", 20e6, 1.5, 80e6, false, false, 4},
    {"late_answers_and_a_bit_slower", 2e6, 1.5, 80e6, false, false, 5},
    {"it_crawls", 20e3, 0.03, 20e6, true, true, 2.5},
    {"it_answers_too_late", 20e6, 30, 20e6, true, true, 3.5},
    {"nobody_is_faster", 300e3, 0.03, 300e3, false, true, 9.2},
    {"the_registry_is_slower_still", 600e3, 0.03, 100e3, false, true, 5.5},
};

}  // namespace

BOOST_DATA_TEST_CASE(small_blobs_stay_at_the_mirror_unless_it_is_slow, data::make(mirror_rows), row) {
  const SimulationResult result = simulate(small_blobs(row.rate, row.round_trip, row.registry_rate));
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST_MESSAGE(row.name << ": " << result.seconds << " s, bytes " << result.received_by_host[0] << " + " << result.received_by_host[1]
                              << ", requests " << result.requests_by_host[0] << " + " << result.requests_by_host[1]);
  BOOST_TEST((result.slow == (row.is_slow ? the_mirror : nobody)));
  BOOST_TEST((result.requests_by_host[1] > 0) == row.is_registry_asked);
  BOOST_TEST(result.seconds < row.seconds_max);
}

// A registry that cannot be had costs the mirror nothing: what it does not bring comes from where it came from.
BOOST_AUTO_TEST_CASE(a_reserve_that_does_not_answer_changes_nothing) {
  SimulatedTransfer transfer = small_blobs(300e3, 0.03, 1);
  transfer.mirrors[0].round_trip = 100;
  const SimulationResult result = simulate(transfer);
  BOOST_REQUIRE(result.is_complete);
  BOOST_TEST((result.slow != the_mirror));
  BOOST_TEST(result.received_by_host[1] == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
