// Ranges of blobs, redirects and signed URLs against registries on loopback.
#include "base/parallel.h"
#include "tests/registry/loopback_registry.h"
#include "tests/support/test_certificates.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
std::ostream& operator<<(std::ostream& out, BlobAnswer::Kind kind) {
  return out << (kind == BlobAnswer::Kind::range ? "range" : kind == BlobAnswer::Kind::whole ? "whole" : "too_late");
}
}  // namespace drover::registry

namespace drover::test {
namespace {

using registry::BlobAnswer;
using Kind = BlobAnswer::Kind;

std::string digits(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += static_cast<char>('0' + text.size() % 10);
  return text;
}

struct BlobFixture : Loopback {
  const std::string content = digits(1000);
  Descriptor layer = registry.put_blob(content);
  std::string received;                 // what reached the sink, in order
  std::optional<std::uint64_t> first;   // offset of its first byte

  BlobAnswer fetch(ByteRange range, std::size_t stop_after = SIZE_MAX) {
    received.clear();
    first.reset();
    return client().fetch_range(ctx, registry.reference(), layer, range, [&](std::uint64_t offset, std::span<const std::byte> bytes) {
      if (!first) first = offset;
      BOOST_TEST(offset == *first + received.size());
      if (received.size() >= stop_after) return false;
      received += as_text(bytes);
      return true;
    });
  }

  void answer_blobs(std::function<std::optional<Reply>(const ServedRequest&)> answer) {
    registry.set_hook([answer](const ServedRequest& request) -> std::optional<Reply> {
      return request.path.find("/blobs/") == std::string::npos ? std::nullopt : answer(request);
    });
  }

  bool can_range() { return client().can_range(registry.reference(), layer); }
};

// Object storage on another port; blobs are at /store?<query>.
struct RedirectFixture : BlobFixture {
  LoopbackRegistry storage;
  std::atomic<int> issued{0};
  std::string query = "X-Amz-Date=20240101T000000Z&X-Amz-Expires=600&X-Amz-Signature=canary-signature";

  RedirectFixture() {
    answer_blobs([this](const ServedRequest&) {
      return LoopbackRegistry::redirect(storage.origin() + "/store?n=" + std::to_string(++issued) + "&" + query);
    });
    serve_storage([](const ServedRequest&) { return std::nullopt; });
  }

  void serve_storage(std::function<std::optional<Reply>(const ServedRequest&)> answer) {
    storage.set_hook([this, answer](const ServedRequest& request) -> std::optional<Reply> {
      if (auto reply = answer(request)) return reply;
      return LoopbackRegistry::blob_reply(request, content);
    });
  }
};

struct MangledRow {
  std::string name;
  int status;
  std::string content_range;
  std::string content_type;
  std::string encoding;

