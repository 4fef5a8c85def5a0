// Manifests, tags, rate limits and the choice of scheme against registries on loopback.
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

namespace drover::test {
namespace {

const std::string config_bytes = R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}})";

std::string manifest_bytes(const std::string& note = {}) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
         Digest::of(config_bytes).to_string() + R"(","size":)" + std::to_string(config_bytes.size()) + R"(},"layers":[],"annotations":{"note":")" + note +
         "\"}}";
}

struct DocumentFixture : Loopback {
  const std::string bytes = manifest_bytes();
  Descriptor manifest = registry.put_manifest(bytes, media_type::oci_manifest, "1");

  void answer_manifests(std::function<std::optional<Reply>(const ServedRequest&)> answer) {
    registry.set_hook([answer](const ServedRequest& request) -> std::optional<Reply> {
      return request.path.find("/manifests/") == std::string::npos ? std::nullopt : answer(request);
    });
  }
  Reply reply(const std::string& type = std::string(media_type::oci_manifest)) const {
    Reply made = LoopbackRegistry::status(200, bytes);
    if (!type.empty()) made.headers.set("Content-Type", type);
    return made;
  }
};

struct RetryAfterRow {
  std::string value;
  std::int64_t least_ms;  // -1: reported at once, not waited for

  friend std::ostream& operator<<(std::ostream& out, const RetryAfterRow& row) { return out << row.value; }
};

const std::vector<RetryAfterRow> retry_afters = {
    {"30", 30'000},  {"1.5", 1'500},  {"Mon, 01 Jan 2024 00:01:00 GMT", 60'000}, {"880.092\xc2\xb5s", 1}, {"1m30s", 90'000},
    {"junk", 1},     {"", 1},         {"31536000", -1},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(manifests, DocumentFixture)

BOOST_AUTO_TEST_CASE(fetched_with_digest_type_and_bytes) {
  const registry::FetchedManifest fetched = client().fetch_manifest(ctx, registry.reference());

  BOOST_TEST(fetched.bytes == bytes);
  BOOST_TEST(fetched.descriptor.digest == manifest.digest);
  BOOST_TEST(fetched.descriptor.media_type == media_type::oci_manifest);
  BOOST_TEST(fetched.descriptor.size == bytes.size());
  const ServedRequest last = registry.requests().back();
  for (const std::string_view type : {media_type::oci_index, media_type::oci_manifest, media_type::docker_manifest_list, media_type::docker_manifest,
                                      media_type::docker_schema1, media_type::docker_schema1_signed, std::string_view("*/*")}) {
    BOOST_TEST(has(last.headers.find("accept").value_or(""), type));
  }
  BOOST_TEST(!last.headers.find("range").has_value());
}

BOOST_AUTO_TEST_CASE(missing_digest_header_and_generic_types_are_fine) {
  for (const std::string type : {"", "text/plain; charset=utf-8", "application/json", "application/octet-stream", "Application/VND.oci.image.manifest.v1+JSON;charset=utf-8"}) {
    answer_manifests([&](const ServedRequest&) { return reply(type); });
    BOOST_TEST(client().fetch_manifest(ctx, registry.reference()).descriptor.digest == manifest.digest);
  }
}

BOOST_AUTO_TEST_CASE(lying_digest_header_is_reported_and_the_bytes_count) {
  answer_manifests([&](const ServedRequest&) {
    Reply lying = reply();
    lying.headers.set("Docker-Content-Digest", Digest::of("other").to_string());
    return lying;
  });
  BOOST_TEST(client().fetch_manifest(ctx, registry.reference()).descriptor.digest == manifest.digest);
  BOOST_TEST(log.has(LogLevel::warning, "the bytes count"));
}

BOOST_AUTO_TEST_CASE(sha512_of_the_header_is_taken_over) {
  const Digest digest = Digest::of(bytes, Digest::Algorithm::sha512);
  answer_manifests([&](const ServedRequest&) {
    Reply made = reply();
    made.headers.set("Docker-Content-Digest", digest.to_string());
    return made;
  });
  BOOST_TEST(client().fetch_manifest(ctx, registry.reference()).descriptor.digest == digest);
}

// GHSA-qv35-3gw6-8q4j: a pin was ignored because the header agreed with it.
BOOST_AUTO_TEST_CASE(other_bytes_than_pinned_are_refused_whatever_the_header_says) {
  const Digest pin = Digest::of("what was asked for");
  for (const std::string& claim : {pin.to_string(), manifest.digest.to_string(), std::string()}) {
    answer_manifests([&](const ServedRequest&) {
      Reply made = reply();
      if (!claim.empty()) made.headers.set("Docker-Content-Digest", claim);
      return made;
    });
    const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference().with_digest(pin)); });
    BOOST_TEST((error.code() == ErrorCode::digest_mismatch));
  }
}

