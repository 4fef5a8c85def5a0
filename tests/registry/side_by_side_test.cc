// One blob from a registry and its mirror at once, over real sockets: who brings a part, who is left out, who is blamed. How much of it whom
// is the scheduler's to say, and tested in its own time (transfer_simulation_test.cc).
#include "registry/pull.h"
#include "registry/transfer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_registry.h"
#include "tests/support/noise.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <ostream>

namespace drover::registry {
namespace {

// Of each connection: one alone would take so long that others begin meanwhile, on any machine.
constexpr std::uint64_t host_rate = 20'000'000;

// Of all answers that turn out to be something else than was asked for, and of copies at the end: far less than the blob.
constexpr std::uint64_t twice_bytes_max = 8U << 20U;
constexpr double first_range_megabytes = 4.2;  // ChunkLimits::first
constexpr double large_megabytes = 18.8;

// The share of `host` in the line of the log that says who brought how much: "... 14.7 MB from 127.0.0.1:5000, ...". 0: none.
double megabytes_from(const std::string& log, const std::string& host) {
  const std::size_t line = log.rfind("large blobs came side by side: ");
  const std::size_t end = line == std::string::npos ? line : log.find(" MB from " + host, line);
  return end == std::string::npos ? 0 : std::stod(log.substr(log.find_last_of(" ", end - 1) + 1));
}

struct SideBySideFixture {
  test::FakeRegistry upstream;
  test::FakeRegistry mirror;
  test::TempDir folder{"drover-side-by-side"};
  test::FakeClock clock;
  test::RecordingLog log;
  net::Transport transport;
  ClientOptions options;
  Context ctx{.log = &log, .clock = &clock};
  const std::string large = test::noise(side_by_side_bytes_min + (2U << 20U), 1);
  const std::string blob = "/blobs/" + test::sha256_of(large);
  Reference reference = Reference::parse(upstream.reference("acme/api", "1"));
  store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);

  SideBySideFixture() {
    for (test::FakeRegistry* const registry : {&upstream, &mirror}) {
      registry->add_image("acme/api", "1", {{.bytes = large}});
      registry->fault({.target = blob, .count = 0}, {.bytes_per_second = host_rate});
    }
    folder.write("hosts.d/" + upstream.host() + "/hosts.toml", "[host.\"" + mirror.origin() + "\"]\n");
    options.certs_directories = {};
    options.mirrors.own_folders = {folder / "hosts.d"};
    // On a machine with more to do anybody may be slow: only where a test says so is the registry asked for that reason.
    options.patience = {.unknown = std::chrono::hours(1), .shortest = std::chrono::hours(1), .longest = std::chrono::hours(1)};
  }