  friend std::ostream& operator<<(std::ostream& out, const MangledRow& row) { return out << row.name; }
};

const std::vector<MangledRow> mangled = {
    {"416", 416, "bytes */1000", "", ""},
    {"400", 400, "", "", ""},
    {"other start", 206, "bytes 0-99/1000", "", ""},
    {"other total", 206, "bytes 100-199/999", "", ""},
    {"beyond the end", 206, "bytes 100-1999/*", "", ""},
    {"no content-range", 206, "", "", ""},
    {"unreadable content-range", 206, "lines 1-2/3", "", ""},
    {"multipart", 206, "bytes 100-199/1000", "multipart/byteranges; boundary=x", ""},
    {"compressed", 206, "bytes 100-199/1000", "", "gzip"},
    {"204", 204, "", "", ""},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blob_ranges, BlobFixture)

BOOST_AUTO_TEST_CASE(range_comes_as_asked) {
  BOOST_TEST(fetch({100, 300}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 200));
  BOOST_TEST(first.value() == 100U);
  BOOST_TEST(can_range());
  const ServedRequest last = registry.requests().back();
  BOOST_TEST(last.headers.find("range").value_or("") == "bytes=100-299");
  BOOST_TEST(last.headers.find("accept-encoding").value_or("") == "identity");
}

BOOST_AUTO_TEST_CASE(whole_blob_is_asked_without_a_range) {
  BOOST_TEST(fetch({0, 1000}).kind == Kind::whole);
  BOOST_TEST(received == content);
  BOOST_TEST(!registry.requests().back().headers.find("range").has_value());
  BOOST_TEST(can_range());
}

BOOST_AUTO_TEST_CASE(sink_stops_the_transfer) {
  BOOST_TEST(fetch({100, 300}, 0).kind == Kind::range);
  BOOST_TEST(received == "");
}

BOOST_AUTO_TEST_CASE(ignored_range_is_recognised_and_remembered) {
  answer_blobs([this](const ServedRequest&) { return LoopbackRegistry::status(200, content); });

  BOOST_TEST(fetch({100, 300}).kind == Kind::whole);

  BOOST_TEST(first.value() == 0U);
  BOOST_TEST(received == content);
  BOOST_TEST(!can_range());
  BOOST_TEST(!client().can_range(registry.reference("acme/web:1"), registry.put_blob("other")));
}

BOOST_DATA_TEST_CASE_F(BlobFixture, mangled_range_is_recognised_and_no_byte_passed_on, mangled) {
  answer_blobs([&](const ServedRequest& request) -> std::optional<Reply> {
    if (!request.headers.find("range")) return std::nullopt;
    Reply reply = LoopbackRegistry::status(sample.status, sample.status == 204 ? "" : digits(100));
    if (!sample.content_range.empty()) reply.headers.set("Content-Range", sample.content_range);
    if (!sample.content_type.empty()) reply.headers.set("Content-Type", sample.content_type);
    if (!sample.encoding.empty()) reply.headers.set("Content-Encoding", sample.encoding);
    return reply;
  });

  BOOST_TEST(fetch({100, 200}).kind == Kind::too_late);
  BOOST_TEST(received == "");
  BOOST_TEST(!can_range());
  BOOST_TEST(fetch({0, 1000}).kind == Kind::whole);
  BOOST_TEST(received == content);
}

BOOST_AUTO_TEST_CASE(unknown_total_is_fine) {
  answer_blobs([this](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(206, content.substr(100, 100));
    reply.headers.set("Content-Range", "bytes 100-199/*");
    return reply;
  });
  BOOST_TEST(fetch({100, 200}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 100));
}

BOOST_AUTO_TEST_CASE(clamped_range_is_completed) {
  answer_blobs([this](const ServedRequest& request) {
    const std::uint64_t begin = parse_uint(split(request.headers.find("range").value().substr(6), '-').at(0)).value();
    Reply reply = LoopbackRegistry::status(206, content.substr(begin, 64));
    reply.headers.set("Content-Range", "bytes " + std::to_string(begin) + "-" + std::to_string(begin + 63) + "/1000");
    return reply;
  });
  BOOST_TEST(fetch({100, 292}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 192));
}

BOOST_AUTO_TEST_CASE(more_than_asked_is_cut_off) {
  answer_blobs([this](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(206, content.substr(100));
    reply.headers.set("Content-Range", "bytes 100-999/1000");
    return reply;
  });
  BOOST_TEST(fetch({100, 200}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 100));
}

BOOST_AUTO_TEST_CASE(cut_transfer_keeps_what_came) {
  answer_blobs([this](const ServedRequest& request) {
    Reply reply = LoopbackRegistry::blob_reply(request, content);
    reply.close_after = 50;
    return reply;
  });
  const Error error = failure([&] { fetch({100, 300}); });
  BOOST_TEST((error.code() == ErrorCode::network));
  BOOST_TEST(received == content.substr(100, 50));
}

BOOST_AUTO_TEST_CASE(short_body_without_a_length_is_a_cut) {
  answer_blobs([this](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, content.substr(0, 999));
    reply.chunked = true;
    return reply;
  });
  BOOST_TEST((failure([&] { fetch({0, 1000}); }).code() == ErrorCode::network));
  BOOST_TEST(received.size() == 999U);
}

BOOST_AUTO_TEST_CASE(long_body_without_a_length_is_cut_off) {
  answer_blobs([this](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, content + "extra");
    reply.chunked = true;
    return reply;
  });
  BOOST_TEST(fetch({0, 1000}).kind == Kind::whole);
  BOOST_TEST(received == content);
}

BOOST_AUTO_TEST_CASE(wrong_length_is_refused_before_the_first_byte) {
  answer_blobs([this](const ServedRequest&) { return LoopbackRegistry::status(200, content + "x"); });
  BOOST_TEST((failure([&] { fetch({0, 1000}); }).code() == ErrorCode::size_mismatch));
  BOOST_TEST(received == "");
}

