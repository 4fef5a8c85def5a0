// Connections that leave HTTP: over TCP, TLS and unix sockets.
#include "net/raw_stream.h"
#include "tests/net/transport_fixture.h"
#include "tests/net/tiny_proxy.h"
#include "tests/support/loopback_stream.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <cstdlib>
#include <thread>

namespace drover::net {
namespace {

using test::LoopbackServer;
using test::LoopbackStream;
using test::Reply;
using test::ServedRequest;
using test::TempDir;
using test::TestAuthority;

constexpr const char* switched = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

std::string read_all(LoopbackStream& stream) {
  std::string text;
  std::array<char, 4096> space{};
  while (const std::size_t size = stream.read_some(space.data(), space.size())) text.append(space.data(), size);
  return text;
}

std::string read_all(const Context& ctx, RawStream& stream) {
  std::string text;
  std::array<std::byte, 5> space{};
  while (const std::size_t size = stream.read(ctx, space)) text.append(reinterpret_cast<const char*>(space.data()), size);
  return text;
}

// Says hello together with the head, and what it got once the client has ended its side.
Reply echo_at_end(const ServedRequest& request) {
  return {.raw = std::string(switched) + "hello " + request.body + "; ",
          .take_over = [](LoopbackStream& stream) { stream.write_all("got " + read_all(stream)); }};
}

struct Upgrading {
  TempDir directory{};
  TestAuthority authority{directory.path()};
  Seen seen{};
  Guarded<Reply> reply{};
  LoopbackServer server{[this](const ServedRequest& request) {
    seen.add(request);
    const Reply given = reply.get();
    return given.raw.empty() && given.body.empty() && !given.hang ? echo_at_end(request) : given;
  }};
  Transport transport{};
  Context ctx{};

  Request to(const std::string& origin) {
    Request request = request_to(origin + "/attach?stream=1", "POST");
    request.tls.ca_file = authority.ca_file();
    request.body = "{}";
    return request;
  }
  Request to_plain() { return to(server.origin(server.listen())); }

  void check_conversation(const Request& request) {
    Upgrade upgrade = transport.upgrade(ctx, request, 1000);
    BOOST_REQUIRE(upgrade.stream);
    upgrade.stream->write(ctx, as_bytes(std::string_view("one ")));
    upgrade.stream->write(ctx, as_bytes(std::string_view("two")));
    upgrade.stream->end_writing(ctx);
    BOOST_TEST(read_all(ctx, *upgrade.stream) == "hello {}; got one two");
  }