  PulledImage pull_it(Client& client) { return pull(ctx, client, store, {reference}, {.platforms = {.all = true}, .jobs = 4}).images[0]; }
  void check_complete(const PulledImage& image) const {
    BOOST_TEST(image.complete, (image.error ? image.error->what() : ""));
    const Digest digest = Digest::parse(test::sha256_of(large));
    BOOST_TEST((store.has(digest, large.size()) && store.read(digest, large.size()) == large));
  }
  // What of the blob is on disk from there.
  double megabytes_from(const test::FakeRegistry& registry) const { return registry::megabytes_from(log.text(), registry.host()); }
  std::string told(const Client& client) const {
    std::string text;
    for (const std::string& line : client.explain(reference)) text += line + "\n";
    return text;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(side_by_side, SideBySideFixture)

BOOST_AUTO_TEST_CASE(both_bring_a_part_and_the_log_says_how_much) {
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(mirror.count("GET", blob) > 0U);
  BOOST_TEST(upstream.count("GET", blob) > 0U);
  BOOST_TEST(log.has(LogLevel::info, "large blobs came side by side: "), log.text());
  BOOST_TEST(log.text().find(" from " + mirror.host()) != std::string::npos, log.text());
  BOOST_TEST(log.text().find("warning") == std::string::npos, log.text());
}

BOOST_AUTO_TEST_CASE(documents_and_small_blobs_come_from_the_mirror_alone) {
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(upstream.count("GET", "/manifests/") == 0U);
  BOOST_TEST(upstream.count("GET", "/blobs/") == upstream.count("GET", blob));
}

BOOST_AUTO_TEST_CASE(a_registry_that_may_not_be_pulled_from_is_not) {
  folder.write("hosts.d/" + upstream.host() + "/hosts.toml", "capabilities = [\"resolve\"]\n[host.\"" + mirror.origin() + "\"]\n");
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(upstream.count("GET", "/blobs/") == 0U);
}

// Each of them is a reason to go on with the other.
struct Row {
  std::string name;
  test::Fault fault;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<Row> faults = {
    {"lacks_it", {.status = 404}},
    {"forbids_it", {.status = 403}},
    {"fails", {.status = 500}},
    {"is_busy", {.status = 429}},
    {"is_busy_for_a_day", {.status = 429, .headers = {{"Retry-After", "86400"}}}},
    {"breaks_off", {.reset_after = 1000}},
    {"ignores_ranges", {.ignore_range = true}},
    {"shifts_ranges", {.shift_range = 512}},
    {"is_very_slow", {.bytes_per_second = 50'000}},
};

BOOST_DATA_TEST_CASE(a_mirror_that_does_not_serve_is_left_out, faults, row) {
  mirror.fault({.target = blob, .count = 0}, row.fault);
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(mirror.count("GET", blob) > 0U);
}

const std::vector<Row> faults_of_the_registry = {faults[0], faults[3], faults[6]};

BOOST_DATA_TEST_CASE(so_is_the_registry_itself, faults_of_the_registry, row) {
  upstream.fault({.target = blob, .count = 0}, row.fault);
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(mirror.count("GET", blob) > 0U);
}

// What the registry sent stays, what is left comes from it in ranges, and the mirror is asked for nothing any more.
BOOST_AUTO_TEST_CASE(a_mirror_without_ranges_does_not_get_all_of_it) {
  mirror.fault({.target = blob, .count = 0}, {.ignore_range = true});
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(log.text().find("is left out for " + test::sha256_of(large) + ": it does not serve ranges") != std::string::npos, log.text());
  for (const test::LoggedRequest& request : mirror.log()) {
    const bool is_for_blob = request.request.target.find(blob) != std::string::npos;
    BOOST_TEST((!is_for_blob || request.request.headers.find("range")), "the whole was asked of the mirror");
  }
  for (const test::LoggedRequest& request : upstream.log()) {
    BOOST_TEST(request.request.headers.find("range").has_value(), "the whole was asked of the registry");
  }
  // Not more than the first range can have come from the mirror; of every other answer one piece came before it was seen to be the whole.
  BOOST_TEST(megabytes_from(mirror) <= first_range_megabytes, log.text());
  BOOST_TEST(megabytes_from(upstream) >= large_megabytes - first_range_megabytes, log.text());
  BOOST_TEST(client.counters().bytes < large.size() + twice_bytes_max, log.text());
}

BOOST_AUTO_TEST_CASE(a_registry_without_ranges_leaves_all_of_it_to_the_mirror) {
  upstream.fault({.target = blob, .count = 0}, {.ignore_range = true});
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(megabytes_from(upstream) <= first_range_megabytes, log.text());
  BOOST_TEST(megabytes_from(mirror) >= large_megabytes - first_range_megabytes, log.text());
  BOOST_TEST(client.counters().bytes < large.size() + twice_bytes_max, log.text());
}

// Known from the first blob, it is not tried with the second one.
BOOST_AUTO_TEST_CASE(a_mirror_without_ranges_is_not_asked_for_parts_again) {
  const std::string other = test::noise(side_by_side_bytes_min + 5, 1);
  for (test::FakeRegistry* const registry : {&upstream, &mirror}) registry->add_image("acme/other", "1", {{.bytes = other}});
  mirror.fault({.target = "/blobs/", .count = 0}, {.ignore_range = true});
  Client client(transport, options);
  check_complete(pull_it(client));
  pull(ctx, client, store, {Reference::parse(upstream.reference("acme/other", "1"))}, {.platforms = {.all = true}, .jobs = 4});
  BOOST_TEST(store.has(Digest::parse(test::sha256_of(other)), other.size()));
  BOOST_TEST(mirror.count("GET", test::sha256_of(other)) == 0U);
}

BOOST_AUTO_TEST_CASE(where_nobody_serves_ranges_it_comes_whole) {
  for (test::FakeRegistry* const registry : {&upstream, &mirror}) registry->fault({.target = blob, .count = 0}, {.ignore_range = true});
  Client client(transport, options);
  check_complete(pull_it(client));
}

// The one that does not range is the only one that has it.
BOOST_AUTO_TEST_CASE(a_mirror_that_was_left_out_is_asked_when_the_registry_fails) {
  mirror.fault({.target = blob, .count = 0}, {.ignore_range = true});
  upstream.fault({.target = blob, .from = 2, .count = 0}, {.status = 404});
  Client client(transport, options);
  check_complete(pull_it(client));
}

// --- blobs below 16 MiB: the mirror alone, as long as it is not slow ----------------------------------------------------------------

// However short: who never answers is overtaken, and who crawls beside one who does not.
constexpr Patience hardly_any{.unknown = std::chrono::milliseconds(20), .shortest = std::chrono::milliseconds(20), .longest = std::chrono::milliseconds(20)};

struct SmallFixture : SideBySideFixture {
  const std::string small = test::noise(9U << 20U, 1);
  const std::string tiny = "a layer of a few words";

  // Nothing but these: documents have a patience of their own.
  void fetch(Client& client) {
    std::optional<Error> failure;
    Transfer transfer(ctx, client, store, {.jobs = 4}, [&](const Digest&, const std::optional<Error>& error) {
      if (error) failure = error;
    });
    for (const std::string& bytes : {small, tiny}) {
      const Digest digest = Digest::parse(upstream.add_blob("acme/api", bytes));
      mirror.add_blob("acme/api", bytes);
      transfer.add({.media_type = "application/vnd.oci.image.layer.v1.tar", .digest = digest, .size = bytes.size(), .platform = {},
                    .annotations = {}, .urls = {}},
                   reference, "blob");
    }
    transfer.finish();
    BOOST_TEST(!failure, (failure ? failure->what() : ""));
    for (const std::string& bytes : {small, tiny}) BOOST_TEST(store.has(Digest::parse(test::sha256_of(bytes)), bytes.size()));
  }
};

BOOST_FIXTURE_TEST_CASE(small_blobs_come_from_a_mirror_that_is_not_slow, SmallFixture) {
  Client client(transport, options);
  fetch(client);
  BOOST_TEST(upstream.log().empty());
  BOOST_TEST(mirror.count("GET", test::sha256_of(tiny)) == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_mirror_that_does_not_begin_is_asked_last, SmallFixture) {
  options.patience = hardly_any;
  mirror.fault({.target = "/blobs/", .count = 0}, {.hang = true});
  Client client(transport, options);
  fetch(client);
  BOOST_TEST(log.has(LogLevel::warning, "it is far slower than who comes after it; it is asked last from now on"), log.text());
  BOOST_TEST(told(client).find("; asked last: it is far slower") != std::string::npos, told(client));
}

BOOST_FIXTURE_TEST_CASE(a_mirror_that_crawls_is_left_to_the_registry, SmallFixture) {
  options.patience = hardly_any;
  mirror.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = 20'000});
  Client client(transport, options);
  fetch(client);
  BOOST_TEST(upstream.count("GET", test::sha256_of(small)) > 0U);
}

// Who cannot be had does not hold up who is slow.
BOOST_FIXTURE_TEST_CASE(a_slow_mirror_serves_where_the_registry_does_not, SmallFixture) {
  options.patience = hardly_any;
  mirror.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = 8'000'000});
  upstream.fault({.count = 0}, {.status = 500});
  Client client(transport, options);
  fetch(client);
}

// The whole has the wrong digest, but not all of it came from there: comparing with the right copy tells.
BOOST_AUTO_TEST_CASE(a_mirror_that_sends_wrong_bytes_is_found_out) {
  mirror.fault({.target = blob, .count = 0}, {.flip_byte = 1000});
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(log.has(LogLevel::warning, "mirror " + mirror.host()), log.text());
  BOOST_TEST(told(client).find("put aside: sent wrong bytes for " + test::sha256_of(large)) != std::string::npos, told(client));
}

BOOST_AUTO_TEST_CASE(a_mirror_is_not_blamed_for_what_the_registry_sent) {
  upstream.fault({.target = blob, .count = 0}, {.flip_byte = 1000});
  Client client(transport, options);
  check_complete(pull_it(client));
  BOOST_TEST(told(client).find("put aside") == std::string::npos, told(client));
  BOOST_TEST(log.has(LogLevel::warning, upstream.host() + " sent wrong bytes for " + test::sha256_of(large)), log.text());
}

BOOST_AUTO_TEST_CASE(wrong_bytes_from_both_are_never_committed) {
  for (test::FakeRegistry* const registry : {&upstream, &mirror}) registry->fault({.target = blob, .count = 0}, {.flip_byte = 1000});
  Client client(transport, options);
  const PulledImage image = pull_it(client);
  BOOST_TEST(!image.complete);
  BOOST_TEST((image.error && image.error->code() == ErrorCode::digest_mismatch));
  BOOST_TEST(!store.has(Digest::parse(test::sha256_of(large)), large.size()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
