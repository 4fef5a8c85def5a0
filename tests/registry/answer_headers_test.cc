#include "registry/answer_headers.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(answer_headers)

namespace {

struct LinkRow {
  std::string link;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const LinkRow& row) { return out << row.link; }
};

const std::vector<LinkRow> links = {
    {R"(</v2/a/tags/list?n=10&last=b>; rel="next")", "n=10&last=b"},
    {"<https://reg.example/v2/a/tags/list?last=b>; rel=next", "last=b"},
    {"<http://internal:8080/wrong/prefix?last=b>; rel=\"next\"", "last=b"},
    {"<?last=b>; rel=\"next\"", "last=b"},
    {"<?last=b#frag>; rel=\"next\"", "last=b"},
    {R"(</first?x=1>; rel="first", </v2/a/tags/list?last=c>; rel="next")", "last=c"},
    {R"(</prev?x=1>; rel="prev")", ""},
    {"</no/query>; rel=\"next\"", ""},
    {"broken", ""},
    {"", ""},
};

struct LimitRow {
  std::string limit;
  std::string remaining;
  std::string expected;  // "limit/remaining/window", "-" for nothing

  friend std::ostream& operator<<(std::ostream& out, const LimitRow& row) { return out << row.limit << " " << row.remaining; }
};

const std::vector<LimitRow> limits = {
    {"100;w=21600", "76;w=21600", "100/76/21600"}, {"200", "3", "200/3/?"}, {"", "0;w=60", "?/0/60"}, {" 100 ; w=60 ", "", "100/?/60"},
    {"", "", "-"},                                 {"many", "few", "-"},
};

std::string number(const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "?"; }

}  // namespace

BOOST_DATA_TEST_CASE(next_page_is_a_query_only, links) { BOOST_TEST(next_page_query(sample.link) == sample.expected); }

BOOST_DATA_TEST_CASE(rate_limits_as_sent, limits) {
  const auto limit = parse_rate_limit(sample.limit, sample.remaining, "203.0.113.9");
  BOOST_TEST((limit ? number(limit->limit) + "/" + number(limit->remaining) + "/" + number(limit->window_seconds) : "-") == sample.expected);
  if (limit) BOOST_TEST(limit->source == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(content_types_lose_case_and_parameters) {
  net::Headers headers;
  BOOST_TEST(content_type(headers) == "");
  headers.set("Content-Type", "Application/JSON; charset=utf-8");
  BOOST_TEST(content_type(headers) == "application/json");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
