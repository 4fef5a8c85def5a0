// The small header readers: Content-Range, Link, status classes, and the header list itself.
#include "net/content_range.h"
#include "net/http_failure.h"
#include "net/link_header.h"
#include "net/transport.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(http_header)

namespace {

struct RangeRow {
  std::string text;
  std::string result;  // "first-last/total", "-" for nothing

  friend std::ostream& operator<<(std::ostream& out, const RangeRow& row) { return out << row.text; }
};

std::string number(const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "?"; }

std::string describe(const std::optional<ContentRange>& range) {
  return range ? number(range->first) + "-" + number(range->last) + "/" + number(range->total) : "-";
}

const std::vector<RangeRow> ranges = {
    {"bytes 0-9/10", "0-9/10"},
    {"Bytes 5-5/6", "5-5/6"},
    {"bytes 0-9/*", "0-9/?"},
    {"bytes */10", "?-?/10"},
    {"bytes */0", "?-?/0"},
    {" bytes  0-9/10 ", "0-9/10"},
    {"bytes=0-9/10", "0-9/10"},
    {"bytes 0-18446744073709551614/18446744073709551615", "0-18446744073709551614/18446744073709551615"},
    {"bytes */*", "-"},
    {"bytes 0-10/10", "-"},
    {"bytes 9-0/10", "-"},
    {"bytes -9/10", "-"},
    {"bytes 0-/10", "-"},
    {"bytes 0-9", "-"},
    {"bytes 0-9/", "-"},
    {"bytes 0-9/1x", "-"},
    {"bytes 0-99999999999999999999/*", "-"},
    {"items 0-9/10", "-"},
    {"bytes0-9/10", "-"},
    {"bytes", "-"},
    {"", "-"},
};

struct LinkRow {
  std::string text;
  std::string result;

  friend std::ostream& operator<<(std::ostream& out, const LinkRow& row) { return out << row.text; }
};

const std::vector<LinkRow> links = {
    {"</v2/a/tags/list?n=2&last=b>; rel=\"next\"", "/v2/a/tags/list?n=2&last=b"},
    {"<https://r/v2/a/tags/list?last=b>;rel=next", "https://r/v2/a/tags/list?last=b"},
    {"<x>; title=\"a, b; c\"; REL=\"prev Next\"", "x"},
    {"<p>; rel=prev, <n>; rel=next", "n"},
    {"<a,b>; rel=next", "a,b"},
    {"<x>; title=\"rel=next\"", "-"},
    {"<x>; title=\"\\\"; rel=next\"", "-"},
    {"<x>; rel=\"last\"", "-"},
    {"<x>; rel=nextish", "-"},
    {"<x>", "-"},
    {"<>; rel=next", "-"},
    {"<x; rel=next", "-"},
    {"x; rel=next", "-"},
    {"", "-"},
};

BOOST_DATA_TEST_CASE(content_range, ranges) { BOOST_TEST(describe(parse_content_range(sample.text)) == sample.result); }

BOOST_DATA_TEST_CASE(next_link, links) { BOOST_TEST(find_next_link(sample.text).value_or("-") == sample.result); }

BOOST_AUTO_TEST_CASE(transient_statuses_are_exactly_these) {
  std::vector<int> transient;
  for (int status = 100; status < 600; ++status) {
    if (is_transient_status(status)) transient.push_back(status);
  }

  const std::vector<int> expected = {408, 425, 429, 500, 502, 503, 504};
  BOOST_TEST(transient == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(statuses_have_one_class) {
  BOOST_TEST((classify_status(206) == FailureKind::none));
  BOOST_TEST((classify_status(304) == FailureKind::permanent));
  BOOST_TEST((classify_status(307) == FailureKind::redirect));
  BOOST_TEST((classify_status(401) == FailureKind::authentication));
  BOOST_TEST((classify_status(403) == FailureKind::forbidden));
  BOOST_TEST((classify_status(410) == FailureKind::missing));
  BOOST_TEST((classify_status(416) == FailureKind::range));
  BOOST_TEST((classify_status(429) == FailureKind::rate_limited));
  BOOST_TEST((classify_status(501) == FailureKind::permanent));
}

BOOST_AUTO_TEST_CASE(names_ignore_case_and_the_last_value_counts) {
  Headers headers;
  headers.add("Link", "a");
  headers.add("X", "1");
  headers.add("LINK", "b");

  BOOST_TEST(headers.find("link").value() == "b");
  BOOST_TEST(headers.all("lInk").size() == 2U);
  BOOST_TEST(!headers.find("Lin").has_value());

  headers.set("link", "c");

  BOOST_TEST(headers.list().size() == 2U);
  BOOST_TEST(headers.find("Link").value() == "c");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
