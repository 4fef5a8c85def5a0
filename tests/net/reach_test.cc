// Where a connection may go: address policy and proxies.
#include "net/transport.h"
#include "tests/net/tiny_proxy.h"
#include "tests/net/transport_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

#include <cstdlib>
#include <string>

namespace drover::net {
namespace {

using test::LoopbackServer;
using test::Reply;
using test::ServedRequest;

// An environment variable for the time of one test.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) { setenv(name_.c_str(), value.c_str(), 1); }
  ~Environment() { unsetenv(name_.c_str()); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
};

struct ReachServer {
  LoopbackServer server{[](const ServedRequest& request) { return Reply{.body = "direct " + request.target}; }};
  TinyProxy proxy{};
  Transport transport{};
  Context ctx{};

  ReachServer() { server.listen(); }
  std::string named(const std::string& host) const { return "http://" + host + ":" + std::to_string(server.port()) + "/x"; }
};

BOOST_FIXTURE_TEST_SUITE(reach, ReachServer)

BOOST_AUTO_TEST_CASE(loopback_is_refused_to_hosts_that_a_server_named) {
  for (const char* host : {"127.0.0.1", "localhost", "127.9.8.7", "[::1]", "[::ffff:127.0.0.1]"}) {
    Request request = request_to(named(host));
    request.addresses = AddressPolicy::no_local;

    const Failure failure = failure_of([&] { transport.send(ctx, request, 100); });

    BOOST_TEST((failure.code == ErrorCode::network));
    BOOST_TEST(failure.has("refused to connect to "), failure);
    BOOST_TEST(failure.has("loopback address"), failure);
  }
  BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_opened_under_looser_rules_is_not_lent) {
  Request request = request_to(named("localhost"));
  BOOST_TEST(transport.send(ctx, request, 100).body == "direct /x");
  request.addresses = AddressPolicy::no_local;

  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("loopback address"));
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(metadata_addresses_are_refused_to_everybody) {
  for (const char* host : {"169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]", "100.100.100.200"}) {
    const Failure failure = failure_of([&] { transport.send(ctx, request_to(named(host)), 100); });
    BOOST_TEST(failure.has("refused to connect to "), failure);
  }
}

BOOST_AUTO_TEST_CASE(the_environments_proxy_is_used_by_libcurls_rules) {
  const Environment http("http_proxy", proxy.origin());
  BOOST_TEST(transport.send(ctx, request_to("http://registry.example/v2/?a=b"), 100).body == "proxied GET http://registry.example/v2/?a=b");

  const Environment except("NO_PROXY", "127.0.0.1,.corp.example");
  BOOST_TEST(transport.send(ctx, request_to(named("127.0.0.1")), 100).body == "direct /x");
}

BOOST_AUTO_TEST_CASE(a_request_can_do_without_the_proxy) {
  const Environment http("http_proxy", proxy.origin());
  Request request = request_to(named("127.0.0.1"));
  BOOST_TEST(transport.send(ctx, request, 100).body.starts_with("proxied"));
  request.use_proxy = false;
  BOOST_TEST(transport.send(ctx, request, 100).body == "direct /x");

  const test::TempDir directory;
  server.listen_unix(directory / "s");
  request = request_to("http://docker/y");
  request.unix_socket = directory / "s";
  BOOST_TEST(transport.send(ctx, request, 100).body == "direct /y");
}

BOOST_AUTO_TEST_CASE(tls_goes_through_a_tunnel) {
  const test::TempDir directory;
  test::TestAuthority authority(directory.path());
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue());
  const Environment https("HTTPS_PROXY", proxy.origin());
  Request request = request_to(server.origin(listener) + "/x");
  request.tls.ca_file = authority.ca_file();

  for (int i = 0; i < 2; ++i) {
    TestSink sink;
    const ResponseHead head = transport.send(ctx, request, sink);
    BOOST_TEST(sink.body == "direct /x");
    BOOST_TEST(sink.heads == 1);
    BOOST_TEST(!head.headers.find("proxy-agent").has_value());
  }
  BOOST_TEST(proxy.requests() == std::vector<std::string>{"CONNECT 127.0.0.1:" + std::to_string(server.port(listener))}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_proxy_on_loopback_serves_hosts_that_a_server_named) {
  const Environment http("http_proxy", proxy.origin());
  Request request = request_to("http://cdn.example/x");
  request.addresses = AddressPolicy::no_local;
  BOOST_TEST(transport.send(ctx, request, 100).body.starts_with("proxied"));

  // A host that is written as an address is judged all the same.
  request = request_to(named("127.0.0.1"));
  request.addresses = AddressPolicy::no_local;
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("loopback address"));
  request = request_to("http://169.254.169.254/latest/");
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("link-local address"));
  BOOST_TEST(proxy.requests().size() == 1U);
}

BOOST_AUTO_TEST_CASE(failures_of_a_proxy_never_show_its_password) {
  const Environment https("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:" + std::to_string(proxy.port()));
  proxy.refuse_tunnels();
  const Failure refused = failure_of([&] { transport.send(ctx, request_to("https://registry.example/"), 100); });
  BOOST_TEST(refused.text == "the proxy does not connect to registry.example:443: it answered 403");

  for (const std::string& value : {std::string("socks9://user:hunter2@127.0.0.1:1"), "http://user:hunter2@127.0.0.1:" + std::to_string(test::unused_port()),
                                   std::string("http://user:hunter2@no.such.host.invalid:1"), std::string("http://user:hunter2@127.0.0.1:notaport")}) {
    const Environment bad("HTTPS_PROXY", value);
    const Failure failure = failure_of([&] { transport.send(ctx, request_to("https://registry.example/"), 100); });
    BOOST_TEST((failure.code == ErrorCode::network), failure);
    BOOST_TEST(!failure.has("hunter2"), failure);
  }
}

BOOST_AUTO_TEST_CASE(a_name_without_an_address_says_so) {
  const Failure failure = failure_of([&] { transport.send(ctx, request_to("http://no.such.host.invalid/x"), 100); });

  BOOST_TEST(failure.has("cannot connect to no.such.host.invalid:80: the name has no address"), failure);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::net
