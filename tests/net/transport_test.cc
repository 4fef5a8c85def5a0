#include "net/transport.h"

#include "tests/net/transport_fixture.h"
#include "tests/support/temp_dir.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace drover::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::LoopbackServer;
using test::Reply;
using test::ServedRequest;
using test::TempDir;

// Answers by path: /bytes/N gives a pattern of N bytes, everything else what was set.
struct Server {
  Guarded<Reply> reply{Reply{.body = "hello"}};
  Seen seen{};
  LoopbackServer server{[this](const ServedRequest& request) {
    seen.add(request);
    return request.path.starts_with("/bytes/") ? Reply{.body = pattern(std::stoul(request.path.substr(7)))} : reply.get();
  }};
  Transport transport{};
  Context ctx{};

  Server() { server.listen(); }
  std::string url(const std::string& target = "/") const { return server.origin() + target; }
};

BOOST_FIXTURE_TEST_SUITE(transport, Server)

BOOST_AUTO_TEST_CASE(an_answer_comes_whole) {
  Reply answer{.status = 404, .body = "hello"};
  answer.headers.add("X-One", "1");
  answer.headers.add("x-one", "2");
  reply = answer;

  const Response response = transport.send(ctx, request_to(url("/a?b=c")), 100);

  BOOST_TEST(response.status == 404);
  BOOST_TEST(response.body == "hello");
  BOOST_TEST(response.headers.all("X-ONE").size() == 2U);
  BOOST_TEST(seen.at(0).target == "/a?b=c");
  BOOST_TEST(seen.at(0).headers.find("host").value() == "127.0.0.1:" + std::to_string(server.port()));
}

BOOST_AUTO_TEST_CASE(requests_ask_for_plain_bytes_and_expect_nothing) {
  transport.send(ctx, request_to(url()), 100);
  Request own = request_to(url(), "PUT");
  own.body = std::string(2'000'000, 'x');
  own.headers.set("Accept-Encoding", "zstd");
  own.headers.set("User-Agent", "me");
  own.headers.set("X-Empty", "");
  transport.send(ctx, own, 100);

  BOOST_TEST(seen.at(0).headers.find("accept-encoding").value() == "identity");
  BOOST_TEST(seen.at(0).headers.find("user-agent").value() == "drover");
  BOOST_TEST(seen.at(1).headers.all("accept-encoding").size() == 1U);
  BOOST_TEST(seen.at(1).headers.find("accept-encoding").value() == "zstd");
  BOOST_TEST(seen.at(1).headers.find("user-agent").value() == "me");
  BOOST_TEST(seen.at(1).headers.find("x-empty").value() == "");
  for (const ServedRequest& request : seen.all()) BOOST_TEST(!request.headers.find("expect").has_value());
}

BOOST_AUTO_TEST_CASE(content_is_never_decoded_and_redirects_never_followed) {
  Reply answer{.status = 307, .body = "\x1f\x8b not really gzip"};
  answer.headers.add("Content-Encoding", "gzip");
  answer.headers.add("Location", url("/elsewhere"));
  reply = answer;

  const Response response = transport.send(ctx, request_to(url()), 100);

  BOOST_TEST(response.status == 307);
  BOOST_TEST(response.body == reply.get().body);
  BOOST_TEST(seen.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_target_is_sent_as_it_is) {
  transport.send(ctx, request_to(url("/a/../b/./c%2Fd?x=[1]|2&y=../z")), 100);

  BOOST_TEST(seen.at(0).target == "/a/../b/./c%2Fd?x=[1]|2&y=../z");
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_for_the_next_request) {
  for (int i = 0; i < 3; ++i) transport.send(ctx, request_to(url("/bytes/100000")), 1'000'000);
  transport.send(ctx, request_to(url(), "HEAD"), 100);
  transport.send(ctx, request_to(url()), 100);

  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(as_many_connections_as_there_were_requests_at_once) {
  reply = Reply{.delay = milliseconds(50)};
  for (int round = 0; round < 3; ++round) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { transport.send(ctx, request_to(url()), 100); });
  }

  BOOST_TEST(server.connections() <= 4U);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_died_is_replaced_silently) {
  for (const char* method : {"GET", "PUT", "POST"}) {
    transport.send(ctx, request_to(url()), 100);
    server.cut_connections();
    Request request = request_to(url(), method);
    if (request.method != "GET") request.body = "payload";

    BOOST_TEST(transport.send(ctx, request, 100).body == "hello");
    BOOST_TEST(seen.last().body == request.body);
  }
}

