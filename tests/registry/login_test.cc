// Challenges and tokens against a registry on loopback.
#include "base/parallel.h"
#include "registry/authenticator.h"
#include "tests/registry/loopback_registry.h"
#include "tests/support/test_certificates.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace drover::test {
namespace {

const std::string basic_header = "Basic " + encode_base64("user:canary-password", Base64::standard);

std::string bearer(const std::string& realm, const std::string& scope = "repository:acme/api:pull") {
  return R"(Bearer realm=")" + realm + R"(",service="reg",scope=")" + scope + "\"";
}

struct LoginFixture : Loopback {
  TokenServer tokens;
  Descriptor layer = registry.put_blob("0123456789");

  std::string fetch(const std::string& repository = "acme/api") {
    return client().fetch_blob(ctx, registry.reference(repository + ":1"), layer, 100);
  }
  // Tokens of its own token server are wanted for everything but the token server.
  void want_tokens() {
    registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
      if (auto reply = tokens.answer(request)) return reply;
      if (tokens.accepts(request)) return std::nullopt;
      return LoopbackRegistry::challenge(bearer(registry.origin() + "/token"));
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(login, LoginFixture)

BOOST_AUTO_TEST_CASE(basic_is_answered_with_the_stored_login) {
  log_in();
  registry.set_hook([](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request) == basic_header) return std::nullopt;
    return LoopbackRegistry::challenge("Basic realm=\"r\"");
  });

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(fetch("acme/web") == "0123456789");
  BOOST_TEST(registry.count("/blobs/") == 3U);  // the second repository is not challenged again
}

BOOST_AUTO_TEST_CASE(a_login_for_loopback_stays_on_this_machine) {
  log_in();
  registry.set_hook([](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request) == basic_header) return std::nullopt;
    return LoopbackRegistry::challenge("Basic realm=\"r\"");
  });

  setenv("http_proxy", "http://127.0.0.1:1", 1);  // nobody listens there
  const std::string bytes = fetch();
  unsetenv("http_proxy");

  BOOST_TEST(bytes == "0123456789");
}

BOOST_AUTO_TEST_CASE(wrong_basic_login_is_sent_once) {
  log_in();
  registry.set_hook([](const ServedRequest&) { return LoopbackRegistry::challenge("Basic realm=\"r\""); });

  for (int i = 0; i < 5; ++i) {
    const Error error = failure([&] { fetch(); });
    BOOST_TEST((error.code() == ErrorCode::authentication));
    BOOST_TEST(has(error.what(), "docker login " + registry.host()));
    BOOST_TEST(has(error.what(), "config.json"));
  }

  std::size_t logins = 0;
  for (const ServedRequest& request : registry.requests()) logins += authorization(request).empty() ? 0U : 1U;
  BOOST_TEST(logins == 1U);
}

BOOST_AUTO_TEST_CASE(missing_login_is_an_error_with_a_remedy) {
  registry.set_hook([](const ServedRequest&) { return LoopbackRegistry::challenge("Basic realm=\"r\""); });
  const Error error = failure([&] { client().fetch_manifest(ctx, registry.reference()); });
  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(has(error.what(), "cannot read " + registry.host() + "/acme/api:1: "));
  BOOST_TEST(has(error.what(), "docker login " + registry.host()));
}