BOOST_AUTO_TEST_CASE(encoded_blob_is_refused) {
  answer_blobs([this](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, content);
    reply.headers.set("Content-Encoding", "gzip");
    return reply;
  });
  BOOST_TEST((failure([&] { fetch({0, 1000}); }).code() == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_CASE(login_page_is_no_blob) {
  answer_blobs([](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, "<html>log in</html>");
    reply.headers.set("Content-Type", "Text/HTML; charset=utf-8");
    return reply;
  });
  const Error error = failure([&] { fetch({0, 1000}); });
  BOOST_TEST((error.code() == ErrorCode::invalid));
  BOOST_TEST(has(error.what(), "captive portal"));
}

BOOST_AUTO_TEST_CASE(refusals_have_their_own_errors) {
  const std::vector<std::pair<int, ErrorCode>> rows = {{404, ErrorCode::not_found},    {403, ErrorCode::authentication}, {429, ErrorCode::rate_limited},
                                                       {500, ErrorCode::network},      {503, ErrorCode::network},        {408, ErrorCode::network},
                                                       {410, ErrorCode::failed}};
  for (const auto& [status, code] : rows) {
    answer_blobs([status = status](const ServedRequest&) { return LoopbackRegistry::status(status); });
    const Error error = failure([&] { fetch({100, 200}); });
    BOOST_TEST((error.code() == code), status << ": " << error.what());
    BOOST_TEST(error.http_status == status);
    BOOST_TEST(has(error.what(), "cannot fetch " + layer.digest.to_string()));
  }
}

BOOST_AUTO_TEST_CASE(waits_before_retries_grow_and_end) {
  const Error cut(ErrorCode::network, "cut");
  for (int attempt = 2; attempt <= options.retry.attempts_max; ++attempt) client().wait_before_retry(ctx, cut, attempt);
  BOOST_CHECK_THROW(client().wait_before_retry(ctx, cut, options.retry.attempts_max + 1), Error);
  BOOST_CHECK_THROW(client().wait_before_retry(ctx, Error(ErrorCode::not_found, "gone"), 2), Error);
  BOOST_TEST(clock.sleeps().size() == static_cast<std::size_t>(options.retry.attempts_max - 1));
  BOOST_TEST(client().counters().retries == clock.sleeps().size());
}

BOOST_AUTO_TEST_CASE(no_part_of_the_blob_is_wrong_use) {
  for (const ByteRange range : {ByteRange{0, 1001}, ByteRange{5, 5}, ByteRange{6, 5}, ByteRange{2000, 3000}}) {
    BOOST_TEST((failure([&] { fetch(range); }).code() == ErrorCode::usage));
  }
}

BOOST_AUTO_TEST_CASE(empty_blob_is_a_blob) {
  const Descriptor empty = registry.put_blob("");
  answer_blobs([](const ServedRequest&) { return LoopbackRegistry::status(200); });
  BOOST_TEST(client().fetch_blob(ctx, registry.reference(), empty, 10) == "");
}

BOOST_AUTO_TEST_CASE(small_blobs_are_verified) {
  BOOST_TEST(client().fetch_blob(ctx, registry.reference(), layer, 1000) == content);
  BOOST_TEST((failure([&] { client().fetch_blob(ctx, registry.reference(), layer, 999); }).code() == ErrorCode::size_mismatch));
  answer_blobs([this](const ServedRequest&) { return LoopbackRegistry::status(200, std::string(content.rbegin(), content.rend())); });
  BOOST_TEST((failure([&] { client().fetch_blob(ctx, registry.reference(), layer, 1000); }).code() == ErrorCode::digest_mismatch));
}

BOOST_AUTO_TEST_CASE(small_blob_that_was_cut_is_fetched_again) {
  std::atomic<int> asked{0};
  answer_blobs([&](const ServedRequest&) -> std::optional<Reply> {
    if (++asked > 2) return std::nullopt;
    Reply reply = LoopbackRegistry::status(200, content);
    reply.reset_after = 10;
    return reply;
  });
  BOOST_TEST(client().fetch_blob(ctx, registry.reference(), layer, 1000) == content);
  BOOST_TEST(clock.sleeps().size() == 2U);
}

BOOST_AUTO_TEST_CASE(foreign_urls_are_not_fetched) {
  LoopbackRegistry elsewhere;
  layer.urls = {elsewhere.origin() + "/layer"};
  fetch({0, 1000});
  BOOST_TEST(elsewhere.requests().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(redirects, RedirectFixture)

BOOST_AUTO_TEST_CASE(one_redirect_serves_many_ranges) {
  for (std::uint64_t begin = 0; begin < 1000; begin += 100) {
    BOOST_TEST(fetch({begin, begin + 100}).kind == Kind::range);
    BOOST_TEST(received == content.substr(begin, 100));
  }
  BOOST_TEST(registry.count("/blobs/") == 1U);
  BOOST_TEST(storage.requests().size() == 10U);
}

BOOST_AUTO_TEST_CASE(eight_threads_ask_the_registry_once) {
  parallel_for_each(ctx, 10, 8, [&](const Context& inner, std::size_t i) {
    std::string piece;
    client().fetch_range(inner, registry.reference(), layer, {i * 100, i * 100 + 100}, [&](std::uint64_t, std::span<const std::byte> bytes) {
      piece += as_text(bytes);
      return true;
    });
    if (piece != content.substr(i * 100, 100)) throw Error(ErrorCode::failed, "wrong bytes");
  });
  BOOST_TEST(registry.count("/blobs/") == 1U);
}

BOOST_AUTO_TEST_CASE(credentials_stay_at_the_registry) {
  log_in();
  TokenServer tokens;
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    if (!tokens.accepts(request)) return LoopbackRegistry::challenge("Bearer realm=\"/token\",service=\"s\"");
    return LoopbackRegistry::redirect(storage.origin() + "/store?" + query);
  });

  fetch({0, 100});
  fetch({100, 200});

  BOOST_TEST(storage.requests().size() == 2U);
  for (const ServedRequest& request : storage.requests()) {
    BOOST_TEST(authorization(request) == "");
    BOOST_TEST(!request.headers.find("cookie").has_value());
  }
}

BOOST_AUTO_TEST_CASE(basic_login_stays_at_the_registry_and_challenges_elsewhere_are_not_answered) {
  log_in();
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request).empty()) return LoopbackRegistry::challenge("Basic realm=\"r\"");
    return LoopbackRegistry::redirect(storage.origin() + "/store");
  });
  serve_storage([](const ServedRequest&) { return LoopbackRegistry::challenge("Basic realm=\"r\""); });

  const Error error = failure([&] { fetch({0, 100}); });

  BOOST_TEST((error.code() == ErrorCode::authentication));
  for (const ServedRequest& request : storage.requests()) BOOST_TEST(authorization(request) == "");
}

