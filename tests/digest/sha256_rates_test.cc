#include "base/error.h"
#include "digest/sha256_rates.h"
#include "tests/digest/sha256_reference.h"

#include <stop_token>

namespace drover {
namespace {

std::vector<const Sha256Backend*> rows_of_this_cpu() {
  std::vector<const Sha256Backend*> rows;
  for (const Sha256Backend& row : sha256_backends) {
    if (is_runnable(row, cpu_features())) rows.push_back(&row);
  }
  return rows;
}

BOOST_AUTO_TEST_SUITE(sha256_rates)

// However little time there is, nobody is left out.
BOOST_AUTO_TEST_CASE(every_row_has_a_rate_in_every_round) {
  const auto rows = rows_of_this_cpu();

  const auto rates = measure_sha256_rates({}, rows, std::chrono::nanoseconds(1), 3);

  constexpr bool has_openssl = DROVER_OPENSSL != 0;
  BOOST_TEST(openssl_version().empty() != has_openssl);
  BOOST_TEST_REQUIRE(rates.size() == rows.size() + (has_openssl ? 1 : 0));
  for (std::size_t i = 0; i < rates.size(); ++i) {
    BOOST_TEST(rates[i].row == (i < rows.size() ? rows[i] : nullptr));
    BOOST_TEST(rates[i].bytes_per_second.size() == 3U);
    for (const double rate : rates[i].bytes_per_second) BOOST_TEST(rate > 0);
  }
}

BOOST_AUTO_TEST_CASE(it_ends_when_it_is_told_to) {
  std::stop_source stop;
  stop.request_stop();

  BOOST_CHECK_EXCEPTION(measure_sha256_rates({.stop = stop.get_token()}, rows_of_this_cpu(), std::chrono::hours(1), 3), Error,
                        [](const Error& error) { return error.code() == ErrorCode::interrupted; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover
