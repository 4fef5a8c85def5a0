#include "base/retry.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(retry)

namespace {

// 2026-11-21 00:00:00 UTC.
const auto now = std::chrono::system_clock::from_time_t(1795219200);

}  // namespace

BOOST_AUTO_TEST_CASE(delays_double_up_to_the_longest) {
  const RetryPolicy policy{.attempts_max = 20, .first = 200ms, .longest = 1000ms, .patience = 10s};
  BOOST_TEST((next_delay(policy, 2, {}, 0.999999) <= 200ms));
  BOOST_TEST((next_delay(policy, 2, {}, 0.0) == 100ms));
  BOOST_TEST((next_delay(policy, 3, {}, 0.0) == 200ms));
  BOOST_TEST((next_delay(policy, 4, {}, 0.0) == 400ms));
  BOOST_TEST((next_delay(policy, 9, {}, 0.0) == 500ms));
}

BOOST_AUTO_TEST_CASE(it_gives_up) {
  const RetryPolicy policy{.attempts_max = 3, .patience = 10s};
  BOOST_TEST(next_delay(policy, 3, {}, 0.5).has_value());
  BOOST_TEST(!next_delay(policy, 4, {}, 0.5).has_value());
  BOOST_TEST(!next_delay(policy, 2, 11s, 0.5).has_value());
}

BOOST_AUTO_TEST_CASE(the_server_s_wish_is_a_lower_bound) {
  const RetryPolicy policy;
  BOOST_TEST((next_delay(policy, 2, 5s, 0.0) >= 5s));
  BOOST_TEST((next_delay(policy, 2, 5s, 0.99) <= 5501ms));
}

struct Row {
  const char* text;
  int milliseconds;  // -1: not understood
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text; }

const Row forms[] = {
    {"120", 120'000},
    {" 3 ", 3000},
    {"1.5", 1500},
    {"0", 0},
    {"Sat, 21 Nov 2026 00:00:30 GMT", 30'000},
    {"Saturday, 21-Nov-26 00:00:30 GMT", 30'000},
    {"Sat Nov 21 00:00:30 2026", 30'000},
    {"Fri, 20 Nov 2026 00:00:30 GMT", 0},
    {"880.092\xc2\xb5s", 1},
    {"880us", 1},
    {"1m30s", 90'000},
    {"250ms", 250},
    {"-5", -1},
    {"soon", -1},
    {"", -1},
    {"1e9", -1},
    {"5x", -1},
};

BOOST_DATA_TEST_CASE(retry_after_in_every_form, data::make(forms), row) {
  const auto parsed = parse_retry_after(row.text, now);
  BOOST_TEST(parsed.has_value() == (row.milliseconds >= 0));
  if (parsed) BOOST_TEST(parsed->count() == row.milliseconds);
}

BOOST_AUTO_TEST_CASE(random_numbers_are_in_the_unit_interval) {
  for (int i = 0; i < 1000; ++i) {
    const double r = random_unit();
    BOOST_REQUIRE(r >= 0);
    BOOST_REQUIRE(r < 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
