// Transfers over several connections to hosts that stall, refuse or ignore some of them, over real sockets. What is asked for and when
// is the scheduler's, and tested in its own time (transfer_simulation_test.cc); here counts only what arrives, and how much of it twice.
#include "registry/transfer.h"

#include "tests/support/fake_registry.h"
#include "tests/support/noise.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

using namespace drover;
using namespace drover::registry;

namespace {

constexpr std::size_t mib = 1U << 20U;
constexpr std::uint64_t connection_rate = 20'000'000;  // bytes a second, so that one connection does not bring all before others begin

struct TransferFixture {
  test::FakeRegistry registry;
  test::TempDir directory;
  test::RecordingLog log;
  net::Transport transport;
  Context ctx{.log = &log};
  Client client{transport, {}};
  store::BlobStore store = store::BlobStore::open(directory / "store", store::BlobStore::Access::write);
  std::map<std::string, std::string> errors;  // by digest

  // Until all of these blobs are there, or given up; returns what went over the wire.
  std::uint64_t fetch(const std::vector<std::string>& blobs) {
    const Reference repository = Reference::parse(registry.reference("acme/api", "1"));
    const std::uint64_t before = client.counters().bytes;
    std::mutex mutex;
    Transfer transfer(ctx, client, store, {.jobs = 8}, [&](const Digest& digest, const std::optional<Error>& error) {
      const std::lock_guard lock(mutex);
      if (error) errors[digest.to_string()] = error->what();
    });
    for (const std::string& bytes : blobs) {
      const Digest digest = Digest::parse(registry.add_blob("acme/api", bytes));
      transfer.add({.media_type = "application/vnd.oci.image.layer.v1.tar", .digest = digest, .size = bytes.size(), .platform = {},
                    .annotations = {}, .urls = {}},
                   repository, "blob");
    }
    transfer.finish();
    return client.counters().bytes - before;
  }

  bool holds(const std::string& bytes) const {
    const Digest digest = Digest::parse(test::sha256_of(bytes));
    return store.has(digest, bytes.size()) && store.read(digest, bytes.size()) == bytes;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(transfer, TransferFixture)

BOOST_AUTO_TEST_CASE(what_a_connection_that_stalls_was_to_bring_comes_by_others) {
  const std::string bytes = test::noise(24 * mib, 1);
  registry.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = connection_rate});
  registry.fault({.target = "/blobs/", .from = 2, .count = 1}, {.stall_after = 600'000});

  const std::uint64_t received = fetch({bytes});

  BOOST_TEST(errors.empty());
  BOOST_TEST(holds(bytes));
  BOOST_TEST(received < 2 * bytes.size());
}

BOOST_AUTO_TEST_CASE(what_a_connection_without_an_answer_was_to_bring_comes_by_others) {
  const std::string bytes = test::noise(24 * mib, 2);
  registry.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = connection_rate});
  registry.fault({.target = "/blobs/", .from = 2, .count = 1}, {.hang = true});

  const std::uint64_t received = fetch({bytes});

  BOOST_TEST(errors.empty());
  BOOST_TEST(holds(bytes));
  BOOST_TEST(received < 2 * bytes.size());
}

// Only one request at a time gets its bytes; the others are told to come again.
BOOST_AUTO_TEST_CASE(a_server_that_is_busy_with_others_is_no_failure) {
  const std::string bytes = test::noise(24 * mib, 3);
  std::atomic<int> requests = 0;
  std::atomic<int> refused = 0;
  registry.fault({.target = "/blobs/", .count = 0},
                 {.bytes_per_second = connection_rate, .edit = [&](const test::ServedRequest&, test::Reply& reply) {
                    if (++requests % 3 != 0) return;
                    ++refused;
                    reply = test::Reply{.status = 503, .body = "busy", .close = true};
                  }});

  const std::uint64_t received = fetch({bytes});

  BOOST_TEST(errors.empty());
  BOOST_TEST(holds(bytes));
  BOOST_TEST(refused >= 1);
  BOOST_TEST(received < 2 * bytes.size());
}

// What they answer to a Range header alone.
const int refusals_of_ranges[] = {400, 403, 405, 416, 501};

BOOST_DATA_TEST_CASE(a_server_that_refuses_ranges_is_asked_without, boost::unit_test::data::make(refusals_of_ranges), status) {
  const std::string bytes = test::noise(24 * mib, 4);
  registry.fault({.target = "/blobs/", .count = 0}, {.edit = [&](const test::ServedRequest& request, test::Reply& reply) {
                   if (request.headers.find("range")) reply = test::Reply{.status = status, .body = "no"};
                 }});

  const std::uint64_t received = fetch({bytes});

  BOOST_TEST(errors.empty(), (errors.empty() ? "" : errors.begin()->second));
  BOOST_TEST(holds(bytes));
  BOOST_TEST(received < bytes.size() + mib);
}

BOOST_AUTO_TEST_CASE(who_may_not_pull_is_told_so_after_one_more_request) {
  const std::string bytes = test::noise(24 * mib, 5);
  registry.fault({.target = "/blobs/", .count = 0}, {.status = 403, .body = "no"});

  fetch({bytes});

  BOOST_REQUIRE(errors.size() == 1U);
  BOOST_TEST(errors.begin()->second.find("answered 403; the login may lack the right to pull this") != std::string::npos, errors.begin()->second);
  BOOST_TEST(registry.count("GET", "/blobs/") == 2U);
  BOOST_TEST(registry.log().front().request.headers.find("range").has_value());
  BOOST_TEST(!registry.log().back().request.headers.find("range").has_value());
}

BOOST_AUTO_TEST_CASE(a_server_without_ranges_sends_each_blob_about_once) {
  const std::string one = test::noise(20 * mib, 4);
  const std::string two = test::noise(9 * mib, 5);
  registry.fault({.target = "/blobs/", .count = 0}, {.ignore_range = true, .bytes_per_second = 2 * connection_rate});

  const std::uint64_t received = fetch({one, two});

  BOOST_TEST(errors.empty());
  BOOST_TEST(holds(one));
  BOOST_TEST(holds(two));
  BOOST_TEST(received < 2 * (one.size() + two.size()));
}

BOOST_AUTO_TEST_SUITE_END()