BOOST_AUTO_TEST_CASE(login_page_is_no_manifest) {
  answer_manifests([&](const ServedRequest&) { return reply("text/html"); });
  const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference()); });
  BOOST_TEST((error.code() == ErrorCode::invalid));
  BOOST_TEST(has(error.what(), "captive portal"));
}

BOOST_AUTO_TEST_CASE(type_of_header_and_document_must_agree) {
  answer_manifests([&](const ServedRequest&) { return reply(std::string(media_type::oci_index)); });
  BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(endless_manifest_is_stopped) {
  answer_manifests([&](const ServedRequest&) {
    Reply endless = LoopbackRegistry::status(200, std::string(manifest_bytes_max + 1, ' '));
    endless.chunked = true;
    return endless;
  });
  BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(children_must_be_what_their_index_says) {
  const auto code_of = [&](const Descriptor& wanted) {
    return failure([&] { client().fetch_manifest(ctx, registry.reference(), wanted); }).code();
  };
  Descriptor size = manifest;
  ++size.size;
  Descriptor type = manifest;
  type.media_type = media_type::docker_manifest;
  Descriptor huge = manifest;
  huge.size = manifest_bytes_max + 1;
  Descriptor absent = manifest;
  absent.digest = Digest::of("absent");
  manifest.platform = Platform::parse("linux/arm64");

  BOOST_TEST((client().fetch_manifest(ctx, registry.reference(), manifest).descriptor == manifest));
  BOOST_TEST((code_of(size) == ErrorCode::size_mismatch));
  BOOST_TEST((code_of(type) == ErrorCode::invalid));
  BOOST_TEST((code_of(huge) == ErrorCode::size_mismatch));
  BOOST_TEST((code_of(absent) == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(absent_image_has_the_registrys_words) {
  const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference("acme/none:2")); });
  BOOST_TEST((error.code() == ErrorCode::not_found));
  BOOST_TEST(has(error.what(), "cannot read " + registry.host() + "/acme/none:2: " + registry.host() + " answered 404 (NAME_UNKNOWN: not known here)"));
  BOOST_TEST(clock.sleeps().empty());
}

// F02: one failure at the first, second, ... request.
BOOST_AUTO_TEST_CASE(passing_failures_are_retried_with_growing_waits) {
  for (const int status : {408, 500, 502, 503, 504}) {
    std::atomic<int> asked{0};
    answer_manifests([&](const ServedRequest&) -> std::optional<Reply> {
      if (++asked < 4) return LoopbackRegistry::status(status);
      return std::nullopt;
    });
    const std::size_t before = clock.sleeps().size();
    client().fetch_manifest(ctx, registry.reference());
    BOOST_TEST(clock.sleeps().size() == before + 3);
  }
}

BOOST_AUTO_TEST_CASE(lasting_failure_ends) {
  answer_manifests([](const ServedRequest&) { return LoopbackRegistry::status(500); });
  BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::network));
  BOOST_TEST(registry.count("/manifests/") == 5U);
}

BOOST_DATA_TEST_CASE_F(DocumentFixture, retry_after_is_honoured_in_every_form, retry_afters) {
  std::atomic<int> asked{0};
  answer_manifests([&](const ServedRequest&) -> std::optional<Reply> {
    if (++asked > 1) return std::nullopt;
    Reply busy = LoopbackRegistry::status(429, R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]})");
    if (!sample.value.empty()) busy.headers.set("Retry-After", sample.value);
    return busy;
  });

  if (sample.least_ms < 0) {
    for (int i = 0; i < 2; ++i) {  // the second time without asking
      const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference()); });
      BOOST_TEST((error.code() == ErrorCode::rate_limited));
      BOOST_REQUIRE(error.retry_at.has_value());
      BOOST_TEST(has(error.what(), "2024-12-31T00:00:00Z"));
    }
    BOOST_TEST(clock.sleeps().empty());
    BOOST_TEST(asked == 1);
    return;
  }
  client().fetch_manifest(ctx, registry.reference());
  BOOST_REQUIRE(!clock.sleeps().empty());
  BOOST_TEST(clock.sleeps().front().count() >= sample.least_ms);
  BOOST_TEST(clock.sleeps().front().count() <= std::max<std::int64_t>(sample.least_ms * 11 / 10 + 1, 200));
}