BOOST_AUTO_TEST_CASE(way_back_to_the_registry_has_no_credentials) {
  log_in();
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/back") return LoopbackRegistry::status(200, content);
    if (authorization(request).empty()) return LoopbackRegistry::challenge("Basic realm=\"r\"");
    return LoopbackRegistry::redirect(storage.origin() + "/store");
  });
  serve_storage([&](const ServedRequest&) { return LoopbackRegistry::redirect(registry.origin() + "/back"); });

  fetch({0, 1000});

  for (const ServedRequest& request : registry.requests()) {
    if (request.path == "/back") BOOST_TEST(authorization(request) == "");
  }
  BOOST_TEST(registry.count("/back") == 1U);
}

BOOST_AUTO_TEST_CASE(redirect_within_the_registry_keeps_credentials) {
  log_in();
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request).empty()) return LoopbackRegistry::challenge("Basic realm=\"r\"");
    if (request.path == "/inside") return LoopbackRegistry::blob_reply(request, content);
    return LoopbackRegistry::redirect("/inside", 302);
  });
  BOOST_TEST(fetch({100, 200}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 100));
}

const std::vector<int> refusals = {400, 401, 403, 404, 410};

BOOST_DATA_TEST_CASE_F(RedirectFixture, refused_url_is_renewed_at_the_registry, refusals) {
  fetch({0, 100});
  serve_storage([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.parameter("n") == "1") return LoopbackRegistry::status(sample, "<Error><Code>ExpiredToken</Code></Error>");
    return std::nullopt;
  });

  BOOST_TEST(fetch({100, 200}).kind == Kind::range);
  BOOST_TEST(received == content.substr(100, 100));
  BOOST_TEST(fetch({200, 300}).kind == Kind::range);
  BOOST_TEST(registry.count("/blobs/") == 2U);
}

BOOST_AUTO_TEST_CASE(url_that_is_refused_forever_is_an_error_after_one_renewal) {
  fetch({0, 100});
  serve_storage([](const ServedRequest&) { return LoopbackRegistry::status(403, "<Error><Code>AccessDenied</Code></Error>"); });
  const Error error = failure([&] { fetch({100, 200}); });
  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(has(error.what(), "AccessDenied"));
  BOOST_TEST(registry.count("/blobs/") == 2U);
}

