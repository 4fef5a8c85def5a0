#include "registry/hosts.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/redirect.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(hosts)

namespace {

struct WayRow {
  std::string registry;
  std::set<std::string> insecure;
  bool has_certificates;
  std::string expected;  // origins, '!' behind those that are not verified

  friend std::ostream& operator<<(std::ostream& out, const WayRow& row) {
    return out << row.registry << (row.has_certificates ? " with certificates" : "");
  }
};

const std::vector<WayRow> ways = {
    {"docker.io", {}, false, "https://registry-1.docker.io:443"},
    {"ghcr.io", {}, false, "https://ghcr.io:443"},
    {"ghcr.io", {"quay.io", "ghcr.io:8080"}, false, "https://ghcr.io:443"},
    {"10.0.0.5:5000", {}, false, "https://10.0.0.5:5000"},
    {"localhost:5000", {}, false, "http://localhost:5000 https://localhost:5000"},
    {"127.0.0.1:5000", {}, false, "http://127.0.0.1:5000 https://127.0.0.1:5000"},
    {"127.8.9.10:5000", {}, false, "http://127.8.9.10:5000 https://127.8.9.10:5000"},
    {"[::1]:5000", {}, false, "http://[::1]:5000 https://[::1]:5000"},
    {"localhost:5000", {}, true, "https://localhost:5000"},
    {"localhost.example:5000", {}, false, "https://localhost.example:5000"},
    {"127.0.0.1.example:5000", {}, false, "https://127.0.0.1.example:5000"},
    {"lan:5000", {"lan:5000"}, false, "https://lan:5000! http://lan:5000"},
    {"lan:5000", {"lan"}, false, "https://lan:5000! http://lan:5000"},
    {"lan:5000", {"lan:5001"}, false, "https://lan:5000"},
    {"lan", {"lan:443"}, false, "https://lan:443! http://lan:80"},
    {"docker.io", {"docker.io"}, false, "https://registry-1.docker.io:443! http://registry-1.docker.io:80"},
    {"[fd00::5]:5000", {"[fd00::5]:5000"}, false, "https://[fd00::5]:5000! http://[fd00::5]:5000"},
};

struct RedirectRow {
  std::string from;
  std::string location;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const RedirectRow& row) { return out << row.from << " -> " << row.location; }
};

const std::vector<RedirectRow> redirects = {
    {"https://a/v2/x", "https://b/y?sig=1", "https://b/y?sig=1"},
    {"https://a/v2/x", "/y", "https://a/y"},
    {"http://a/v2/x", "http://b/y", "http://b/y"},
    {"http://a/v2/x", "https://b/y", "https://b/y"},
    {"https://a/v2/x", "http://b/y?sig=canary", "refused"},
    {"https://a/v2/x", "http://a/y", "refused"},
    {"https://a/v2/x", "file:///etc/passwd", "refused"},
    {"https://a/v2/x", "ftp://b/y", "refused"},
    {"https://a/v2/x", "https://u:canary@b/y", "refused"},
    {"https://a/v2/x", "", "refused"},
};

}  // namespace

BOOST_DATA_TEST_CASE(only_loopback_and_listed_hosts_have_a_second_way, ways) {
  std::optional<HostCertificates> certificates;
  if (sample.has_certificates) certificates = HostCertificates{"/certs", {}};
  std::vector<std::string> found;
  for (const Endpoint& way : endpoints_for(Site{.registry = sample.registry}, sample.insecure, certificates)) {
    found.push_back(way.url.origin() + (way.url.scheme == "https" && !way.tls.verify ? "!" : ""));
  }
  BOOST_TEST(join(found, " ") == sample.expected);
}

struct SiteRow {
  Site site;
  bool is_listed;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const SiteRow& row) { return out << row.expected; }
};

const std::vector<SiteRow> sites = {
    {{.registry = "lan:5000", .scheme = Site::Scheme::https}, false, "https://lan:5000"},
    {{.registry = "lan:5000", .scheme = Site::Scheme::https}, true, "https://lan:5000!"},
    {{.registry = "lan:5000", .scheme = Site::Scheme::https, .is_verified = false}, false, "https://lan:5000!"},
    {{.registry = "lan", .scheme = Site::Scheme::http}, false, "http://lan:80 without a login"},
    {{.registry = "lan:5000", .scheme = Site::Scheme::any}, false, "https://lan:5000! http://lan:5000"},
    {{.registry = "lan", .scheme = Site::Scheme::http}, true, "http://lan:80"},
    {{.registry = "127.0.0.1:5000", .scheme = Site::Scheme::https}, false, "https://127.0.0.1:5000"},
    {{.registry = "127.0.0.1:5000", .scheme = Site::Scheme::http}, false, "http://127.0.0.1:5000"},
    {{.registry = "127.0.0.1:5000"}, false, "http://127.0.0.1:5000 https://127.0.0.1:5000"},
    {{.registry = "127.0.0.1:5000", .tls = {.ca_file = "/ca.pem"}}, false, "https://127.0.0.1:5000"},
    {{.registry = "docker.io", .scheme = Site::Scheme::https}, false, "https://registry-1.docker.io:443"},
};