BOOST_AUTO_TEST_CASE(one_429_quiets_all_threads) {
  std::atomic<int> asked{0};
  answer_manifests([&](const ServedRequest&) -> std::optional<Reply> {
    if (++asked > 1) return std::nullopt;
    Reply busy = LoopbackRegistry::status(429);
    busy.headers.set("Retry-After", "30");
    return busy;
  });
  failure([&] {
    registry::ClientOptions hasty = options;
    hasty.retry.patience = std::chrono::seconds(5);
    registry::Client impatient(transport, hasty);
    try {
      impatient.fetch_manifest(ctx, registry.reference());
    } catch (const Error&) {
    }
    impatient.fetch_manifest(ctx, registry.reference("acme/other:1"));
  });
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(rate_limits_are_kept) {
  answer_manifests([&](const ServedRequest&) {
    Reply limited = reply();
    limited.headers.set("RateLimit-Limit", "100;w=21600");
    limited.headers.set("RateLimit-Remaining", "42;w=21600");
    limited.headers.set("Docker-RateLimit-Source", "203.0.113.9");
    return limited;
  });
  BOOST_TEST(!client().rate_limit(registry.host()).has_value());
  client().fetch_manifest(ctx, registry.reference());
  const auto limit = client().rate_limit(registry.host());
  BOOST_TEST(client().manifests_by_tag(registry.host()) > 0U);
  BOOST_REQUIRE(limit.has_value());
  BOOST_TEST(limit->limit.value() == 100U);
  BOOST_TEST(limit->remaining.value() == 42U);
  BOOST_TEST(limit->window_seconds.value() == 21600U);
}

BOOST_AUTO_TEST_CASE(requests_and_bytes_are_counted) {
  client().fetch_manifest(ctx, registry.reference());
  BOOST_TEST(client().counters().requests == registry.requests().size());
  BOOST_TEST(client().counters().bytes == bytes.size());
}

BOOST_AUTO_TEST_CASE(stop_ends_a_wait) {
  std::stop_source stop;
  ctx.stop = stop.get_token();
  answer_manifests([&](const ServedRequest&) {
    stop.request_stop();
    return LoopbackRegistry::status(503);
  });
  BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::interrupted));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(heads, DocumentFixture)

BOOST_AUTO_TEST_CASE(proper_head_is_believed) {
  const auto head = client().head_manifest(ctx, registry.reference());
  BOOST_REQUIRE(head.has_value());
  BOOST_TEST(head->digest == manifest.digest);
  BOOST_TEST(head->media_type == media_type::oci_manifest);
  BOOST_TEST(head->size == bytes.size());
  BOOST_TEST(registry.requests().back().method == "HEAD");
}

BOOST_AUTO_TEST_CASE(odd_heads_are_nothing) {
  const Digest digest = manifest.digest;
  const auto answers = [&](int status, const std::string& type, const std::string& claim, bool has_length) {
    answer_manifests([=](const ServedRequest&) {
      Reply made = LoopbackRegistry::status(status, "x");
      if (!type.empty()) made.headers.set("Content-Type", type);
      if (!claim.empty()) made.headers.set("Docker-Content-Digest", claim);
      made.chunked = !has_length;
      return made;
    });
    return client().head_manifest(ctx, registry.reference()).has_value();
  };
  const std::string type(media_type::oci_manifest);
  BOOST_TEST(answers(200, type, digest.to_string(), true));
  BOOST_TEST(!answers(405, type, digest.to_string(), true));
  BOOST_TEST(!answers(404, "", "", true));
  BOOST_TEST(!answers(400, "", "", true));
  BOOST_TEST(!answers(204, type, digest.to_string(), true));
  BOOST_TEST(!answers(200, "text/plain", digest.to_string(), true));
  BOOST_TEST(!answers(200, "text/html", digest.to_string(), true));
  BOOST_TEST(!answers(200, type, "", true));
  BOOST_TEST(!answers(200, type, "sha256:junk", true));
  BOOST_TEST(!answers(200, type, digest.to_string(), false));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(tags, DocumentFixture)

std::string page(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ",\"") + name + "\"";
  return R"({"name":"acme/api","tags":[)" + list + "]}";
}

