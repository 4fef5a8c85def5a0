// Two registries on loopback, one of them a mirror of the other: who is asked, who is believed, who gets which login.
#include "registry/pull.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_registry.h"
#include "tests/support/loopback_server.h"
#include "tests/support/noise.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"

#include "base/text.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <ostream>
#include <thread>

namespace drover::registry {
namespace {

// `upstream` has acme/api:1; `mirror` has the same bytes under the same name.
struct MirrorFixture {
  test::FakeRegistry upstream;
  test::FakeRegistry mirror;
  test::TempDir folder{"drover-mirror"};
  test::FakeClock clock;
  test::RecordingLog log;
  net::Transport transport;
  ClientOptions options;
  Context ctx{.log = &log, .clock = &clock};
  std::string large = test::noise(9U << 20U, 1);  // several chunks
  std::string small = test::noise(5000, 2);
  test::FakeImage image = add_to(upstream, "1");
  Reference reference = Reference::parse(upstream.reference("acme/api", "1"));
  store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);

  MirrorFixture() {
    add_to(mirror, "1");
    configure("");
    options.certs_directories = {};
    options.mirrors.own_folders = {folder / "hosts.d"};
    // On a machine with more to do anybody may be slow: only where a test says so is the registry asked for that reason.
    options.patience = {.unknown = std::chrono::hours(1), .shortest = std::chrono::hours(1), .longest = std::chrono::hours(1)};
  }

  test::FakeImage add_to(test::FakeRegistry& registry, const std::string& tag) const {
    return registry.add_image("acme/api", tag, {{.bytes = small}, {.bytes = large}});
  }
  void configure(const std::string& settings, const std::string& url = {}) {
    folder.write("hosts.d/" + upstream.host() + "/hosts.toml", "[host.\"" + (url.empty() ? mirror.origin() : url) + "\"]\n" + settings + "\n");
  }
  PullReport pull_it() {
    Client client(transport, options);
    return pull(ctx, client, store, {reference}, {.platforms = {.all = true}, .jobs = 4});
  }
  bool holds(const std::string& bytes) const {
    const Digest digest = Digest::parse(test::sha256_of(bytes));
    return store.has(digest, bytes.size()) && store.read(digest, bytes.size()) == bytes;
  }
  void check_complete(const PullReport& report) const {
    BOOST_TEST(report.images[0].complete, (report.images[0].error ? report.images[0].error->what() : ""));
    BOOST_TEST(holds(small));
    BOOST_TEST(holds(large));
  }
};

struct FaultRow {
  std::string name;
  std::function<void(MirrorFixture&)> arrange;
  std::string warning;  // part of it

