#include "registry/signed_url.h"

#include "registry/failure.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(signed_url)

namespace {

struct Row {
  std::string url;
  std::string expected;  // "-": does not say

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.url; }
};

const std::vector<Row> rows = {
    {"/b?X-Amz-Algorithm=A&X-Amz-Date=20260131T080000Z&X-Amz-Expires=600&X-Amz-Signature=s", "2026-01-31T08:10:00Z"},
    {"/b?x-amz-date=20260131T080000Z&x-amz-expires=60", "2026-01-31T08:01:00Z"},
    {"/b?X-Goog-Date=20260131T080000Z&X-Goog-Expires=1200", "2026-01-31T08:20:00Z"},
    {"/b?Expires=1769846400&Signature=x&Key-Pair-Id=k", "2026-01-31T08:00:00Z"},
    {"/b?sv=2021&se=2026-01-31T08%3A00%3A00Z&sig=x", "2026-01-31T08:00:00Z"},
    {"/b?se=2026-01-31T08:00:00.1234567Z", "2026-01-31T08:00:00Z"},
    {"/b?se=2026-01-31T08%3a00Z", "2026-01-31T08:00:00Z"},
    {"/b?exp=1769846400~hmac", "-"},
    {"/b?exp=1769846400", "2026-01-31T08:00:00Z"},
    {"/b", "-"},
    {"/b?", "-"},
    {"/b?X-Amz-Date=20260131T080000Z", "-"},
    {"/b?X-Amz-Date=yesterday&X-Amz-Expires=600", "-"},
    {"/b?X-Amz-Date=20260131T080000Z&X-Amz-Expires=-1", "-"},
    {"/b?Expires=99999999999999999999", "-"},
    {"/b?Expires=Sat", "-"},
    {"/b?se=junk", "-"},
};

}  // namespace

BOOST_DATA_TEST_CASE(tells_when_it_ends, rows) {
  const auto expiry = parse_signed_url_expiry(sample.url);
  BOOST_TEST((expiry ? format_time(*expiry) : "-") == sample.expected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
