// Certificates, authorities, and which connections may be shared.
#include "net/transport.h"
#include "tests/net/transport_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

namespace drover::net {
namespace {

using test::LoopbackServer;
using test::Reply;
using test::ServedRequest;
using test::TempDir;
using test::TestAuthority;
using test::TlsFiles;

struct TlsServer {
  TempDir directory{};
  TestAuthority authority{directory.path()};
  TestAuthority other_authority{directory.path(), "other"};
  LoopbackServer server{[](const ServedRequest& request) { return Reply{.body = request.has_client_certificate ? "known" : "hello"}; }};
  Transport transport{};
  Context ctx{};

  Request to(std::size_t listener, bool trusted = true) {
    Request request = request_to(server.origin(listener) + "/v2/?token=secret");
    if (trusted) request.tls.ca_file = authority.ca_file();
    return request;
  }
  Failure failure_at(std::size_t listener, bool trusted = true) {
    Failure failure = failure_of([&] { transport.send(ctx, to(listener, trusted), 100); });
    BOOST_TEST((failure.code == ErrorCode::network), failure);
    BOOST_TEST(failure.has("127.0.0.1:" + std::to_string(server.port(listener))), failure);
    BOOST_TEST(!failure.has("secret"), failure);
    return failure;
  }
};

BOOST_FIXTURE_TEST_SUITE(tls, TlsServer)

BOOST_AUTO_TEST_CASE(an_unknown_authority_is_refused_and_a_named_one_trusted) {
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue());

  BOOST_TEST(failure_at(listener, false).has("authority that is unknown here"));
  BOOST_TEST(transport.send(ctx, to(listener), 100).body == "hello");
}

BOOST_AUTO_TEST_CASE(authorities_of_the_transport_and_of_a_request_add_up) {
  const std::size_t first = server.listen("127.0.0.1", 0, authority.issue());
  const std::size_t second = server.listen("127.0.0.1", 0, other_authority.issue());
  Transport both({.ca_file = other_authority.ca_file()});

  BOOST_TEST(both.send(ctx, to(second, false), 100).body == "hello");
  BOOST_TEST(both.send(ctx, to(first), 100).body == "hello");
  BOOST_TEST(both.send(ctx, to(second), 100).body == "hello");
}

BOOST_AUTO_TEST_CASE(a_folder_of_authorities_is_read_whole) {
  const TempDir folder;
  folder.write("a.crt", other_authority.ca_file().empty() ? "" : directory.read("other-ca.pem"));
  folder.write("b.crt", directory.read("test-ca.pem"));
  folder.write("notes.txt", "no certificate");
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue());
  Request request = to(listener, false);
  request.tls.ca_file = folder.path();

  BOOST_TEST(transport.send(ctx, request, 100).body == "hello");
}

BOOST_AUTO_TEST_CASE(each_defect_has_its_own_words) {
  const std::size_t expired = server.listen("127.0.0.1", 0, authority.issue({.valid_from_days = -20, .valid_until_days = -1}));
  const std::size_t early = server.listen("127.0.0.1", 0, authority.issue({.valid_from_days = 2}));
  const std::size_t stranger = server.listen("127.0.0.1", 0, authority.issue({.names = {"registry.example"}}));
  const std::size_t plain = server.listen();

  BOOST_TEST(failure_at(expired).has("has expired"));
  BOOST_TEST(failure_at(early).has("not yet valid"));
  BOOST_TEST(failure_at(stranger).has("for another host name"));
  const Failure failure = failure_of([&] { transport.send(ctx, request_to("https://127.0.0.1:" + std::to_string(server.port(plain))), 100); });
  BOOST_TEST(failure.has("does not speak TLS"), failure);
}

BOOST_AUTO_TEST_CASE(verification_is_off_for_the_one_request_only) {
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue({.names = {"registry.example"}, .valid_from_days = -9, .valid_until_days = -1}));
  Request careless = to(listener, false);
  careless.tls.verify = false;

  BOOST_TEST(transport.send(ctx, careless, 100).body == "hello");
  // Neither its connection nor its TLS session may serve a careful request.
  BOOST_TEST(failure_at(listener).has("has expired"));
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_given_when_asked_for) {
  TlsFiles files = authority.issue();
  files.client_ca = other_authority.ca_file();
  const std::size_t listener = server.listen("127.0.0.1", 0, files);
  const TlsFiles mine = other_authority.issue({.names = {}});
  Request request = to(listener);

  BOOST_TEST(failure_at(listener).has("client certificate"));
  request.tls.client_cert = mine.certificate;
  request.tls.client_key = mine.key;
  BOOST_TEST(transport.send(ctx, request, 100).body == "known");
  // A connection with the certificate is not lent to a request without.
  BOOST_TEST(failure_at(listener).has("client certificate"));
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_or_no_certificates_are_named) {
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue());
  Request request = to(listener);
  request.tls.ca_file = directory / "missing.pem";
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("missing.pem does not exist"));
  request.tls.ca_file = directory.write("empty.pem", "nothing\n");
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("empty.pem holds no certificate"));
  request = to(listener);
  request.tls.client_cert = directory / "me.pem";
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("me.pem"));
}

BOOST_AUTO_TEST_CASE(a_tls_connection_is_kept_and_offers_http2_only_when_asked) {
  const std::size_t listener = server.listen("127.0.0.1", 0, authority.issue());
  for (int i = 0; i < 3; ++i) transport.send(ctx, to(listener), 100);
  BOOST_TEST(server.connections() == 1U);

  Request request = to(listener);
  request.http2 = true;  // this server has HTTP/1.1 only: settled by ALPN
  BOOST_TEST(transport.send(ctx, request, 100).body == "hello");
}

BOOST_AUTO_TEST_CASE(a_cut_in_the_middle_of_a_tls_body) {
  const std::string body = pattern(300'000);
  LoopbackServer cutting([&](const ServedRequest& request) {
    return request.path == "/reset" ? Reply{.body = body, .reset_after = 100'000} : Reply{.body = body, .close_after = 100'000};
  });
  cutting.listen("127.0.0.1", 0, authority.issue());
  for (const char* path : {"/reset", "/close"}) {
    Request request = request_to(cutting.origin() + path);
    request.tls.ca_file = authority.ca_file();
    TestSink sink;

    const Failure failure = failure_of([&] { transport.send(ctx, request, sink); });

    BOOST_TEST((failure.code == ErrorCode::network));
    BOOST_TEST(failure.has("of 300000 bytes"), failure);
    BOOST_TEST(sink.body.size() <= 100'000U);
    BOOST_TEST(sink.body.size() > 50'000U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::net