BOOST_AUTO_TEST_CASE(pages_are_followed_by_link) {
  registry.set_hook([](const ServedRequest& request) {
    const std::string last = request.parameter("last").value_or("");
    Reply reply = LoopbackRegistry::status(200, last.empty() ? page({"1", "2"}) : last == "2" ? page({"3", "2", "bad tag"}) : page({"4"}));
    // Relative, with a wrong host and prefix, without quotes: all seen.
    if (last.empty()) reply.headers.set("Link", R"(</v2/acme/api/tags/list?last=2&n=2>; rel="next")");
    if (last == "2") reply.headers.set("Link", "<http://internal:80/artifactory/tags/list?last=3&n=2>; rel=next");
    return reply;
  });
  BOOST_TEST(join(client().list_tags(ctx, registry.reference()), " ") == "1 2 3 4");
  BOOST_TEST(registry.count("/v2/acme/api/tags/list?") == 3U);
}

BOOST_AUTO_TEST_CASE(full_page_without_link_is_followed_by_last) {
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back("t" + std::to_string(1000 + i));
  registry.set_hook([&](const ServedRequest& request) {
    return LoopbackRegistry::status(200, request.parameter("last") == "t1999" ? page({"u"}) : page(many));
  });
  BOOST_TEST(client().list_tags(ctx, registry.reference()).size() == 1001U);
  BOOST_TEST(registry.count("/tags/list") == 2U);
}

BOOST_AUTO_TEST_CASE(circles_end) {
  registry.set_hook([](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, page({"1", "2"}));
    reply.headers.set("Link", "<?last=2>; rel=\"next\"");
    return reply;
  });
  BOOST_TEST(join(client().list_tags(ctx, registry.reference()), " ") == "1 2");
  BOOST_TEST(registry.count("/tags/list") == 2U);
}

BOOST_AUTO_TEST_CASE(pages_without_anything_new_end) {
  std::atomic<int> page_number{0};
  registry.set_hook([&](const ServedRequest&) {
    Reply reply = LoopbackRegistry::status(200, page({"1", "2"}));
    reply.headers.set("Link", "<?last=" + std::to_string(++page_number) + ">; rel=\"next\"");
    return reply;
  });
  BOOST_TEST(join(client().list_tags(ctx, registry.reference()), " ") == "1 2");
  BOOST_TEST(registry.count("/tags/list") == 2U);
}

BOOST_AUTO_TEST_CASE(another_host_is_never_asked) {
  LoopbackRegistry other;
  registry.set_hook([&](const ServedRequest& request) {
    Reply reply = LoopbackRegistry::status(200, request.parameter("last") ? page({"2"}) : page({"1"}));
    if (!request.parameter("last")) reply.headers.set("Link", "<" + other.origin() + "/v2/acme/api/tags/list?last=1>; rel=\"next\"");
    return reply;
  });
  BOOST_TEST(join(client().list_tags(ctx, registry.reference()), " ") == "1 2");
  BOOST_TEST(other.requests().empty());
}

BOOST_AUTO_TEST_CASE(odd_lists_are_empty_or_named) {
  for (const std::string body : {R"({"tags":null})", R"({"name":"x"})", R"({"tags":[1,{}]})"}) {
    registry.set_hook([&](const ServedRequest&) { return LoopbackRegistry::status(200, body); });
    BOOST_TEST(client().list_tags(ctx, registry.reference()).empty());
  }
  registry.set_hook([&](const ServedRequest&) { return LoopbackRegistry::status(200, "<html>"); });
  BOOST_TEST((failure([&] { client().list_tags(ctx, registry.reference()); }).code() == ErrorCode::invalid));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(schemes, DocumentFixture)

BOOST_AUTO_TEST_CASE(loopback_speaks_plain_http_first) {
  client().fetch_manifest(ctx, registry.reference());
  BOOST_TEST(registry.requests().size() == 1U);  // the answer itself says that it is so
  BOOST_TEST(has(join(client().explain(registry.reference()), "\n"), "endpoint: http://" + registry.host() + " (plain http: loopback)"));
}

BOOST_AUTO_TEST_CASE(loopback_with_tls_is_verified) {
  TestAuthority authority(folder.path());
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, authority.issue());
  const Reference reference = Reference::parse(registry.host(secure) + "/acme/api:1");

  const Error error = failure([&] { client().fetch_manifest(ctx, reference); });
  BOOST_TEST((error.code() == ErrorCode::network));
  BOOST_TEST(error.is_final);  // asking again changes no certificate

  net::Transport trusting({.user_agent = "drover", .ca_file = authority.ca_file()});
  registry::Client other(trusting, options);
  BOOST_TEST(other.fetch_manifest(ctx, reference).bytes == bytes);
}