BOOST_AUTO_TEST_CASE(head_answers_have_a_length_and_no_body) {
  reply = Reply{.body = std::string(5000, 'x')};
  TestSink sink;

  const ResponseHead head = transport.send(ctx, request_to(url(), "HEAD"), sink);

  BOOST_TEST(head.content_length.value() == 5000U);
  BOOST_TEST(sink.body.empty());
  BOOST_TEST(transport.send(ctx, request_to(url(), "HEAD"), std::uint64_t{10}).status == 200);
}

BOOST_AUTO_TEST_CASE(interim_answers_and_trailers_are_passed_over) {
  reply = Reply{.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"};
  TestSink sink;

  const ResponseHead head = transport.send(ctx, request_to(url()), sink);

  BOOST_TEST(head.status == 200);
  BOOST_TEST(sink.heads == 1);
  BOOST_TEST(sink.body == "hello");
  BOOST_TEST(!head.headers.find("link").has_value());
  BOOST_TEST(!head.headers.find("x-sum").has_value());
  BOOST_TEST(!head.content_length.has_value());
}

BOOST_AUTO_TEST_CASE(bodies_without_a_length_end_with_chunks_or_the_connection) {
  reply = Reply{.body = pattern(300'000), .chunked = true};
  BOOST_TEST((transport.send(ctx, request_to(url()), 1'000'000).body == reply.get().body));
  reply = Reply{.body = pattern(300'000), .no_length = true};
  BOOST_TEST((transport.send(ctx, request_to(url()), 1'000'000).body == reply.get().body));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_transfer_within_milliseconds) {
  const std::vector<Reply> silent = {{.hang = true}, {.body = pattern(100'000), .stall_after = 50'000}};
  for (const Reply& answer : silent) {
    reply = answer;
    std::stop_source stop;
    ctx.stop = stop.get_token();
    Guarded<std::chrono::steady_clock::time_point> asked;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(milliseconds(150));
      asked = std::chrono::steady_clock::now();
      stop.request_stop();
    });

    const Failure failure = failure_of([&] { transport.send(ctx, request_to(url()), 1'000'000); });
    const auto took = std::chrono::steady_clock::now() - asked.get();

    BOOST_TEST((failure.code == ErrorCode::interrupted));
    BOOST_TEST(std::chrono::duration_cast<milliseconds>(took).count() < 200);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_start_sends_nothing) {
  std::stop_source stop;
  stop.request_stop();
  ctx.stop = stop.get_token();

  BOOST_TEST((failure_of([&] { transport.send(ctx, request_to(url()), 100); }).code == ErrorCode::interrupted));
  BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_body_that_falls_silent_is_a_stall) {
  reply = Reply{.body = pattern(100'000), .stall_after = 50'000};
  Request request = request_to(url("/x?sig=secret"));
  request.timeouts.stall = milliseconds(300);
  TestSink sink;

  Failure failure{ErrorCode::failed, ""};
  const milliseconds took = time_of([&] { failure = failure_of([&] { transport.send(ctx, request, sink); }); });

  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(failure.has("127.0.0.1:" + std::to_string(server.port()) + " stalled"), failure);
  BOOST_TEST(!failure.has("secret"));
  BOOST_TEST(took.count() >= 300);
  BOOST_TEST(took.count() < 30'000);
  BOOST_TEST(sink.body.size() == 50'000U);
}

BOOST_AUTO_TEST_CASE(a_trickle_below_the_rate_is_a_stall_and_one_above_is_not) {
  reply = Reply{.body = pattern(60), .slice_bytes = 1, .slice_delay = milliseconds(20)};
  Request request = request_to(url());
  request.timeouts.stall = milliseconds(400);
  request.timeouts.stall_bytes_per_second = 1000;
  BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("stalled"));

  request.timeouts.stall = milliseconds(1000);  // of 1200 that it takes; a loaded machine sends nothing for half of one
  request.timeouts.stall_bytes_per_second = 1;
  BOOST_TEST(transport.send(ctx, request, 100).body == reply.get().body);
}

BOOST_AUTO_TEST_CASE(time_that_a_sink_takes_is_not_a_stall) {
  reply = Reply{.body = pattern(200'000), .slice_bytes = 50'000, .slice_delay = milliseconds(10)};
  Request request = request_to(url());
  request.timeouts.stall = milliseconds(100);
  request.timeouts.stall_bytes_per_second = 100'000;
  TestSink sink;
  int pieces = 0;
  sink.piece = [&](auto) {
    if (pieces++ % 4 == 0) std::this_thread::sleep_for(milliseconds(250));
    return true;
  };

  transport.send(ctx, request, sink);

  BOOST_TEST((sink.body == reply.get().body));
}

BOOST_AUTO_TEST_CASE(an_answer_must_begin_in_time_and_end_in_time) {
  reply = Reply{.hang = true};
  Request request = request_to(url());
  request.timeouts.first_byte = milliseconds(200);
  milliseconds took = time_of([&] { BOOST_TEST(failure_of([&] { transport.send(ctx, request, 100); }).has("sent no answer within 0.2s")); });
  BOOST_TEST(took.count() < 30'000);

  reply = Reply{.body = pattern(1000), .slice_bytes = 1, .slice_delay = milliseconds(5)};
  request.timeouts.total = milliseconds(300);
  took = time_of([&] { BOOST_TEST(failure_of([&] { transport.send(ctx, request, 2000); }).has("did not complete the answer within 0.3s")); });
  BOOST_TEST(took.count() < 30'000);
}

BOOST_AUTO_TEST_CASE(bytes_before_a_reset_are_delivered) {
  reply = Reply{.body = pattern(400'000), .reset_after = 300'000};
  TestSink sink;

  const Failure failure = failure_of([&] { transport.send(ctx, request_to(url()), sink); });

  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(failure.has("cut the connection after 300000 of 400000 bytes"), failure);
  BOOST_TEST((sink.body == pattern(400'000).substr(0, 300'000)));
  reply = Reply{.body = "again"};
  BOOST_TEST(transport.send(ctx, request_to(url()), 100).body == "again");
}

BOOST_AUTO_TEST_CASE(an_early_end_is_a_network_failure) {
  reply = Reply{.body = pattern(400'000), .close_after = 1000};
  BOOST_TEST(failure_of([&] { transport.send(ctx, request_to(url()), 1'000'000); }).has("closed the connection after 1000 of 400000 bytes"));

  reply = Reply{.body = pattern(100'000), .chunked = true, .close_after = 1000};
  BOOST_TEST((failure_of([&] { transport.send(ctx, request_to(url()), 1'000'000); }).code == ErrorCode::network));

  reply = Reply{.raw = "HTTP/1.1 200 OK\r\nX: 1\r\n"};
  BOOST_TEST((failure_of([&] { transport.send(ctx, request_to(url()), 1'000'000); }).code == ErrorCode::network));
}

BOOST_AUTO_TEST_CASE(an_unwanted_large_body_closes_the_connection_and_a_small_one_does_not) {
  TestSink uninterested;
  uninterested.head = [](const ResponseHead&) { return false; };

  transport.send(ctx, request_to(url("/bytes/10000")), uninterested);
  transport.send(ctx, request_to(url("/bytes/0")), uninterested);
  transport.send(ctx, request_to(url()), 100);
  BOOST_TEST(server.connections() == 1U);

  transport.send(ctx, request_to(url("/bytes/10000000")), uninterested);
  transport.send(ctx, request_to(url()), 100);
  BOOST_TEST(server.connections() == 2U);
  BOOST_TEST(uninterested.body.empty());
}

BOOST_AUTO_TEST_CASE(a_sink_may_stop_anywhere) {
  TestSink sink;
  sink.piece = [&](auto) { return sink.body.size() < 50'000; };

  const ResponseHead head = transport.send(ctx, request_to(url("/bytes/10000000")), sink);
  BOOST_TEST(head.status == 200);
  BOOST_TEST((sink.body == pattern(sink.body.size())));
  BOOST_TEST(sink.body.size() < 10'000'000U);
  transport.send(ctx, request_to(url()), 100);
  BOOST_TEST(server.connections() == 2U);

  // Content with the last piece: nothing remains, the connection is kept.
  TestSink exact;
  exact.piece = [&](auto) { return exact.body.size() < 50'000; };
  transport.send(ctx, request_to(url("/bytes/50000")), exact);
  BOOST_TEST(exact.body.size() == 50'000U);
  transport.send(ctx, request_to(url()), 100);
  BOOST_TEST(server.connections() == 2U);
}

BOOST_AUTO_TEST_CASE(what_a_sink_throws_comes_out) {
  TestSink at_head;
  at_head.head = [](const ResponseHead&) -> bool { throw std::logic_error("head"); };
  TestSink in_body;
  in_body.piece = [](auto) -> bool { throw std::logic_error("body"); };

  BOOST_CHECK_THROW(transport.send(ctx, request_to(url("/bytes/100000")), at_head), std::logic_error);
  BOOST_CHECK_THROW(transport.send(ctx, request_to(url("/bytes/100000")), in_body), std::logic_error);
  BOOST_TEST(transport.send(ctx, request_to(url()), 100).body == "hello");
}

BOOST_AUTO_TEST_CASE(a_body_in_memory_is_bounded) {
  const auto is_too_large = [](const Error& error) { return error.code() == ErrorCode::size_mismatch; };
  BOOST_TEST(transport.send(ctx, request_to(url("/bytes/1000")), 1000).body.size() == 1000U);
  BOOST_CHECK_EXCEPTION(transport.send(ctx, request_to(url("/bytes/1001")), 1000), Error, is_too_large);

  reply = Reply{.body = pattern(1001), .chunked = true};
  BOOST_CHECK_EXCEPTION(transport.send(ctx, request_to(url()), 1000), Error, is_too_large);
}

BOOST_AUTO_TEST_CASE(heads_are_bounded) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 201; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  std::string long_ones = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 9; ++i) long_ones += "X-" + std::to_string(i) + ": " + std::string(8000, 'x') + "\r\n";
  std::string interim;
  for (int i = 0; i < 5000; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  const std::string end = "Content-Length: 0\r\n\r\n";

  for (const auto& [raw, part] : {std::pair(many + end, "more than 200 headers"), {long_ones + end, "more than 64 KiB of headers"},
                                  {"HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x'), ""}, {interim, "more than 64 KiB of headers"}}) {
    reply = Reply{.raw = raw};
    const Failure failure = failure_of([&] { transport.send(ctx, request_to(url()), 100); });
    BOOST_TEST((failure.code == ErrorCode::network));
    BOOST_TEST(failure.has(part), failure);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_a_network_failure) {
  for (const char* raw : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/0.9\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}) {
    reply = Reply{.raw = raw};
    const Failure failure = failure_of([&] { transport.send(ctx, request_to(url()), 100); });
    BOOST_TEST((failure.code == ErrorCode::network), raw);
    BOOST_TEST(failure.has("127.0.0.1:"), failure);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_connection_names_host_and_port) {
  const std::string where = "127.0.0.1:" + std::to_string(test::unused_port());

  const Failure failure = failure_of([&] { transport.send(ctx, request_to("http://" + where + "/v2/?token=secret"), 100); });

  BOOST_TEST(failure.text == "cannot connect to " + where + ": connection refused");
  BOOST_TEST((failure.code == ErrorCode::network));
}

BOOST_AUTO_TEST_CASE(malformed_requests_are_refused_before_anything_is_sent) {
  std::vector<Request> requests(5, request_to(url()));
  requests[0].url.host = "evil@host";
  requests[1].url.target = "/a b";
  requests[2].method = "GET / HTTP/1.1\r\nX:";
  requests[3].headers.set("X", "a\r\nAuthorization: b");
  requests[4].headers.set("X: y\r\nZ", "a");

  for (const Request& request : requests) {
    BOOST_TEST((failure_of([&] { transport.send(ctx, request, 100); }).code == ErrorCode::invalid));
  }
  BOOST_TEST(seen.empty());
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_a_peer_like_any_other) {
  const TempDir directory;
  server.listen_unix(directory / "engine.sock");
  Request request = request_to("http://docker/version?a=b");
  request.unix_socket = directory / "engine.sock";
  request.addresses = AddressPolicy::no_local;

  BOOST_TEST(transport.send(ctx, request, 100).body == "hello");
  BOOST_TEST(transport.send(ctx, request, 100).body == "hello");
  BOOST_TEST(seen.at(0).headers.find("host").value() == "docker");
  BOOST_TEST(seen.at(1).target == "/version?a=b");
  BOOST_TEST(server.connections() == 1U);

  request.unix_socket = directory / "missing.sock";
  const Failure failure = failure_of([&] { transport.send(ctx, request, 100); });
  BOOST_TEST(failure.has("cannot connect to " + request.unix_socket.string() + ": no such file or directory"), failure);
}

BOOST_AUTO_TEST_CASE(many_threads_share_one_transport) {
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          const std::size_t bytes = static_cast<std::size_t>(t * 10'000 + i);
          if (transport.send(ctx, request_to(url("/bytes/" + std::to_string(bytes))), 1'000'000).body == pattern(bytes)) ++right;
        }
      });
    }
  }
  BOOST_TEST(right == 160);
  BOOST_TEST(server.connections() <= 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::net