// A mirror that a file names with http://: whoever listens on the way would read it, or name the token server that gets it.
BOOST_AUTO_TEST_CASE(by_plain_http_elsewhere_no_login_is_sent) {
  log_in();
  const Reference reference = registry.reference("acme/api:1");
  drover::registry::Meter meter;
  drover::registry::Hosts hosts(transport, options, meter);
  drover::registry::Credentials credentials(options.credential_files, "");
  drover::registry::Pace pace({});
  drover::registry::Authenticator authenticator(transport, hosts, credentials, pace, meter);
  drover::registry::Endpoint endpoint{.url = net::Url::parse(registry.origin() + "/"), .tls = {}, .reason = {}};
  const std::vector<drover::registry::Challenge> challenges = drover::registry::parse_challenges(std::vector<std::string_view>{"Basic realm=\"r\""});
  endpoint.takes_login = false;
  BOOST_CHECK_EXCEPTION(authenticator.answer(ctx, reference, endpoint, challenges, nullptr), Error, [](const Error& error) {
    return error.code() == ErrorCode::authentication && std::string_view(error.what()).find("by plain http no login is sent") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_CASE(anonymous_token_is_fetched_by_get_and_reused) {
  want_tokens();

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(fetch() == "0123456789");

  BOOST_TEST(tokens.count() == 1U);
  BOOST_TEST(registry.count("/token?service=reg&scope=repository%3Aacme%2Fapi%3Apull") == 1U);
  for (const ServedRequest& request : registry.requests()) {
    if (request.path == "/token") BOOST_TEST(authorization(request) == "");
  }
}

BOOST_AUTO_TEST_CASE(password_goes_to_the_token_server_only) {
  log_in();
  want_tokens();

  BOOST_TEST(fetch() == "0123456789");

  for (const ServedRequest& request : registry.requests()) {
    BOOST_TEST((authorization(request) == basic_header) == (request.path == "/token"));
  }
  BOOST_TEST(registry.count("account=user") == 1U);
}

BOOST_AUTO_TEST_CASE(second_repository_gets_its_token_without_a_challenge) {
  want_tokens();
  fetch();
  const std::size_t before = registry.requests().size();

  fetch("acme/web");

  BOOST_TEST(registry.requests().size() == before + 2);
  BOOST_TEST(registry.count("scope=repository%3Aacme%2Fweb%3Apull") == 1U);
}

BOOST_AUTO_TEST_CASE(several_challenges_are_looked_through_for_one_that_can_be_answered) {
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    if (tokens.accepts(request)) return std::nullopt;
    Reply reply = LoopbackRegistry::challenge("Negotiate");
    reply.headers.add("WWW-Authenticate", "Basic realm=\"r\", " + bearer("/token"));
    return reply;
  });
  BOOST_TEST(fetch() == "0123456789");
}

BOOST_AUTO_TEST_CASE(unknown_ways_to_log_in_are_named) {
  registry.set_hook([](const ServedRequest&) { return LoopbackRegistry::challenge("Negotiate"); });
  const Error error = failure([&] { fetch(); });
  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(has(error.what(), "negotiate"));
}

BOOST_AUTO_TEST_CASE(challenge_is_taken_from_the_root_when_the_request_has_none) {
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    if (tokens.accepts(request)) return std::nullopt;
    if (request.path == "/v2/") return LoopbackRegistry::challenge(bearer("/token", ""));
    return LoopbackRegistry::status(401);
  });
  BOOST_TEST(fetch() == "0123456789");
}

struct FormRow {
  int get_status;
  bool works;

  friend std::ostream& operator<<(std::ostream& out, const FormRow& row) { return out << "GET answers " << row.get_status; }
};

const std::vector<FormRow> forms = {{400, true}, {401, true}, {404, true}, {405, true}};

BOOST_DATA_TEST_CASE_F(LoginFixture, post_follows_where_get_is_refused, forms) {
  log_in();
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/token" && request.method == "GET") return LoopbackRegistry::status(sample.get_status);
    if (request.path == "/token" && request.body.find("grant_type=password&username=user&password=canary-password&") != 0) {
      return LoopbackRegistry::status(401);
    }
    if (auto reply = tokens.answer(request)) return reply;
    if (tokens.accepts(request)) return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(fetch("acme/web") == "0123456789");

  std::size_t gets = 0;
  for (const ServedRequest& request : registry.requests()) gets += request.path == "/token" && request.method == "GET" ? 1U : 0U;
  BOOST_TEST(gets == 1U);  // the second token is asked for in the way that worked
}

BOOST_AUTO_TEST_CASE(identity_token_is_traded_by_post_first) {
  write_config(R"({"auths": {")" + registry.host() + R"(": {"identitytoken": "canary-refresh"}}})");
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/token" && !has(request.body, "grant_type=refresh_token&refresh_token=canary-refresh&")) return LoopbackRegistry::status(401);
    if (request.path == "/token") return LoopbackRegistry::status(200, R"({"access_token":"canary-access"})");
    if (authorization(request) == "Bearer canary-access") return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(registry.count("/token") == 1U);
}

BOOST_AUTO_TEST_CASE(registry_token_is_used_as_it_is) {
  write_config(R"({"auths": {")" + registry.host() + R"(": {"registrytoken": "canary-ready"}}})");
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request) == "Bearer canary-ready") return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(registry.count("/token") == 0U);
}

BOOST_AUTO_TEST_CASE(helper_has_the_login) {
  const auto file = folder.write("bin/docker-credential-vault",
                                 "#!/bin/sh\necho '{\"ServerURL\":\"" + registry.host() + R"(","Username":"user","Secret":"canary-password"}')");
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  options.program_path = (folder / "bin").string();
  write_config(R"({"credsStore": "vault"})");
  registry.set_hook([](const ServedRequest& request) -> std::optional<Reply> {
    if (authorization(request) == basic_header) return std::nullopt;
    return LoopbackRegistry::challenge("Basic realm=\"r\"");
  });

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(has(join(client().explain(registry.reference()), "\n"), "docker-credential-vault"));
}

