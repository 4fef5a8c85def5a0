#include "cli/exit_code.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::cli;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(exit_codes)

struct Row {
  ErrorCode code;
  int http_status;
  int exit;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << to_string(row.code) << " http " << row.http_status; }

const Row rows[] = {
    {ErrorCode::failed, 0, 1},           {ErrorCode::usage, 0, 2},          {ErrorCode::invalid, 0, 1},        {ErrorCode::invalid, 200, 5},
    {ErrorCode::not_found, 0, 1},        {ErrorCode::not_found, 404, 5},    {ErrorCode::network, 0, 5},        {ErrorCode::network, 503, 5},
    {ErrorCode::authentication, 401, 5}, {ErrorCode::rate_limited, 429, 6}, {ErrorCode::digest_mismatch, 0, 1}, {ErrorCode::digest_mismatch, 200, 1},
    {ErrorCode::size_mismatch, 200, 1},  {ErrorCode::unsupported, 0, 1},    {ErrorCode::unsupported, 200, 5},  {ErrorCode::io, 0, 1},
    {ErrorCode::no_space, 0, 1},         {ErrorCode::locked, 0, 14},        {ErrorCode::refused, 0, 3},        {ErrorCode::data_safety, 0, 13},
    {ErrorCode::platform_missing, 0, 15}, {ErrorCode::interrupted, 0, 130}, {ErrorCode::engine, 0, 1},         {ErrorCode::engine, 500, 1}};

BOOST_DATA_TEST_CASE(every_error_has_its_exit_code, data::make(rows), row) {
  Error error(row.code, "x");
  error.http_status = row.http_status;

  BOOST_TEST(static_cast<int>(exit_code(error)) == row.exit);
}

BOOST_AUTO_TEST_CASE(of_several_failures_the_most_telling_wins) {
  const auto code = [](std::vector<ErrorCode> codes) {
    std::vector<Error> errors;
    for (const ErrorCode c : codes) errors.emplace_back(c, "x");
    return static_cast<int>(exit_code(errors));
  };

  BOOST_TEST(code({}) == 0);
  BOOST_TEST(code({ErrorCode::failed, ErrorCode::network}) == 5);
  BOOST_TEST(code({ErrorCode::network, ErrorCode::rate_limited}) == 6);
  BOOST_TEST(code({ErrorCode::platform_missing, ErrorCode::failed}) == 15);
  BOOST_TEST(code({ErrorCode::rate_limited, ErrorCode::interrupted, ErrorCode::failed}) == 130);
}

BOOST_AUTO_TEST_CASE(a_rate_limit_says_when_to_come_back) {
  using namespace std::chrono_literals;
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'704'067'200)};
  Error error(ErrorCode::rate_limited, "cannot pull redis:7: too many requests");
  error.retry_at = now + 185s;

  BOOST_TEST(error_line(error, now) == "drover: cannot pull redis:7: too many requests; try again at 2024-01-01T00:03:05Z (in 3m05s)");
  BOOST_TEST(error_line(error, now + 1h) == "drover: cannot pull redis:7: too many requests; try again at 2024-01-01T00:03:05Z");
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line_whatever_it_quotes) {
  const Error error(ErrorCode::failed, "server said: a\nb\x1b[31m");

  const std::string line = error_line(error, {});

  BOOST_TEST(line.find('\n') == std::string::npos);
  BOOST_TEST(line.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