  friend std::ostream& operator<<(std::ostream& out, const FaultRow& row) { return out << row.name; }
};

void fault_all(MirrorFixture& f, const std::string& target, const test::Fault& fault) { f.mirror.fault({.target = target, .count = 0}, fault); }

const std::vector<FaultRow> faults = {
    {"down", [](auto& f) { f.configure("", "http://127.0.0.1:" + std::to_string(test::unused_port())); }, "it is asked last from now on"},
    {"lacks_the_image", [](auto& f) { f.mirror.remove_tag("acme/api", "1"); }, ""},
    {"server_error", [](auto& f) { fault_all(f, "/manifests/1", {.status = 503, .body = "busy"}); }, "it is asked last from now on"},
    {"wants_a_login", [](auto& f) { f.mirror.set_auth({.scheme = test::FakeAuth::Scheme::basic}); }, "going on without it"},
    {"forbids", [](auto& f) { fault_all(f, "/v2/acme", {.status = 403}); }, "going on without it"},
    {"rate_limited_for_a_day", [](auto& f) { fault_all(f, "/manifests/1", {.status = 429, .headers = {{"Retry-After", "86400"}}}); }, "asked last"},
    {"a_login_page", [](auto& f) { fault_all(f, "/manifests/1", {.status = 200, .body = "<html>", .headers = {{"Content-Type", "text/html"}}}); }, "web page"},
    {"lacks_a_blob", [](auto& f) { f.mirror.remove_blob(test::sha256_of(f.large)); }, ""},
    {"fails_blobs", [](auto& f) { fault_all(f, "/blobs/" + test::sha256_of(f.large), {.status = 500}); }, "asked last"},
    {"cuts_every_blob", [](auto& f) { fault_all(f, "/blobs/" + test::sha256_of(f.large), {.reset_after = 100'000}); }, ""},  // too few requests to lose its place
    {"hangs", [](auto& f) {
       f.options.mirror_timeouts.first_byte = std::chrono::milliseconds(200);
       fault_all(f, "/blobs/", {.hang = true});
     }, "asked last"},
    {"slow", [](auto& f) {
       f.options.mirror_timeouts.stall_bytes_per_second = 1'000'000;
       f.options.mirror_timeouts.stall = std::chrono::milliseconds(300);
       fault_all(f, "/blobs/" + test::sha256_of(f.large), {.bytes_per_second = 50'000});
     }, ""},
    {"wrong_bytes", [](auto& f) { fault_all(f, "/blobs/" + test::sha256_of(f.large), {.flip_byte = 1000}); },
     // "again" when all of it came from there, "for it again" when another source sent a part: which one, time tells.
     "sent wrong bytes for " + test::sha256_of(test::noise(9U << 20U, 1)) + "; it is not asked "},
    {"wrong_config", [](auto& f) { fault_all(f, "/blobs/" + f.image.config_digest, {.flip_byte = 5}); }, "it is not asked "},
    {"wrong_size", [](auto& f) { fault_all(f, "/blobs/" + test::sha256_of(f.small), {.body = "short"}); }, "asked last"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mirror, MirrorFixture)

BOOST_AUTO_TEST_CASE(all_comes_from_the_mirror_that_has_it) {
  check_complete(pull_it());
  BOOST_TEST(upstream.log().size() == 0U);
  BOOST_TEST(mirror.count("GET", "?ns=" + percent_encode(upstream.host())) == mirror.count("GET", "/v2/acme/"));
  BOOST_TEST(log.text().find("mirror") == std::string::npos, log.text());
}

BOOST_DATA_TEST_CASE(a_broken_mirror_costs_nothing_but_itself, faults, row) {
  row.arrange(*this);
  check_complete(pull_it());
  BOOST_TEST(upstream.count("GET", "/blobs/") > 0U);
  if (!row.warning.empty()) BOOST_TEST(log.has(LogLevel::warning, row.warning), log.text());
}

// S08: a file that says https means it.
BOOST_AUTO_TEST_CASE(an_https_mirror_is_never_asked_in_plain_words) {
  configure("", "https://" + mirror.host());
  check_complete(pull_it());
  BOOST_TEST(mirror.log().size() == 0U);
  BOOST_TEST(log.has(LogLevel::warning, "asked last"));
}

BOOST_AUTO_TEST_CASE(a_mirror_at_a_metadata_address_is_not_connected_to) {
  configure("", "http://169.254.169.254");
  check_complete(pull_it());
  BOOST_TEST(log.text().find("link-local") != std::string::npos, log.text());
}

BOOST_AUTO_TEST_CASE(two_mirrors_with_wrong_bytes_are_put_aside_and_the_registry_is_believed) {
  test::FakeRegistry other;
  add_to(other, "1");
  folder.write("hosts.d/" + upstream.host() + "/hosts.toml", "[host.\"" + mirror.origin() + "\"]\n[host.\"" + other.origin() + "\"]\n");
  for (test::FakeRegistry* const registry : {&mirror, &other}) {
    registry->fault({.target = "/blobs/" + test::sha256_of(large), .count = 0}, {.flip_byte = 7});
  }
  check_complete(pull_it());
  BOOST_TEST(mirror.count("GET", test::sha256_of(large)) > 0U);
  BOOST_TEST(other.count("GET", test::sha256_of(large)) > 0U);
  BOOST_TEST(upstream.count("GET", test::sha256_of(large)) > 0U);
}

BOOST_AUTO_TEST_CASE(wrong_bytes_from_everybody_are_never_committed) {
  for (test::FakeRegistry* const registry : {&mirror, &upstream}) {
    registry->fault({.target = "/blobs/" + test::sha256_of(large), .count = 0}, {.flip_byte = 7});
  }
  const PullReport report = pull_it();
  BOOST_TEST(!report.images[0].complete);
  BOOST_TEST((report.images[0].error->code() == ErrorCode::digest_mismatch));
  BOOST_TEST(!store.has(Digest::parse(test::sha256_of(large)), large.size()));
  BOOST_TEST(store.tags().empty());
}

// A mirror answers for a tag as containerd and docker have it answer: what it says holds, also when the registry's tag has moved on.
BOOST_AUTO_TEST_CASE(a_stale_mirror_decides_what_a_tag_means) {
  upstream.add_image("acme/api", "1", {{.bytes = "newer"}});
  const PullReport report = pull_it();
  check_complete(report);
  BOOST_TEST(report.images[0].resolved->root.descriptor.digest.to_string() == image.digest);
  BOOST_TEST(upstream.log().size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_mirror_that_may_not_resolve_serves_what_the_registry_resolved) {
  configure("capabilities = [\"pull\"]");
  const test::FakeImage newer = upstream.add_image("acme/api", "1", {{.bytes = "newer"}, {.bytes = large}});
  const PullReport report = pull_it();
  BOOST_TEST(report.images[0].complete, (report.images[0].error ? report.images[0].error->what() : ""));
  BOOST_TEST(report.images[0].resolved->root.descriptor.digest.to_string() == newer.digest);
  BOOST_TEST(mirror.count("", "/manifests/1") == 0U);
  BOOST_TEST(upstream.count("GET", "/manifests/1") == 1U);
}

BOOST_AUTO_TEST_CASE(a_digest_that_a_mirror_answers_wrongly_comes_from_the_registry) {
  reference = reference.with_digest(Digest::parse(image.digest));
  mirror.fault({.target = "/manifests/sha256", .count = 0}, {.body = R"({"schemaVersion":2})"});
  check_complete(pull_it());
  BOOST_TEST(log.has(LogLevel::warning, "it is not asked again"));
}

BOOST_AUTO_TEST_CASE(no_login_reaches_another_host) {
  upstream.set_auth({.scheme = test::FakeAuth::Scheme::basic, .user = "ann", .password = "canary-upstream"});
  mirror.set_auth({.scheme = test::FakeAuth::Scheme::basic, .user = "bob", .password = "canary-mirror"});
  mirror.remove_blob(test::sha256_of(large));
  const auto login = [](const std::string& host, const std::string& pair) {
    return "\"" + host + R"(":{"auth":")" + encode_base64(pair, Base64::standard) + "\"}";
  };
  options.credential_files = {folder.write("config.json", R"({"auths":{)" + login(upstream.host(), "ann:canary-upstream") + "," +
                                                              login(mirror.host(), "bob:canary-mirror") + "}}")};
  check_complete(pull_it());

  const auto sent_to = [](const test::FakeRegistry& registry) {
    std::set<std::string> seen;
    for (const test::LoggedRequest& request : registry.log()) seen.emplace(request.request.headers.find("authorization").value_or(""));
    return seen;
  };
  BOOST_TEST((sent_to(mirror) == std::set<std::string>{"", "Basic " + encode_base64("bob:canary-mirror", Base64::standard)}));
  BOOST_TEST((sent_to(upstream) == std::set<std::string>{"", "Basic " + encode_base64("ann:canary-upstream", Base64::standard)}));
  BOOST_TEST(log.text().find("canary") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_mirror_without_a_login_gets_none) {
  upstream.set_auth({.scheme = test::FakeAuth::Scheme::bearer, .user = "ann", .password = "canary-upstream"});
  mirror.set_auth({.scheme = test::FakeAuth::Scheme::bearer, .user = "ann", .password = "canary-upstream"});
  options.credential_files = {folder.write("config.json", R"({"auths":{")" + upstream.host() + R"(":{"auth":")" +
                                                              encode_base64("ann:canary-upstream", Base64::standard) + "\"}}}")};
  check_complete(pull_it());
  BOOST_TEST(!mirror.saw_authorization(0));
  BOOST_TEST(upstream.saw_authorization(0));
}

// The storage host is another origin, and so is the registry itself.
BOOST_AUTO_TEST_CASE(headers_of_a_host_reach_it_and_no_other) {
  configure("header = {x-key = \"canary-key\"}");
  mirror.set_redirect({.enabled = true});
  mirror.remove_blob(test::sha256_of(small));
  check_complete(pull_it());

  std::size_t asked = 0;
  for (const test::LoggedRequest& request : mirror.log()) {
    const bool has_key = request.request.headers.find("x-key") == "canary-key";
    BOOST_TEST(has_key == (request.request.listener == 0U), request.request.target);
    asked += has_key ? 1U : 0U;
  }
  BOOST_TEST(asked > 0U);
  for (const test::LoggedRequest& request : upstream.log()) BOOST_TEST(!request.request.headers.find("x-key").has_value());
  Client client(transport, options);
  client.fetch_manifest(ctx, reference);
  const std::string explained = join(client.explain(reference), "\n");
  BOOST_TEST(explained.find("headers: x-key") != std::string::npos, explained);
  BOOST_TEST(explained.find("canary") == std::string::npos);
  BOOST_TEST(log.text().find("canary") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(paths_and_names_are_rewritten) {
  test::FakeRegistry cache;
  cache.add_image("proxy/api", "1", {{.bytes = small}, {.bytes = large}});
  options.mirrors = {.registries = {{folder.write("registries.conf", "[[registry]]\nlocation = \"" + upstream.host() +
                                                                         "/acme\"\n[[registry.mirror]]\nlocation = \"" + cache.host() + "/proxy\"\n")}}};
  check_complete(pull_it());
  BOOST_TEST(upstream.log().size() == 0U);
  BOOST_TEST(cache.count("GET", "?ns=") == 0U);
}

BOOST_AUTO_TEST_CASE(an_api_root_of_its_own_is_followed) {
  test::LoopbackServer server([&](const test::ServedRequest& request) {
    test::Reply reply;
    reply.status = request.path.starts_with("/odd/root/acme/api/") ? 418 : 500;
    return reply;
  });
  server.listen();
  configure("override_path = true", server.origin() + "/odd/root/");
  check_complete(pull_it());
  BOOST_TEST(log.text().find("answered 418") != std::string::npos, log.text());
}

BOOST_AUTO_TEST_CASE(when_nobody_serves_the_registry_s_own_words_come_first) {
  mirror.remove_tag("acme/api", "1");
  upstream.remove_tag("acme/api", "1");
  const PullReport report = pull_it();
  const std::string text = report.images[0].error->what();
  BOOST_TEST((report.images[0].error->code() == ErrorCode::not_found));
  BOOST_TEST(report.images[0].error->http_status == 404);
  BOOST_TEST(text.find("answered 404") < text.find("(mirrors: "), text);
}

// Nothing about its certificate changes by asking again, whatever a mirror may have meanwhile.
BOOST_AUTO_TEST_CASE(a_registry_that_nobody_trusts_is_final_with_a_mirror_too) {
  test::TestAuthority authority(folder.path());
  test::FakeRegistry secure({.tls = authority.issue()});
  folder.write("hosts.d/" + secure.host() + "/hosts.toml",
               "server = \"https://" + secure.host() + "\"\n[host.\"" + mirror.origin() + "\"]\n");
  reference = Reference::parse(secure.reference("acme/none", "1"));
  const PullReport report = pull_it();
  BOOST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST(report.images[0].error->is_final, report.images[0].error->what());
  BOOST_TEST(mirror.count("GET", "/manifests/1") == 1U);
}

BOOST_AUTO_TEST_CASE(heads_are_asked_of_the_mirror_too) {
  Client client(transport, options);
  BOOST_TEST(client.head_manifest(ctx, reference)->digest.to_string() == image.digest);
  BOOST_TEST(upstream.log().size() == 0U);
  mirror.remove_tag("acme/api", "1");
  BOOST_TEST(client.head_manifest(ctx, reference)->digest.to_string() == image.digest);
  BOOST_TEST(upstream.count("HEAD", "/manifests/1") == 1U);
}

BOOST_AUTO_TEST_CASE(everything_is_explained) {
  mirror.remove_tag("acme/api", "1");
  options.credential_files = {folder.write("config.json", R"({"auths":{")" + upstream.host() + R"(":{"auth":"YTpi"}}})")};
  Client client(transport, options);
  client.fetch_manifest(ctx, reference);
  const std::string file = (folder / "hosts.d" / upstream.host() / "hosts.toml").string() + ":1";
  BOOST_TEST(join(client.explain(reference), "\n") ==
             "mirror: " + mirror.host() + ", from " + file + "; does not have it\n" +
                 "endpoint: " + mirror.origin() + " (plain http: " + file + ")\n" +
                 "certificates: the system's\n"
                 "credentials: none, anonymous\n"
                 "registry: " + upstream.host() + ", from " + file + "; answered\n" +
                 "endpoint: " + upstream.origin() + " (plain http: loopback)\n" +
                 "certificates: the system's\n"
                 "credentials: " + (folder / "config.json").string() + ": auths[\"" + upstream.host() + "\"]");
}

// However short: who never answers is overtaken, whoever answers before the registry is not.
constexpr Patience hardly_any{.unknown = std::chrono::milliseconds(20), .shortest = std::chrono::milliseconds(20), .longest = std::chrono::milliseconds(20)};

BOOST_AUTO_TEST_CASE(a_mirror_that_keeps_us_waiting_is_overtaken_and_asked_last) {
  options.patience = hardly_any;
  fault_all(*this, "", {.hang = true});
  check_complete(pull_it());
  BOOST_TEST(log.has(LogLevel::warning, "answered before it although it was asked later; it is asked last from now on"), log.text());
  BOOST_TEST(mirror.count("GET", "/v2/acme/") == 1U);
}

BOOST_AUTO_TEST_CASE(a_mirror_that_is_late_and_first_nevertheless_keeps_its_place) {
  options.patience = hardly_any;
  upstream.fault({.count = 0}, {.hang = true});
  const auto when_the_registry_was_asked = [&](const test::ServedRequest& request, test::Reply&) {
    const std::string name = request.path.substr(request.path.rfind('/'));
    while (upstream.count("GET", name) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  mirror.fault({.target = "/manifests/", .count = 0}, {.edit = when_the_registry_was_asked});
  Client client(transport, options);
  BOOST_TEST(client.fetch_manifest(ctx, reference).descriptor.digest.to_string() == image.digest);
  BOOST_TEST(client.fetch_manifest(ctx, reference.with_digest(Digest::parse(image.digest))).descriptor.digest.to_string() == image.digest);
  BOOST_TEST(log.text().find("asked last") == std::string::npos, log.text());
  BOOST_TEST(join(client.explain(reference), "\n").find("; answered") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(when_the_hurried_registry_fails_the_mirror_is_still_waited_for) {
  options.patience = hardly_any;
  upstream.fault({.count = 0}, {.status = 500});
  const auto when_the_registry_has_answered = [&](const test::ServedRequest&, test::Reply&) {
    while (upstream.count("GET", "/manifests/") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  mirror.fault({.target = "/manifests/", .count = 0}, {.edit = when_the_registry_has_answered});
  Client client(transport, options);
  BOOST_TEST(client.fetch_manifest(ctx, reference).descriptor.digest.to_string() == image.digest);
}

// A host that hangs holds up everybody who waits for it once, not one after the other.
BOOST_AUTO_TEST_CASE(the_stop_is_heard_while_a_mirror_hangs) {
  std::stop_source stop;
  ctx.stop = stop.get_token();
  mirror.fault({.target = "/manifests/1", .count = 0}, {.edit = [&](const test::ServedRequest&, test::Reply& reply) {
                                                          stop.request_stop();
                                                          reply.hang = true;
                                                        }});
  Client client(transport, options);
  BOOST_CHECK_EXCEPTION(client.fetch_manifest(ctx, reference), Error, [](const Error& e) { return e.code() == ErrorCode::interrupted; });
  BOOST_TEST(upstream.log().size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