BOOST_AUTO_TEST_CASE(refused_login_gives_way_to_anonymous_once_and_with_a_warning) {
  log_in();
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/token" && (request.method == "POST" || !authorization(request).empty())) return LoopbackRegistry::status(401);
    if (auto reply = tokens.answer(request)) return reply;
    if (tokens.accepts(request)) return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(fetch("acme/web") == "0123456789");

  BOOST_TEST(log.has(LogLevel::warning, "is refused"));
  std::size_t logins = 0;
  for (const ServedRequest& request : registry.requests()) logins += request.path == "/token" && !authorization(request).empty() ? 1U : 0U;
  BOOST_TEST(logins == 1U);
}

BOOST_AUTO_TEST_CASE(login_that_may_not_see_gives_way_to_anonymous) {
  log_in();
  registry.set_hook([](const ServedRequest& request) -> std::optional<Reply> {
    const std::string carried = authorization(request);
    if (request.path == "/token") return LoopbackRegistry::status(200, carried.empty() ? R"({"token":"canary-anonymous"})" : R"({"token":"canary-user"})");
    if (carried == "Bearer canary-anonymous") return std::nullopt;
    if (carried == "Bearer canary-user") return LoopbackRegistry::status(403);
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(log.has(LogLevel::warning, "trying without it"));
}

BOOST_AUTO_TEST_CASE(forbidden_to_all_is_reported_as_forbidden) {
  log_in();
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    if (!authorization(request).empty()) return LoopbackRegistry::status(403);
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  const Error error = failure([&] { fetch(); });
  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(error.http_status == 403);
}

BOOST_AUTO_TEST_CASE(eight_threads_fetch_one_token) {
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) {
      reply->delay = std::chrono::milliseconds(30);
      return reply;
    }
    if (tokens.accepts(request)) return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  parallel_for_each(ctx, 8, 8, [&](const Context& inner, std::size_t) {
    client().head_manifest(inner, registry.reference());
  });

  BOOST_TEST(tokens.count() == 1U);
}

BOOST_AUTO_TEST_CASE(token_is_renewed_before_it_expires) {
  want_tokens();
  fetch();
  clock.advance(std::chrono::seconds(280));
  fetch();
  BOOST_TEST(tokens.count() == 1U);

  clock.advance(std::chrono::seconds(11));  // 291 of 300: within the margin
  const std::size_t before = registry.requests().size();
  fetch();

  BOOST_TEST(tokens.count() == 2U);
  BOOST_TEST(registry.requests().size() == before + 2);  // no challenge was needed
}

// F03: the registry's clock, or its mind, differs from what expires_in promised.
BOOST_AUTO_TEST_CASE(token_that_ends_early_is_renewed_once_for_all_threads) {
  std::atomic<bool> is_over{false};
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    const std::string wanted = is_over ? "Bearer canary-token-2" : "Bearer canary-token-1";
    if (authorization(request) == wanted) return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  fetch();
  is_over = true;

  parallel_for_each(ctx, 8, 8, [&](const Context& inner, std::size_t) {
    client().fetch_blob(inner, registry.reference(), layer, 100);
  });

  BOOST_TEST(tokens.count() == 2U);
}

// F04: accounts get locked by login storms.
BOOST_AUTO_TEST_CASE(endless_401_stops_after_one_token) {
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  for (int i = 0; i < 4; ++i) {
    const Error error = failure([&] { fetch(); });
    BOOST_TEST((error.code() == ErrorCode::authentication));
    BOOST_TEST(has(error.what(), "docker login"));
  }

  BOOST_TEST(tokens.count() == 1U);
  BOOST_TEST(registry.count("/blobs/") == 2U);
  BOOST_TEST(clock.sleeps().empty());
}

BOOST_AUTO_TEST_CASE(endless_401_with_a_login_ends_after_an_anonymous_try) {
  log_in();
  registry.set_hook([this](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  for (int i = 0; i < 4; ++i) BOOST_TEST((failure([&] { fetch(); }).code() == ErrorCode::authentication));
  BOOST_TEST(tokens.count() == 2U);
}

BOOST_AUTO_TEST_CASE(token_server_that_redirects_is_not_followed) {
  log_in();
  LoopbackRegistry other;
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/token") return LoopbackRegistry::redirect(other.origin() + "/token");
    return LoopbackRegistry::challenge(bearer("/token"));
  });

  const Error error = failure([&] { fetch(); });

  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(has(error.what(), "redirect"));
  BOOST_TEST(other.requests().empty());
}

BOOST_AUTO_TEST_CASE(another_token_server_than_the_first_gets_nothing) {
  log_in();
  LoopbackRegistry other;
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (auto reply = tokens.answer(request)) return reply;
    if (has(request.path, "acme/api") && tokens.accepts(request)) return std::nullopt;
    return LoopbackRegistry::challenge(bearer((has(request.path, "acme/api") ? registry.origin() : other.origin()) + "/token", ""));
  });
  fetch();

  const Error error = failure([&] { fetch("acme/web"); });

  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(other.requests().empty());
}

