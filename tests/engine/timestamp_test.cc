#include "engine/timestamp.h"

#include <boost/test/unit_test.hpp>

using drover::engine::parse_timestamp;
using drover::engine::Timestamp;
using drover::engine::to_seconds_text;

BOOST_AUTO_TEST_SUITE(timestamp)

BOOST_AUTO_TEST_CASE(moments_as_engines_write_them) {
  const struct {
    const char* text;
    const char* seconds;
  } rows[] = {
      {"1970-01-01T00:00:00Z", "0.000000000"},
      {"2023-11-14T22:13:20.123456789Z", "1700000000.123456789"},
      {"2023-11-14T22:13:20.5Z", "1700000000.500000000"},
      {"2023-11-14T22:13:20.1234567891234Z", "1700000000.123456789"},
      {"2023-11-15T00:13:20+02:00", "1700000000.000000000"},
      {"2023-11-14T20:43:20.25-01:30", "1700000000.250000000"},
      {"1969-12-31T23:59:59.750Z", "-1.750000000"},
      {"2024-02-29T12:00:00Z", "1709208000.000000000"},
      {"2261-12-31T23:59:59Z", "9214646399.000000000"},
  };
  for (const auto& row : rows) {
    const auto time = parse_timestamp(row.text);
    BOOST_TEST_CONTEXT(row.text) { BOOST_TEST((time ? to_seconds_text(*time) : "none") == row.seconds); }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_moment_is_nothing) {
  for (const char* text : {"", "0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2023-02-30T00:00:00Z", "2023-13-01T00:00:00Z",
                           "2023-11-14", "2023-11-14T22:13Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z",
                           "2023-11-14T24:00:00Z", "2023-11-14T22:13:20Zx", "2023-11-14T22:13:20+2:00", "2262-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z", "-023-11-14T22:13:20Z", "x023-11-14T22:13:20Z"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_timestamp(text)); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
