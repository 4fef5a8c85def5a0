#include "net/network_failure.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(network_failure)

namespace {

struct Row {
  long verify_result;
  std::string detail;
  std::string part;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.verify_result << " " << row.part; }
};

const std::vector<Row> rows = {
    {10, "SSL certificate problem: certificate has expired", "has expired"},
    {9, "SSL certificate problem: certificate is not yet valid", "not yet valid; check this machine's clock"},
    {18, "", "authority that is unknown here"},
    {19, "", "authority that is unknown here"},
    {20, "", "authority that is unknown here"},
    {62, "", "another host name"},
    {1, "SSL: no alternative certificate subject name matches target host name 'x'", "another host name"},
    {0, "SSL: certificate subject name 'a' does not match target host name 'b'", "another host name"},
    {23, "SSL certificate problem: certificate revoked", "certificate revoked"},
};

BOOST_DATA_TEST_CASE(certificates_are_refused_for_distinct_reasons, rows) {
  BOOST_TEST(describe_certificate_refusal(sample.verify_result, sample.detail).find(sample.part) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(details_of_proxies_never_get_into_the_text) {
  // libcurl's own words for a bad proxy setting repeat it whole.
  for (int code = 1; code < 100; ++code) {
    if (code == 35 || code == 58 || code == 59 || code == 60) continue;  // TLS, whose words come from OpenSSL
    const Error error = describe({.curl_code = code, .where = "r:443", .detail = "Unsupported proxy scheme for 'socks9://user:hunter2@p'"});
    BOOST_TEST(std::string(error.what()).find("hunter2") == std::string::npos, "code " << code);
    BOOST_TEST((error.code() == ErrorCode::network));
  }
}

BOOST_AUTO_TEST_CASE(only_certificates_are_final) {
  for (const int code : {58, 60, 77}) BOOST_TEST(describe({.curl_code = code, .where = "r:443"}).is_final);
  for (const int code : {6, 7, 18, 28, 35, 52, 55, 56}) BOOST_TEST(!describe({.curl_code = code, .where = "r:443"}).is_final);
}

BOOST_AUTO_TEST_CASE(a_cut_says_how_far_it_came) {
  const Error error = describe({.curl_code = 18, .where = "r:443", .is_request_started = true, .received_bytes = 3, .expected_bytes = 10});

  BOOST_TEST(error.what() == "r:443 closed the connection after 3 of 10 bytes");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