BOOST_AUTO_TEST_CASE(forbidden_addresses_are_no_token_servers) {
  log_in();
  for (const std::string realm : {"http://169.254.169.254/token", "http://[fe80::1]/token", "http://[::ffff:169.254.169.254]/token",
                                  "http://user:canary@127.0.0.1/token", "ftp://127.0.0.1/token", "http://0.0.0.0/token"}) {
    registry.set_hook([&](const ServedRequest&) { return LoopbackRegistry::challenge(bearer(realm)); });
    registry::Client fresh(transport, options);
    const Error error = failure([&] { fresh.fetch_blob(ctx, registry.reference(), layer, 100); });
    BOOST_TEST((error.code() == ErrorCode::authentication), realm << ": " << error.what());
  }
}

BOOST_AUTO_TEST_CASE(odd_token_answers_are_named) {
  for (const std::string& body : {std::string("{}"), std::string("<html>"), std::string(2U << 20U, ' '), std::string(R"({"token":"a\r\nX: y"})")}) {
    registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
      if (request.path == "/token") return LoopbackRegistry::status(200, body);
      return LoopbackRegistry::challenge(bearer("/token"));
    });
    registry::Client fresh(transport, options);
    BOOST_TEST((failure([&] { fresh.fetch_blob(ctx, registry.reference(), layer, 100); }).code() == ErrorCode::authentication));
  }
}

BOOST_AUTO_TEST_CASE(busy_token_server_is_asked_again) {
  std::atomic<int> asked{0};
  registry.set_hook([&](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path == "/token" && ++asked < 3) return LoopbackRegistry::status(503);
    if (auto reply = tokens.answer(request)) return reply;
    if (tokens.accepts(request)) return std::nullopt;
    return LoopbackRegistry::challenge(bearer("/token"));
  });
  BOOST_TEST(fetch() == "0123456789");
  BOOST_TEST(clock.sleeps().size() == 2U);
}

// S07: verification is per host; a trusted registry does not vouch for its token server.
BOOST_AUTO_TEST_CASE(token_server_with_a_bad_certificate_gets_nothing) {
  TestAuthority good(folder.path(), "good");
  TestAuthority bad(folder.path(), "bad");
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, good.issue());
  LoopbackRegistry other;
  const std::size_t untrusted = other.server().listen("127.0.0.1", 0, bad.issue());
  folder.write("certs.d/" + registry.host(secure) + "/ca.crt", folder.read("good-ca.pem"));
  write_config(R"({"auths": {")" + registry.host(secure) + R"(": {"auth": ")" + encode_base64("user:canary-password", Base64::standard) + "\"}}}");
  registry.set_hook([&](const ServedRequest&) { return LoopbackRegistry::challenge(bearer(other.origin(untrusted) + "/token")); });

  const Error error = failure([&] { client().fetch_blob(ctx, Reference::parse(registry.host(secure) + "/acme/api:1"), layer, 100); });

  BOOST_TEST((error.code() == ErrorCode::network));
  BOOST_TEST(other.requests().empty());
  BOOST_TEST(!registry.requests().empty());
}

// The registry speaks TLS: its token server has to as well.
BOOST_AUTO_TEST_CASE(plain_token_server_of_a_tls_registry_gets_nothing) {
  TestAuthority good(folder.path(), "good");
  const std::size_t secure = registry.server().listen("127.0.0.1", 0, good.issue());
  folder.write("certs.d/" + registry.host(secure) + "/ca.crt", folder.read("good-ca.pem"));
  registry.set_hook([&](const ServedRequest&) { return LoopbackRegistry::challenge(bearer(registry.origin(0) + "/token")); });

  const Error error = failure([&] { client().fetch_blob(ctx, Reference::parse(registry.host(secure) + "/acme/api:1"), layer, 100); });

  BOOST_TEST((error.code() == ErrorCode::authentication));
  BOOST_TEST(registry.count("/token") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::test