BOOST_AUTO_TEST_CASE(tls_server_that_answers_plain_http_with_words_is_understood) {
  TestAuthority authority(folder.path());
  registry.set_hook([](const ServedRequest&) { return LoopbackRegistry::status(400, "Client sent an HTTP request to an HTTPS server.\n"); });
  const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference()); });
  BOOST_TEST((error.code() == ErrorCode::network));
  BOOST_TEST(has(error.what(), "https: "));
}

BOOST_AUTO_TEST_CASE(insecure_host_may_have_any_certificate_or_none) {
  TestAuthority authority(folder.path());
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, authority.issue());
  options.insecure_registries = {registry.host(secure), registry.host()};

  BOOST_TEST(client().fetch_manifest(ctx, Reference::parse(registry.host(secure) + "/acme/api:1")).bytes == bytes);
  BOOST_TEST(client().fetch_manifest(ctx, registry.reference()).bytes == bytes);

  const std::string explained = join(client().explain(registry.reference()), "\n");
  BOOST_TEST(has(explained, "plain http: listed as insecure"));
}

// S08: 443 is dead and 80 is open: nothing may reach 80.
BOOST_AUTO_TEST_CASE(certificates_for_a_host_mean_tls_only) {
  TestAuthority authority(folder.path());
  folder.write("certs.d/" + registry.host() + "/ca.crt", folder.read(authority.ca_file().filename().string()));

  BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::network));

  BOOST_TEST(registry.requests().empty());
}

BOOST_AUTO_TEST_CASE(certificates_of_certs_d_are_used) {
  TestAuthority authority(folder.path());
  TlsFiles files = authority.issue();
  const TlsFiles ours = authority.issue();
  files.client_ca = authority.ca_file();
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, files);
  const std::string place = "certs.d/" + registry.host(secure) + "/";
  folder.write(place + "ca.crt", folder.read(authority.ca_file().filename().string()));
  folder.write(place + "client.cert", folder.read(ours.certificate.lexically_relative(folder.path()).string()));
  folder.write(place + "client.key", folder.read(ours.key.lexically_relative(folder.path()).string()));
  const Reference reference = Reference::parse(registry.host(secure) + "/acme/api:1");

  BOOST_TEST(client().fetch_manifest(ctx, reference).bytes == bytes);
  BOOST_TEST(registry.requests().back().has_client_certificate);
  BOOST_TEST(has(join(client().explain(reference), "\n"), "certs.d"));
}

BOOST_AUTO_TEST_CASE(a_refusal_tells_as_well_how_the_registry_speaks) {
  const Error error = failure([&] { client().fetch_manifest(ctx, Reference::parse(registry.host() + "/acme/api:none")); });
  BOOST_TEST((error.code() == ErrorCode::not_found));
  BOOST_TEST(registry.requests().size() == 1U);
}

// Who guesses plain HTTP is wrong there; one thread tries for all.
BOOST_AUTO_TEST_CASE(threads_find_out_once) {
  TestAuthority authority(folder.path());
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, authority.issue());
  net::Transport trusting({.user_agent = "drover", .ca_file = authority.ca_file()});
  registry::Client other(trusting, options);
  const Reference reference = Reference::parse(registry.host(secure) + "/acme/api:1");
  parallel_for_each(ctx, 8, 8, [&](const Context& inner, std::size_t) { other.fetch_manifest(inner, reference); });
  std::size_t probes = 0;
  for (const ServedRequest& request : registry.requests()) probes += request.path == "/v2/" ? 1U : 0U;
  BOOST_TEST(probes == 1U);
}

BOOST_AUTO_TEST_CASE(a_host_that_took_long_to_fail_is_not_tried_anew_for_each_image) {
  registry.set_hook([&](const ServedRequest&) {
    clock.advance(std::chrono::seconds(20));
    Reply reply;
    reply.raw = "nothing that HTTP knows\r\n\r\n";
    return reply;
  });
  for (int image = 0; image < 3; ++image) BOOST_TEST((failure([&] { client().fetch_manifest(ctx, registry.reference()); }).code() == ErrorCode::network));
  BOOST_TEST(registry.requests().size() == 2U);  // the first image's, and the trial

  clock.advance(std::chrono::seconds(60));
  registry.set_hook({});
  BOOST_TEST(client().fetch_manifest(ctx, registry.reference()).bytes == bytes);  // not for ever
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::test
