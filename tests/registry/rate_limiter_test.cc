#include "registry/rate_limiter.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_bytes = 16U << 10U;  // what libcurl hands out at a time
const RateLimiter::TimePoint start{1h};

// Connections to a server without bounds: each takes in what it was granted when it may, and asks at once for the rest of its read.
struct Connections {
  RateLimiter& limiter;
  std::vector<RateLimiter::Grant> waiting;
  std::vector<std::size_t> rest;
  std::vector<std::uint64_t> kept;

  Connections(RateLimiter& l, std::size_t count) : limiter(l), rest(count, read_bytes), kept(count, 0) {
    for (std::size_t i = 0; i < count; ++i) waiting.push_back(limiter.reserve(start, rest[i]));
  }
  void run_until(RateLimiter::TimePoint end) {
    for (;;) {
      const auto next = std::min_element(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
      if (next->at > end) return;
      const auto i = static_cast<std::size_t>(next - waiting.begin());
      kept[i] += next->bytes;
      rest[i] -= next->bytes;
      if (rest[i] == 0) rest[i] = read_bytes;
      waiting[i] = limiter.reserve(next->at, rest[i]);
    }
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t bytes : kept) sum += bytes;
    return sum;
  }
};

struct Row {
  std::string name;
  std::uint64_t rate;
  std::size_t connections;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<Row> rows = {
    {"a kilobyte a second over many connections", 1024, 32}, {"one connection", 100 * 1024, 1}, {"many", 100 * 1024, 16},
    {"a megabyte a second", 1024 * 1024, 16},                 {"a fast one", 100'000'000, 16},  {"a byte a second", 1, 4},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_DATA_TEST_CASE(a_cap_holds_from_the_first_second_on, rows, row) {
  RateLimiter limiter(row.rate);
  Connections connections(limiter, row.connections);

  for (const int seconds : {1, 4, 20}) {
    connections.run_until(start + std::chrono::seconds(seconds));
    const double allowed = static_cast<double>(row.rate) * seconds;
    const double fifth = static_cast<double>(row.rate) / 5;
    BOOST_TEST(static_cast<double>(connections.total()) <= allowed + fifth);
    BOOST_TEST(static_cast<double>(connections.total()) >= allowed - fifth - static_cast<double>(row.connections));
  }
}

BOOST_AUTO_TEST_CASE(all_connections_get_their_share) {
  RateLimiter limiter(100'000);
  Connections connections(limiter, 10);

  connections.run_until(start + 20s);

  for (const std::uint64_t bytes : connections.kept) BOOST_TEST(bytes > 150'000U);
}

BOOST_AUTO_TEST_CASE(without_a_limit_everything_passes_at_once_and_is_counted) {
  RateLimiter limiter(0);
  for (int i = 0; i < 3; ++i) {
    const RateLimiter::Grant grant = limiter.reserve(start, 1'000'000);
    BOOST_TEST(grant.bytes == 1'000'000U);
    BOOST_TEST((grant.at == start));
  }
  BOOST_TEST(limiter.granted_bytes() == 3'000'000U);
}

BOOST_AUTO_TEST_CASE(nobody_waits_long_for_what_an_earlier_rate_owed) {
  RateLimiter limiter(100);
  for (int i = 0; i < 16; ++i) limiter.reserve(start, read_bytes);
  limiter.set_rate(1'000'000);
  const RateLimiter::Grant grant = limiter.reserve(start, read_bytes);
  BOOST_TEST(grant.bytes == read_bytes);
  BOOST_TEST((grant.at <= start + 1s));
}

// A machine that sleeps too long must not lose rate by it; one that did nothing for long must not make up for all of it.
BOOST_AUTO_TEST_CASE(a_short_lateness_is_made_up_for) {
  RateLimiter limiter(1'000'000);
  limiter.reserve(start, 10'000);
  BOOST_TEST((limiter.reserve(start + 60ms, 50'000).at == start + 60ms));
  RateLimiter::Grant grant;
  for (int i = 0; i < 20; ++i) grant = limiter.reserve(start + 60s, 10'000);
  BOOST_TEST((grant.at == start + 60s + 100ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