BOOST_DATA_TEST_CASE(files_decide_how_their_sites_are_reached, sites) {
  std::vector<std::string> found;
  const std::set<std::string> insecure = sample.is_listed ? std::set<std::string>{"lan"} : std::set<std::string>{};
  for (const Endpoint& way : endpoints_for(sample.site, insecure, {})) {
    found.push_back(way.url.origin() + (way.url.scheme == "https" && !way.tls.verify ? "!" : "") + (way.takes_login ? "" : " without a login"));
  }
  BOOST_TEST(join(found, " ") == sample.expected);
}

BOOST_AUTO_TEST_CASE(tls_servers_are_recognised_by_their_words) {
  BOOST_TEST(asks_for_tls(400, "Client sent an HTTP request to an HTTPS server.\n"));
  BOOST_TEST(asks_for_tls(400, "<html><title>400 The plain HTTP request was sent to HTTPS port</title>"));
  BOOST_TEST(!asks_for_tls(400, "bad request"));
  BOOST_TEST(!asks_for_tls(200, "Client sent an HTTP request to an HTTPS server."));
}

BOOST_DATA_TEST_CASE(redirects_lead_to_http_and_https_and_never_down, redirects) {
  std::string result;
  try {
    result = redirect_target(net::Url::parse(sample.from), sample.location).to_string();
  } catch (const Error& error) {
    result = "refused";
    BOOST_TEST((error.code() == ErrorCode::refused));
    BOOST_TEST(std::string(error.what()).find("canary") == std::string::npos);
  }
  BOOST_TEST(result == sample.expected);
}

BOOST_AUTO_TEST_CASE(hosts_that_servers_name_may_not_be_local) {
  const Endpoint registry{net::Url::parse("https://reg.example/"), {}, ""};
  const Endpoint local{net::Url::parse("http://127.0.0.1:5000/"), {}, ""};
  BOOST_TEST((Hosts::policy_for(registry, net::Url::parse("https://other.example/")) == net::AddressPolicy::no_local));
  BOOST_TEST((Hosts::policy_for(registry, net::Url::parse("https://localhost/")) == net::AddressPolicy::no_local));
  BOOST_TEST((Hosts::policy_for(registry, net::Url::parse("https://reg.example:8443/")) == net::AddressPolicy::any));
  BOOST_TEST((Hosts::policy_for(local, net::Url::parse("http://127.0.0.1:6000/")) == net::AddressPolicy::any));
}

BOOST_AUTO_TEST_CASE(certificates_are_found_by_host_and_port) {
  const test::TempDir folder;
  folder.write("one/reg.example:5000/ca.crt", "x");
  folder.write("two/reg.example:5000/client.cert", "x");
  folder.write("two/reg.example:5000/client.key", "x");
  folder.write("two/broken.example/client.cert", "x");
  folder.write("two/empty.example/readme", "x");
  const std::vector<std::filesystem::path> one = {folder / "absent", folder / "one", folder / "two"};
  const std::vector<std::filesystem::path> two = {folder / "two"};

  const auto first = find_certificates(one, "reg.example:5000");
  const auto second = find_certificates(two, "reg.example:5000");

  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(first->tls.ca_file == folder / "one/reg.example:5000");
  BOOST_TEST(first->tls.client_cert.empty());
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST(second->tls.client_cert == folder / "two/reg.example:5000/client.cert");
  BOOST_TEST(second->tls.client_key == folder / "two/reg.example:5000/client.key");
  BOOST_TEST(second->tls.ca_file.empty());
  BOOST_TEST(!find_certificates(two, "reg.example").has_value());
  BOOST_TEST(!find_certificates(two, "empty.example").has_value());
  BOOST_TEST(!find_certificates(two, "../two/reg.example:5000").has_value());
  BOOST_TEST(!find_certificates(two, "..").has_value());
  BOOST_CHECK_THROW(find_certificates(two, "broken.example"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