BOOST_AUTO_TEST_CASE(url_is_renewed_before_it_expires) {
  fetch({0, 100});
  clock.advance(std::chrono::seconds(580));
  fetch({100, 200});
  BOOST_TEST(registry.count("/blobs/") == 1U);
  clock.advance(std::chrono::seconds(11));
  fetch({200, 300});
  BOOST_TEST(registry.count("/blobs/") == 2U);
}

BOOST_AUTO_TEST_CASE(url_that_does_not_say_when_it_expires_lives_while_it_is_used) {
  query = "sig=canary";
  fetch({0, 100});
  for (int i = 0; i < 5; ++i) {
    clock.advance(std::chrono::seconds(50));
    fetch({100, 200});
  }
  BOOST_TEST(registry.count("/blobs/") == 1U);
  clock.advance(std::chrono::seconds(61));
  fetch({200, 300});
  BOOST_TEST(registry.count("/blobs/") == 2U);
}

BOOST_AUTO_TEST_CASE(url_that_has_expired_on_arrival_is_used_all_the_same) {
  query = "X-Amz-Date=20230101T000000Z&X-Amz-Expires=600";  // the clocks disagree
  fetch({0, 100});
  fetch({100, 200});
  BOOST_TEST(registry.count("/blobs/") == 1U);
}

BOOST_AUTO_TEST_CASE(storage_that_mangles_ranges_is_remembered_for_all_blobs) {
  serve_storage([this](const ServedRequest&) { return LoopbackRegistry::status(200, content); });
  BOOST_TEST(fetch({100, 200}).kind == Kind::whole);
  BOOST_TEST(!can_range());
  BOOST_TEST(!client().can_range(registry.reference("acme/web:1"), registry.put_blob("other")));
}

BOOST_AUTO_TEST_CASE(circles_end) {
  answer_blobs([this](const ServedRequest& request) { return LoopbackRegistry::redirect(registry.origin() + request.target); });
  BOOST_TEST((failure([&] { fetch({0, 100}); }).code() == ErrorCode::network));
  BOOST_TEST(registry.count("/blobs/") == 6U);
}

BOOST_AUTO_TEST_CASE(link_local_targets_are_refused) {
  answer_blobs([](const ServedRequest&) { return LoopbackRegistry::redirect("http://169.254.169.254/latest/meta-data?canary"); });
  const Error error = failure([&] { fetch({0, 100}); });
  BOOST_TEST((error.code() == ErrorCode::refused));
}

BOOST_AUTO_TEST_CASE(no_query_reaches_log_or_error) {
  fetch({0, 100});
  storage.server().cut_connections();
  serve_storage([](const ServedRequest&) { return LoopbackRegistry::status(500, "<Error><Code>Internal</Code></Error>"); });
  const Error error = failure([&] { fetch({100, 200}); });
  BOOST_TEST(!has(error.what(), "X-Amz"));
  BOOST_TEST(!has(log.text(), "X-Amz"));
}

// S07: an unverified registry does not make its storage one.
BOOST_AUTO_TEST_CASE(storage_is_verified_whatever_the_registry_is) {
  TestAuthority unknown(folder.path());
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, unknown.issue());
  const std::size_t secure_storage = storage.server().listen("127.0.0.1", 0, unknown.issue());
  options.insecure_registries = {registry.host(secure)};
  answer_blobs([&](const ServedRequest&) { return LoopbackRegistry::redirect(storage.origin(secure_storage) + "/store"); });

  const Error error = failure([&] { client().fetch_blob(ctx, Reference::parse(registry.host(secure) + "/acme/api:1"), layer, 1000); });

  BOOST_TEST((error.code() == ErrorCode::network));
  BOOST_TEST(has(error.what(), "cannot trust"));
  BOOST_TEST(storage.requests().empty());
}

// S08: never down from TLS, whatever a server says.
BOOST_AUTO_TEST_CASE(tls_registry_cannot_redirect_to_plain_http) {
  TestAuthority good(folder.path(), "good");
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, good.issue());
  folder.write("certs.d/" + registry.host(secure) + "/ca.crt", folder.read("good-ca.pem"));

  const Error error = failure([&] { client().fetch_blob(ctx, Reference::parse(registry.host(secure) + "/acme/api:1"), layer, 1000); });

  BOOST_TEST((error.code() == ErrorCode::refused));
  BOOST_TEST(storage.requests().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::test
