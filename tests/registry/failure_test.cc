#include "registry/failure.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(failure)

namespace {

constexpr std::chrono::system_clock::time_point now{std::chrono::seconds(1'704'067'200)};  // 2024-01-01T00:00:00Z

struct Row {
  int status;
  std::string retry_after;
  ErrorCode code;
  std::string text;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.status << " " << row.retry_after; }
};

const std::vector<Row> rows = {
    {404, "", ErrorCode::not_found, "ghcr.io answered 404; check the name and the tag, a private image needs a login as well"},
    {401, "", ErrorCode::authentication, "ghcr.io answered 401; log in with: docker login ghcr.io"},
    {403, "", ErrorCode::authentication, "ghcr.io answered 403; the login may lack the right to pull this"},
    {429, "", ErrorCode::rate_limited, "ghcr.io answered 429; wait, or log in for a higher limit"},
    {429, "90", ErrorCode::rate_limited, "ghcr.io answered 429, to be asked again at 2024-01-01T00:01:30Z; wait, or log in for a higher limit"},
    {503, "Mon, 01 Jan 2024 00:00:10 GMT", ErrorCode::network, "ghcr.io answered 503, to be asked again at 2024-01-01T00:00:10Z"},
    {500, "5", ErrorCode::network, "ghcr.io answered 500"},
    {408, "", ErrorCode::network, "ghcr.io answered 408"},
    {410, "", ErrorCode::failed, "ghcr.io answered 410"},
    {302, "", ErrorCode::failed, "ghcr.io answered 302"},
};

struct WordsRow {
  std::string body;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const WordsRow& row) { return out << row.body; }
};

const std::vector<WordsRow> words = {
    {R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]})", "MANIFEST_UNKNOWN: manifest unknown"},
    {R"({"errors":[{"code":"DENIED"}]})", "DENIED"},
    {R"({"errors":[]})", ""},
    {R"({"errors":null,"details":"incorrect username or password"})", "incorrect username or password"},
    {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><StringToSign>canary</StringToSign></Error>", "AccessDenied"},
    {"<html><body>nothing to see</body></html>", ""},
    {"", ""},
};

}  // namespace

BOOST_DATA_TEST_CASE(statuses_become_errors_with_a_remedy, rows) {
  net::ResponseHead head;
  head.status = sample.status;
  if (!sample.retry_after.empty()) head.headers.set("Retry-After", sample.retry_after);

  const Error error = refusal(head, "", "ghcr.io", "ghcr.io", now);

  BOOST_TEST((error.code() == sample.code));
  BOOST_TEST(error.what() == sample.text);
  BOOST_TEST(error.http_status == sample.status);
}

BOOST_DATA_TEST_CASE(the_servers_own_words_are_found, words) { BOOST_TEST(explain_refusal(sample.body) == sample.expected); }

BOOST_AUTO_TEST_CASE(what_is_final_is_not_tried_again) {
  Error error(ErrorCode::network, "cannot trust r:443");
  BOOST_TEST(is_worth_retrying(error));
  error.is_final = true;
  BOOST_TEST(!is_worth_retrying(error));
  BOOST_TEST(!is_worth_retrying(Error(ErrorCode::not_found, "no such tag")));
}

BOOST_AUTO_TEST_CASE(words_are_printable_and_short) {
  const std::string text = explain_refusal(R"({"errors":[{"code":"X","message":"\u001b[2J)" + std::string(5000, 'a') + R"("}]})");
  BOOST_TEST(text.size() <= 210U);
  BOOST_TEST(text.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
