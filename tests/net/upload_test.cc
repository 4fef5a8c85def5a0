// Requests with bodies.
#include "net/transport.h"
#include "tests/net/transport_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace drover::net {
namespace {

using std::chrono::milliseconds;
using test::LoopbackServer;
using test::Reply;
using test::ServedRequest;

// Gives `text` in pieces of at most `piece` bytes.
BodySource source_of(const std::string& text, std::size_t piece) {
  return [&text, piece, position = std::size_t{0}](std::span<std::byte> space) mutable {
    const std::size_t count = std::min({piece, space.size(), text.size() - position});
    std::memcpy(space.data(), text.data() + position, count);
    position += count;
    return count;
  };
}

struct UploadServer {
  Seen seen{};
  Guarded<std::optional<Reply>> early{};
  LoopbackServer server{[this](const ServedRequest& request) {
                          seen.add(request);
                          return Reply{.status = 201};
                        },
                        [this](const ServedRequest&) { return early.get(); }};
  Transport transport{};
  Context ctx{};
  const std::string payload = pattern(3'000'001);

  UploadServer() { server.listen(); }
  Request upload(const std::string& method) { return request_to(server.origin() + "/upload", method); }
};

BOOST_FIXTURE_TEST_SUITE(upload, UploadServer)

BOOST_AUTO_TEST_CASE(a_source_with_a_size_is_sent_with_a_length) {
  for (const char* method : {"PUT", "POST", "PATCH"}) {
    Request request = upload(method);
    request.source = source_of(payload, 70'000);
    request.source_bytes = payload.size();

    BOOST_TEST(transport.send(ctx, request, 100).status == 201);
    BOOST_TEST(seen.last().method == method);
    BOOST_TEST((seen.last().body == payload));
    BOOST_TEST(seen.last().headers.find("content-length").value() == "3000001");
    BOOST_TEST(!seen.last().headers.find("content-type").has_value());
  }
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_source_without_a_size_is_sent_in_chunks) {
  for (const char* method : {"PUT", "POST", "PATCH"}) {
    Request request = upload(method);
    request.source = source_of(payload, 70'000);

    BOOST_TEST(transport.send(ctx, request, 100).status == 201);
    BOOST_TEST(seen.last().chunked);
    BOOST_TEST((seen.last().body == payload));
    BOOST_TEST(!seen.last().headers.find("content-length").has_value());
  }
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(bodies_in_memory_and_none_at_all) {
  Request request = upload("POST");
  transport.send(ctx, request, 100);
  BOOST_TEST(seen.last().headers.find("content-length").value() == "0");
  BOOST_TEST(!seen.last().chunked);

  request.body = payload;
  transport.send(ctx, request, 100);
  BOOST_TEST((seen.last().body == payload));

  request = upload("DELETE");
  transport.send(ctx, request, 100);
  BOOST_TEST(seen.last().method == "DELETE");
  BOOST_TEST(!seen.last().headers.find("content-length").has_value());

  request = upload("PUT");
  request.source = [](std::span<std::byte>) { return std::size_t{0}; };
  transport.send(ctx, request, 100);
  BOOST_TEST(seen.last().body.empty());
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_early_refusal_is_the_answer) {
  const std::string large(32'000'000, 'x');
  for (const int status : {400, 413, 500}) {
    early = Reply{.status = status, .body = "because", .close = true};
    for (int round = 0; round < 15; ++round) {
      Request request = upload("PUT");
      request.source = source_of(large, round % 2 == 0 ? 1'000'000 : 5000);
      if (round % 3 == 0) request.source_bytes = large.size();

      const Response response = transport.send(ctx, request, 100);

      BOOST_TEST(response.status == status);
      BOOST_TEST(response.body == "because");
    }
  }
}

BOOST_AUTO_TEST_CASE(an_early_refusal_is_seen_behind_a_slow_source) {
  // The peer has answered and hung up while the next piece was being read from a disk: writing it would lose the answer.
  early = Reply{.status = 400, .body = "because"};
  for (const bool is_sized : {true, false}) {
    Request request = upload("POST");
    request.source = [calls = 0](std::span<std::byte> space) mutable {
      if (calls++ > 0) std::this_thread::sleep_for(milliseconds(30));
      std::memset(space.data(), 'x', space.size());
      return space.size();
    };
    if (is_sized) request.source_bytes = 1'000'000'000;

    const Response response = transport.send(ctx, request, 100);

    BOOST_TEST(response.status == 400);
    BOOST_TEST(response.body == "because");
  }
}

BOOST_AUTO_TEST_CASE(an_early_refusal_is_read_to_its_end) {
  // The text comes later than the head, and with it the end of the connection, while the next piece is read from a disk.
  early = Reply{.status = 400, .body = "because", .close = true, .slice_bytes = 4, .slice_delay = milliseconds(50)};
  for (const bool is_sized : {true, false}) {
    Request request = upload("POST");
    request.source = [calls = 0](std::span<std::byte> space) mutable {
      if (calls++ > 0) std::this_thread::sleep_for(milliseconds(30));
      std::memset(space.data(), 'x', space.size());
      return space.size();
    };
    if (is_sized) request.source_bytes = 1'000'000'000;

    const Response response = transport.send(ctx, request, 100);

    BOOST_TEST(response.status == 400);
    BOOST_TEST(response.body == "because");
  }
}

BOOST_AUTO_TEST_CASE(an_early_refusal_over_tls_and_a_unix_socket) {
  const test::TempDir directory;
  test::TestAuthority authority(directory.path());
  const std::size_t tls = server.listen("127.0.0.1", 0, authority.issue());
  server.listen_unix(directory / "s");
  early = Reply{.status = 400, .body = "because", .close = true, .linger = true};
  const std::string large(8'000'000, 'x');
  for (int round = 0; round < 10; ++round) {
    Request request = request_to(server.origin(tls) + "/", "POST");
    request.tls.ca_file = authority.ca_file();
    if (round % 2 == 0) {
      request.url = Url::parse("http://engine/");
      request.unix_socket = directory / "s";
    }
    request.source = source_of(large, 100'000);

    BOOST_TEST(transport.send(ctx, request, 100).body == "because");
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_vanishes_during_an_upload_is_a_network_failure) {
  early = Reply{.raw = " "};
  const std::string large(32'000'000, 'x');
  Request request = upload("PUT");
  request.source = source_of(large, 1'000'000);

  const Failure failure = failure_of([&] { transport.send(ctx, request, 100); });

  BOOST_TEST((failure.code == ErrorCode::network), failure);
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_nothing_is_a_stall) {
  early = Reply{.hang = true};
  const std::string large(64'000'000, 'x');
  Request request = upload("PUT");
  request.source = source_of(large, 1'000'000);
  request.timeouts.stall = milliseconds(300);

  const Failure failure = failure_of([&] { transport.send(ctx, request, 100); });

  BOOST_TEST(failure.has("stalled"), failure);
  BOOST_TEST(failure.has("while the request was sent"), failure);
}

BOOST_AUTO_TEST_CASE(time_that_a_source_takes_is_not_a_stall) {
  Request request = upload("PUT");
  request.timeouts.stall = milliseconds(100);
  request.timeouts.first_byte = milliseconds(100);
  request.source = [calls = 0](std::span<std::byte> space) mutable -> std::size_t {
    std::this_thread::sleep_for(milliseconds(200));
    space[0] = std::byte{'x'};
    return calls++ < 3 ? 1 : 0;
  };

  BOOST_TEST(transport.send(ctx, request, 100).status == 201);
  BOOST_TEST(seen.last().body == "xxx");
}

BOOST_AUTO_TEST_CASE(a_stop_ends_an_upload_to_a_peer_that_takes_nothing) {
  early = Reply{.hang = true};
  const std::string large(64'000'000, 'x');
  Request request = upload("PUT");
  request.source = source_of(large, 1'000'000);
  std::stop_source stop;
  ctx.stop = stop.get_token();
  Guarded<std::chrono::steady_clock::time_point> asked;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(200));
    asked = std::chrono::steady_clock::now();
    stop.request_stop();
  });

  BOOST_TEST((failure_of([&] { transport.send(ctx, request, 100); }).code == ErrorCode::interrupted));
  BOOST_TEST(std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - asked.get()).count() < 200);
}

BOOST_AUTO_TEST_CASE(what_a_source_throws_comes_out_and_nothing_is_taken_for_complete) {
  Request request = upload("PUT");
  request.source = [calls = 0](std::span<std::byte> space) mutable -> std::size_t {
    if (calls++ == 2) throw std::logic_error("disk");
    return space.size();
  };
  BOOST_CHECK_THROW(transport.send(ctx, request, 100), std::logic_error);

  for (const std::size_t announced : {payload.size() - 1, payload.size() + 1}) {
    request = upload("PUT");
    request.source = source_of(payload, 70'000);
    request.source_bytes = announced;
    BOOST_TEST((failure_of([&] { transport.send(ctx, request, 100); }).code == ErrorCode::size_mismatch));
  }
  BOOST_TEST(seen.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_may_stream_while_the_request_does) {
  // As an engine's progress does while it loads an image.
  early = Reply{.body = pattern(300), .chunked = true, .slice_bytes = 100, .slice_delay = milliseconds(20)};
  const std::string large(200'000, 'x');
  Request request = upload("POST");
  request.source = source_of(large, 5000);
  TestSink sink;
  try {
    transport.send(ctx, request, sink);
  } catch (const Error& error) {  // this server hangs up on the unread rest
    BOOST_TEST((error.code() == ErrorCode::network));
  }

  BOOST_TEST((sink.body == pattern(300)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::net