  static std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
};

BOOST_FIXTURE_TEST_SUITE(upgrade, Upgrading)

BOOST_AUTO_TEST_CASE(a_side_can_be_ended_and_the_other_read_over_tcp) {
  check_conversation(to_plain());
  BOOST_TEST(seen.last().method == "POST");
  BOOST_TEST(seen.last().target == "/attach?stream=1");
  BOOST_TEST(seen.last().headers.find("connection").value_or("") == "Upgrade");
  BOOST_TEST(seen.last().headers.find("upgrade").value_or("") == "tcp");
  BOOST_TEST(seen.last().headers.find("host").value_or("") == "127.0.0.1:" + std::to_string(server.port()));
  BOOST_TEST(seen.last().headers.find("user-agent").value_or("") == "drover");
}

BOOST_AUTO_TEST_CASE(a_side_can_be_ended_and_the_other_read_over_tls) {
  check_conversation(to(server.origin(server.listen("127.0.0.1", 0, authority.issue()))));
}

BOOST_AUTO_TEST_CASE(a_side_can_be_ended_and_the_other_read_over_a_unix_socket) {
  server.listen_unix(directory / "engine.sock");
  Request request = to("http://localhost");
  request.unix_socket = directory / "engine.sock";
  check_conversation(request);
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_shown) {
  test::TlsFiles files = authority.issue();
  files.client_ca = authority.ca_file();
  const test::TlsFiles own = authority.issue();
  Request request = to(server.origin(server.listen("127.0.0.1", 0, files)));

  BOOST_TEST((failure_of([&] { transport.upgrade(ctx, request, 1000); }).code == ErrorCode::network));
  request.tls.client_cert = own.certificate;
  request.tls.client_key = own.key;
  check_conversation(request);
  BOOST_TEST(seen.last().has_client_certificate);
}

BOOST_AUTO_TEST_CASE(a_proxy_is_asked_for_a_tunnel) {
  const TinyProxy proxy;
  const Request request = to_plain();
  reply = Reply{.raw = std::string(switched) + "hello"};
  setenv("http_proxy", proxy.origin().c_str(), 1);
  Upgrade upgrade = transport.upgrade(ctx, request, 1000);
  unsetenv("http_proxy");
  BOOST_REQUIRE(upgrade.stream);
  BOOST_TEST(read_all(ctx, *upgrade.stream) == "hello");
  BOOST_TEST(proxy.requests().size() == 1U);
  BOOST_TEST(proxy.requests().at(0).starts_with("CONNECT 127.0.0.1:"));
}

BOOST_AUTO_TEST_CASE(much_goes_both_ways_at_once) {
  const std::string bytes = pattern(3'000'000);
  reply = Reply{.raw = switched, .take_over = [](LoopbackStream& stream) {
                  std::array<char, 4096> space{};
                  while (const std::size_t size = stream.read_some(space.data(), space.size())) stream.write_all({space.data(), size});
                }};
  for (const bool with_tls : {false, true}) {
    const Request request = with_tls ? to(server.origin(server.listen("127.0.0.1", 0, authority.issue()))) : to_plain();
    Upgrade upgrade = transport.upgrade(ctx, request, 1000);
    BOOST_REQUIRE(upgrade.stream);
    std::jthread writer([&] {
      upgrade.stream->write(ctx, as_bytes(bytes));
      upgrade.stream->end_writing(ctx);
    });
    std::string back;
    std::array<std::byte, 70'000> space{};
    while (const std::size_t size = upgrade.stream->read(ctx, space)) back.append(reinterpret_cast<const char*>(space.data()), size);
    BOOST_TEST((back == bytes));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_200_without_a_body_of_its_own_hands_over) {
  reply = Reply{.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nout",
                .take_over = [](LoopbackStream&) {}};
  const Upgrade upgrade = transport.upgrade(ctx, to_plain(), 1000);
  BOOST_REQUIRE(upgrade.stream);
  BOOST_TEST(upgrade.head.status == 200);
  BOOST_TEST(read_all(ctx, *upgrade.stream) == "out");
}

struct RefusalRow {
  const char* name;
  Reply reply;
  int status;
  const char* body;
};

std::ostream& operator<<(std::ostream& out, const RefusalRow& row) { return out << row.name; }

const RefusalRow refusals[] = {
    {"counted", {.status = 404, .body = "no such container"}, 404, "no such container"},
    {"chunked", {.status = 409, .body = "not running", .chunked = true}, 409, "not running"},
    {"until the end", {.status = 500, .body = "broken", .no_length = true}, 500, "broken"},
    {"too long", {.status = 400, .body = std::string(5000, 'x')}, 400, nullptr},
    {"cut", {.status = 400, .body = "half of it", .close_after = 4}, 400, "half"},
    {"an ordinary answer", {.status = 200, .body = "{}"}, 200, ""},
};

BOOST_DATA_TEST_CASE(a_refusal_comes_with_its_words, boost::unit_test::data::make(refusals), row) {
  reply = row.reply;
  const Upgrade upgrade = transport.upgrade(ctx, to_plain(), 1000);

  BOOST_TEST(!upgrade.stream);
  BOOST_TEST(upgrade.head.status == row.status);
  BOOST_TEST(upgrade.body == (row.body == nullptr ? std::string(1000, 'x') : row.body));
}

BOOST_AUTO_TEST_CASE(a_peer_that_says_nothing_is_given_up) {
  reply = Reply{.hang = true};
  Request request = to_plain();
  request.timeouts.first_byte = std::chrono::milliseconds(20);
  const Failure failure = failure_of([&] { transport.upgrade(ctx, request, 1000); });
  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(failure.has("sent no answer within"), failure);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_not_there_or_no_http_is_named) {
  const Failure absent = failure_of([&] { transport.upgrade(ctx, to("http://127.0.0.1:" + std::to_string(test::unused_port())), 1000); });
  BOOST_TEST(absent.has("cannot connect to 127.0.0.1:"), absent);
  reply = Reply{.raw = "220 mail.example ESMTP\r\n\r\n"};
  BOOST_TEST(failure_of([&] { transport.upgrade(ctx, to_plain(), 1000); }).has("does not speak HTTP"));
  reply = Reply{.raw = "HTTP/1.1 101 UPGR"};
  BOOST_TEST(failure_of([&] { transport.upgrade(ctx, to_plain(), 1000); }).has("closed the connection without an answer"));
}

BOOST_AUTO_TEST_CASE(silence_is_ended_by_a_stop_and_by_a_deadline) {
  reply = Reply{.raw = switched, .take_over = [](LoopbackStream& stream) { stream.wait_for_end(); }};
  Upgrade upgrade = transport.upgrade(ctx, to_plain(), 1000);
  BOOST_REQUIRE(upgrade.stream);
  std::array<std::byte, 10> space{};

  const Failure late = failure_of([&] { upgrade.stream->read(ctx.within(std::chrono::milliseconds(20)), space); });
  BOOST_TEST(late.has("deadline"), late);

  std::stop_source stop;
  Context stoppable = ctx;
  stoppable.stop = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  BOOST_TEST((failure_of([&] { upgrade.stream->read(stoppable, space); }).code == ErrorCode::interrupted));
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_nothing_does_not_hold_a_writer) {
  reply = Reply{.raw = switched, .take_over = [](LoopbackStream& stream) { stream.wait_for_end(); }};
  Upgrade upgrade = transport.upgrade(ctx, to_plain(), 1000);
  BOOST_REQUIRE(upgrade.stream);
  const std::string bytes(64'000'000, 'x');
  BOOST_TEST(failure_of([&] { upgrade.stream->write(ctx.within(std::chrono::milliseconds(50)), as_bytes(bytes)); }).has("deadline"));
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_gone_is_a_failure_not_a_signal) {
  for (const bool with_tls : {false, true}) {
    reply = Reply{.raw = switched, .take_over = [](LoopbackStream& stream) { stream.reset(); }};
    const Request request = with_tls ? to(server.origin(server.listen("127.0.0.1", 0, authority.issue()))) : to_plain();
    Upgrade upgrade = transport.upgrade(ctx, request, 1000);
    BOOST_REQUIRE(upgrade.stream);
    const std::string bytes(100'000, 'x');
    BOOST_TEST((failure_of([&] {
                  for (;;) upgrade.stream->write(ctx, as_bytes(bytes));
                }).code == ErrorCode::network));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::net
