#include "cli/deadline.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <ctime>
#include <ostream>
#include <string>
#include <vector>

using namespace drover::cli;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(deadline)

namespace {

// The zone of the process, for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* const before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    if (before_.empty()) ::unsetenv("TZ");
    else ::setenv("TZ", before_.c_str(), 1);
    ::tzset();
  }

 private:
  std::string before_;
};

// Central Europe as a rule, so that no zone files are needed.
constexpr const char* berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::string in_utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::chrono::system_clock::time_point at(const char* text) { return parse_deadline(text, {}).value(); }

struct Row {
  const char* zone;
  const char* now;
  const char* text;
  const char* expected;  // in UTC; empty: nothing

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text << " in " << row.zone << " at " << row.now; }
};

const Row rows[] = {
    // Times of the day: today, tomorrow, at the border.
    {"UTC", "2024-06-15T05:00:00Z", "06:00", "2024-06-15T06:00:00Z"},
    {"UTC", "2024-06-15T06:00:00Z", "06:00", "2024-06-16T06:00:00Z"},
    {"UTC", "2024-06-15T05:59:59Z", "06:00", "2024-06-15T06:00:00Z"},
    {"UTC", "2024-06-15T22:00:00Z", "06:00:30", "2024-06-16T06:00:30Z"},
    {"UTC", "2024-12-31T22:00:00Z", "06:00", "2025-01-01T06:00:00Z"},
    {"UTC", "2024-02-28T22:00:00Z", "00:00", "2024-02-29T00:00:00Z"},
    {berlin, "2024-06-15T20:00:00Z", "06:00", "2024-06-16T04:00:00Z"},
    {berlin, "2024-01-15T20:00:00Z", "06:00", "2024-01-16T05:00:00Z"},
    // The nights in which clocks are moved.
    {berlin, "2024-03-30T20:00:00Z", "06:00", "2024-03-31T04:00:00Z"},
    {berlin, "2024-10-26T20:00:00Z", "06:00", "2024-10-27T05:00:00Z"},
    // Durations.
    {"UTC", "2024-06-15T05:00:00Z", "90m", "2024-06-15T06:30:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "1h30m15s", "2024-06-15T06:30:15Z"},
    {"UTC", "2024-06-15T05:00:00Z", "7d", "2024-06-22T05:00:00Z"},
    {berlin, "2024-03-30T20:00:00Z", "24h", "2024-03-31T20:00:00Z"},
    // RFC 3339.
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00Z", "2024-06-16T06:00:00Z"},
    {berlin, "2024-06-15T05:00:00Z", "2024-06-16T06:00:00+02:00", "2024-06-16T04:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16 06:00:00-03:30", "2024-06-16T09:30:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16t06:00:00.123z", "2024-06-16T06:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
    // Nothing of that kind.
    {"UTC", "2024-06-15T05:00:00Z", "", ""},
    {"UTC", "2024-06-15T05:00:00Z", "6:00", ""},
    {"UTC", "2024-06-15T05:00:00Z", "24:00", ""},
    {"UTC", "2024-06-15T05:00:00Z", "06:60", ""},
    {"UTC", "2024-06-15T05:00:00Z", "06-00", ""},
    {"UTC", "2024-06-15T05:00:00Z", "06:00 ", ""},
    {"UTC", "2024-06-15T05:00:00Z", "06:00:", ""},
    {"UTC", "2024-06-15T05:00:00Z", "6am", ""},
    {"UTC", "2024-06-15T05:00:00Z", "90", ""},
    {"UTC", "2024-06-15T05:00:00Z", "1.5h", ""},
    {"UTC", "2024-06-15T05:00:00Z", "-90m", ""},
    {"UTC", "2024-06-15T05:00:00Z", "99999999999999999999d", ""},
    {"UTC", "2024-06-15T05:00:00Z", "100001d", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2023-02-29T00:00:00Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-13-01T00:00:00Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-00-01T00:00:00Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00+2:00", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00.Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00.5", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-16T06:00:00ZZ", ""},
    // What the clock cannot count.
    {"UTC", "2024-06-15T05:00:00Z", "85000d", "2257-03-06T05:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "100000d", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2262-04-11T00:00:00Z", "2262-04-11T00:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2263-01-01T00:00:00Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "9999-12-31T23:59:59Z", ""},
    {"UTC", "2024-06-15T05:00:00Z", "1600-01-01T00:00:00Z", ""},
};

const Row past_rows[] = {
    {"UTC", "2024-06-15T05:00:00Z", "90m", "2024-06-15T03:30:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-14T03:30:00.5+02:00", "2024-06-14T01:30:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "1718420400", "2024-06-15T03:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "1718420400.25", "2024-06-15T03:00:00Z"},
    {"UTC", "2024-06-15T05:00:00Z", "2024-06-14", "2024-06-14T00:00:00Z"},
    {berlin, "2024-06-15T05:00:00Z", "2024-06-14", "2024-06-13T22:00:00Z"},
    {berlin, "2024-06-15T05:00:00Z", "2024-06-14T08", "2024-06-14T06:00:00Z"},
    {berlin, "2024-06-15T05:00:00Z", "2024-06-14T08:30", "2024-06-14T06:30:00Z"},
    {berlin, "2024-06-15T05:00:00Z", "2024-01-14T08:30:05", "2024-01-14T07:30:05Z"},
    {"UTC", "2024-06-15T05:00:00Z", "yesterday", ""},
    {"UTC", "2024-06-15T05:00:00Z", "", ""},
    {"UTC", "2024-06-15T05:00:00Z", "2024-13-01", ""},
    {"UTC", "2024-06-15T05:00:00Z", "90000000000", ""},
    {"UTC", "2024-06-15T05:00:00Z", "-5", ""},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_past_moment_is_understood_or_nothing, data::make(past_rows), row) {
  const auto now = at(row.now);
  const Zone zone(row.zone);
  const auto found = parse_past_moment(row.text, now);
  BOOST_TEST((found ? in_utc(*found) : std::string()) == row.expected);
}

BOOST_DATA_TEST_CASE(a_time_is_understood_or_nothing, data::make(rows), row) {
  const auto now = at(row.now);
  const Zone zone(row.zone);
  const auto found = parse_deadline(row.text, now);
  BOOST_TEST((found ? in_utc(*found) : std::string()) == row.expected);
}

BOOST_AUTO_TEST_CASE(durations_add_up_to_a_bound) {
  BOOST_TEST((parse_duration("1d2h3m4s") == std::chrono::seconds(93'784)));
  BOOST_TEST((parse_duration("0s") == std::chrono::seconds(0)));
  BOOST_TEST(parse_duration("100000d").has_value());
  BOOST_TEST(!parse_duration("100000d1s").has_value());
  BOOST_TEST(!parse_duration("m").has_value());
  BOOST_TEST(!parse_duration("1h ").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
