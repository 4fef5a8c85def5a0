// Whole pulls against a registry with faults: what lands in the store is right or nothing, and cuts cost little.
#include "registry/pull.h"

#include "manifest/media_type.h"
#include "registry/transfer.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_registry.h"
#include "tests/support/noise.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace drover;
using namespace drover::registry;
namespace data = boost::unit_test::data;

namespace {

constexpr std::size_t large = 11U << 20U;  // several chunks
// What may come of what is needed when nothing is to come again. On a loaded machine a connection that seems to hang is overtaken by another
// one, and some bytes come twice; what begins anew is twice as much.
constexpr double once = 1.5;

// Lets no blob end before so many were open at once.
class FullDisk final : public Progress {
 public:
  explicit FullDisk(std::size_t wanted) : wanted_(wanted) {}

  void on(const ProgressEvent& event) noexcept override {
    if (event.phase != "fetch") return;
    std::unique_lock lock(mutex_);
    if (event.kind == ProgressEvent::Kind::started) {
      most_ = std::max(most_, ++open_);
      changed_.notify_all();
    }
    if (event.kind != ProgressEvent::Kind::finished) return;
    changed_.wait(lock, [this] { return most_ >= wanted_; });
    --open_;
  }
  std::size_t most() const { return most_; }

 private:
  const std::size_t wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t open_ = 0;
  std::size_t most_ = 0;
};

// Told of the first blob that is given up.
class FirstFailure final : public Progress {
 public:
  void on(const ProgressEvent& event) noexcept override {
    if (event.kind == ProgressEvent::Kind::failed) std::call_once(once_, [this] { happened_.count_down(); });
  }
  void wait() { happened_.wait(); }

 private:
  std::once_flag once_;
  std::latch happened_{1};
};

// How many files this process has open: at its beginning, and at most when a blob fails.
class FileCount final : public Progress {
 public:
  void on(const ProgressEvent& event) noexcept override {
    if (event.kind != ProgressEvent::Kind::failed) return;
    const std::lock_guard lock(mutex_);
    most_ = std::max(most_, count());
  }
  std::size_t before() const { return before_; }
  std::size_t most() const { return most_; }

 private:
  static std::size_t count() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
  }
  std::mutex mutex_;
  const std::size_t before_ = count();
  std::size_t most_ = 0;
};

// Two images that share their base layer, one of them with a layer of several chunks.
struct PullFixture {
  test::FakeRegistry registry;
  test::TempDir directory;
  test::FakeClock clock;
  test::RecordingLog log;
  net::Transport transport;
  std::stop_source stop;
  Context ctx{.stop = stop.get_token(), .log = &log, .clock = &clock};
  std::string base = test::noise(700'000, 1);
  std::string top = test::noise(large, 2);
  test::FakeImage one = registry.add_image("acme/one", "1", {{.bytes = base}, {.bytes = top}});
  test::FakeImage two = registry.add_image("acme/two", "1", {{.bytes = base}, {.bytes = test::noise(5000, 3)}});
  std::uint64_t layer_bytes = base.size() + top.size() + 5000;
  store::BlobStore store = store::BlobStore::open(directory / "store", store::BlobStore::Access::write);

  std::vector<Reference> both() const { return {Reference::parse(registry.reference("acme/one", "1")), Reference::parse(registry.reference("acme/two", "1"))}; }

  PullReport pull_all(const ImagesReady& on_ready = {}) {
    Client client(transport, {});
    return pull(ctx, client, store, both(), {.platforms = {.all = true}, .jobs = 4}, on_ready);
  }

  bool holds(const std::string& bytes) const {
    const Digest digest = Digest::parse(test::sha256_of(bytes));
    return store.has(digest, bytes.size()) && store.read(digest, bytes.size()) == bytes;
  }

  // An image whose layers are said to have these digests and this size.
  void add_claim(const std::string& repository, const std::vector<std::string>& layers, std::uint64_t size) {
    std::string diff_ids;
    std::string descriptors;
    for (const std::string& layer : layers) {
      const std::string comma = diff_ids.empty() ? "" : ",";
      diff_ids += comma + '"' + layer + '"';
      descriptors += comma + R"({"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + layer + R"(","size":)" + std::to_string(size) + '}';
    }
    const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)" + diff_ids + "]}}";
    const std::string config_digest = registry.add_blob(repository, config);
    registry.add_manifest(repository, "1",
                          R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
                          R"("application/vnd.oci.image.config.v1+json","digest":")" + config_digest + R"(","size":)" + std::to_string(config.size()) +
                              R"(},"layers":[)" + descriptors + "]}",
                          "application/vnd.oci.image.manifest.v1+json");
  }

  bool is_complete() const { return holds(base) && holds(top) && store.tags().size() == 2; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pulling, PullFixture)

BOOST_AUTO_TEST_CASE(everything_lands_and_shared_blobs_come_once) {
  std::mutex mutex;
  std::set<std::size_t> ready;
  const PullReport report = pull_all([&](const std::vector<ReadyImage>& images) {
    const std::lock_guard lock(mutex);
    for (const ReadyImage& ready_image : images) {
      BOOST_TEST(ready_image.image->complete);
      ready.insert(ready_image.index);
    }
  });

  BOOST_TEST(is_complete());
  BOOST_TEST(ready.size() == 2U);
  BOOST_TEST(registry.count("GET", "/blobs/" + test::sha256_of(base)) == 1U);
  BOOST_TEST(report.bytes.reused == 0U);
  BOOST_TEST(report.bytes.fetched == report.bytes.total);
  BOOST_TEST(report.bytes.wasted < report.bytes.total / 100);  // what a request brought beyond its new end
  BOOST_TEST(report.bytes.total > layer_bytes);
}


BOOST_AUTO_TEST_CASE(an_image_that_is_not_there_leaves_the_others_alone) {
  Client client(transport, {});
  const std::vector<Reference> wanted = {Reference::parse(registry.reference("acme/none", "1")), both()[1]};
  const PullReport report = pull(ctx, client, store, wanted, {.platforms = {.all = true}});
  BOOST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST((report.images[0].error->code() == ErrorCode::not_found));
  BOOST_TEST(std::string(report.images[0].error->what()).find("acme/none:1") != std::string::npos);
  BOOST_TEST(report.images[1].complete);
}

BOOST_AUTO_TEST_CASE(a_foreign_layer_that_the_registry_serves_is_fetched) {
  registry.add_image("acme/windows", "1", {{.bytes = "served", .media_type = std::string(media_type::docker_foreign_layer_gzip)}});
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/windows", "1"))}, {.platforms = {.all = true}});
  BOOST_TEST(report.images[0].complete);
  BOOST_TEST(holds("served"));
  BOOST_TEST(log.text().find("non-distributable") == std::string::npos, log.text());
}

BOOST_AUTO_TEST_CASE(a_foreign_layer_that_the_registry_lacks_is_left_out_with_a_word) {
  registry.add_image("acme/windows", "1", {{.bytes = "here"}, {.bytes = "elsewhere", .media_type = std::string(media_type::oci_foreign_layer_gzip)}});
  registry.add_image("acme/linux", "1", {{.bytes = "lost"}});
  registry.remove_blob(test::sha256_of("elsewhere"));
  registry.remove_blob(test::sha256_of("lost"));
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store,
                                 {Reference::parse(registry.reference("acme/windows", "1")), Reference::parse(registry.reference("acme/linux", "1"))},
                                 {.platforms = {.all = true}});
  BOOST_TEST(report.images[0].complete);
  BOOST_TEST(holds("here"));
  BOOST_TEST(log.text().find("layer " + test::sha256_of("elsewhere") + " is non-distributable") != std::string::npos, log.text());
  BOOST_TEST(!report.images[1].complete);
}

BOOST_AUTO_TEST_CASE(a_missing_platform_is_named) {
  Client client(transport, {});
  registry.add_index("acme/multi", "1", {one});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/multi", "1"))}, {.platforms = {.wanted = {Platform::parse("linux/riscv64")}}});
  BOOST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST((report.images[0].error->code() == ErrorCode::platform_missing));
  BOOST_TEST(std::string(report.images[0].error->what()).find("linux/riscv64 (has linux/amd64)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_keeps_what_came_and_the_next_run_goes_on) {
  registry.fault({.target = test::sha256_of(top), .count = 0}, {.bytes_per_second = 8'000'000});
  // The large blob's bytes as they come in.
  class Arrived final : public Progress {
   public:
    void on(const ProgressEvent& event) noexcept override {
      if (event.kind == ProgressEvent::Kind::advanced && event.done >= 4'000'000) is_enough_ = true;
    }
    bool is_enough() const { return is_enough_; }

   private:
    std::atomic<bool> is_enough_{false};
  } arrived;
  ctx.progress = &arrived;
  std::jthread stopper([&](const std::stop_token& over) {
    while (!arrived.is_enough() && !over.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  });
  BOOST_CHECK_EXCEPTION(pull_all(), Error, [](const Error& e) { return e.code() == ErrorCode::interrupted; });
  stopper.request_stop();
  stopper.join();
  registry.clear_faults();
  ctx.stop = {};
  const PullReport report = pull_all();
  BOOST_TEST(is_complete());
  BOOST_TEST(report.bytes.resumed > 500'000U);
  BOOST_TEST(report.bytes.fetched + report.bytes.resumed + report.bytes.reused == report.bytes.total);
  BOOST_TEST(static_cast<double>(report.bytes.fetched + report.bytes.wasted) <= once * static_cast<double>(report.bytes.total));
}

struct Case {
  const char* name;
  std::function<void(test::FakeRegistry&, const std::string& digest)> arrange;
  double bytes_max = once;  // that came, of what is needed
};

std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

// A request for all of a blob has no range that could be refused: on a slow machine the first one may be such.
std::function<void(const test::ServedRequest&, test::Reply&)> refuse_one_range() {
  return [is_refused = std::make_shared<std::atomic<bool>>(false)](const test::ServedRequest& request, test::Reply& reply) {
    if (request.headers.find("range") && !is_refused->exchange(true)) reply = test::Reply{.status = 416};
  };
}

const Case mended[] = {
    {"resets_at_every_megabyte", [](auto& r, const auto& d) { r.fault({.target = d, .count = 12}, {.reset_after = 1'000'000}); }, once},
    {"clean_closes", [](auto& r, const auto& d) { r.fault({.target = d, .count = 5}, {.close_after = 500'000}); }, once},
    {"server_errors", [](auto& r, const auto& d) { r.fault({.target = d, .count = 3}, {.status = 503, .body = "busy"}); }, once},
    {"too_many_requests", [](auto& r, const auto& d) { r.fault({.target = d, .count = 2}, {.status = 429, .headers = {{"Retry-After", "3"}}}); }, once},
    {"ranges_ignored", [](auto& r, const auto& d) { r.fault({.target = d, .count = 0}, {.ignore_range = true}); }, 3.0},
    {"ranges_refused_once", [](auto& r, const auto& d) { r.fault({.target = d, .count = 0}, {.edit = refuse_one_range()}); }, 2.0},
    {"wrong_content_range", [](auto& r, const auto& d) { r.fault({.target = d, .count = 2}, {.content_range = "bytes 5-10/20"}); }, 2.5},
    {"shifted_ranges", [](auto& r, const auto& d) { r.fault({.target = d, .count = 2}, {.shift_range = 100}); }, 2.5},
    {"multipart_ranges", [](auto& r, const auto& d) { r.fault({.target = d, .count = 2}, {.multipart = true}); }, 2.5},
    {"chunked_without_length", [](auto& r, const auto& d) { r.fault({.target = d, .count = 0}, {.chunked = true}); }, once},
    {"one_wrong_byte_once", [](auto& r, const auto& d) { r.fault({.target = d, .count = 1}, {.flip_byte = 1000}); }, 2.1},
    {"signed_urls_that_expire", [](auto& r, const auto&) { r.set_redirect({.enabled = true, .uses_max = 2}); }, once},
    {"tokens_that_expire", [](auto& r, const auto&) { r.set_auth({.scheme = test::FakeAuth::Scheme::bearer, .anonymous_pull = true, .token_uses_max = 3}); }, once},
};

BOOST_DATA_TEST_CASE(faults_are_mended, data::make(mended), row) {
  row.arrange(registry, test::sha256_of(top));
  const PullReport report = pull_all();
  for (const PulledImage& image : report.images) BOOST_TEST(!image.error.has_value(), (image.error ? image.error->what() : ""));
  BOOST_TEST(is_complete());
  BOOST_TEST(report.bytes.fetched == report.bytes.total);
  BOOST_TEST(static_cast<double>(report.bytes.fetched + report.bytes.wasted) <= row.bytes_max * static_cast<double>(report.bytes.total));
  BOOST_TEST(!registry.saw_authorization(1));
}

struct Final {
  const char* name;
  test::Fault fault;
  ErrorCode code;
  bool is_the_blobs = true;  // rather than the host's, which then gives nothing more
};

std::ostream& operator<<(std::ostream& out, const Final& row) { return out << row.name; }

const Final broken[] = {
    {"wrong_bytes", {.flip_byte = 1000}, ErrorCode::digest_mismatch},
    {"gone", {.status = 404}, ErrorCode::not_found},
    {"forbidden", {.status = 403}, ErrorCode::authentication},
    {"busy_for_a_day", {.status = 429, .headers = {{"Retry-After", "86400"}}}, ErrorCode::rate_limited, false},
    {"always_down", {.status = 500}, ErrorCode::network},
    {"always_cut", {.reset_after = 0}, ErrorCode::network},
};

BOOST_DATA_TEST_CASE(what_cannot_be_mended_fails_one_image_and_leaves_no_tag, data::make(broken), row) {
  registry.fault({.target = "/blobs/" + test::sha256_of(top), .count = 0}, row.fault);
  const PullReport report = pull_all();
  BOOST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST(to_string(report.images[0].error->code()) == to_string(row.code), report.images[0].error->what());
  BOOST_TEST(std::string(report.images[0].error->what()).find("cannot pull") == 0U, report.images[0].error->what());
  BOOST_TEST(!store.has(Digest::parse(test::sha256_of(top)), top.size()));
  if (row.is_the_blobs) BOOST_TEST(report.images[1].complete);
  BOOST_TEST(store.tags().size() == (report.images[1].complete ? 1U : 0U));
}

BOOST_AUTO_TEST_CASE(a_shared_layer_comes_from_whichever_repository_has_it) {
  registry.fault({.target = "/acme/one/blobs/" + test::sha256_of(base), .count = 0}, {.status = 404});
  registry.fault({.target = "/acme/two/blobs/" + test::sha256_of(base), .count = 0}, {.status = 404});
  registry.fault({.target = "/acme/one/blobs/" + test::sha256_of(base), .count = 0}, {.delay = std::chrono::milliseconds(300)});
  registry.add_image("acme/three", "1", {{.bytes = base}});
  std::vector<Reference> all = both();
  all.push_back(Reference::parse(registry.reference("acme/three", "1")));
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, all, {.platforms = {.all = true}});
  for (const PulledImage& image : report.images) BOOST_TEST(!image.error.has_value(), (image.error ? image.error->what() : ""));
  BOOST_TEST(holds(base));
}

// Whoever comes when the blob was given up at the others' repositories asks his own.
BOOST_AUTO_TEST_CASE(a_shared_layer_comes_from_the_repository_of_an_image_that_comes_late) {
  FirstFailure failure;
  ctx.progress = &failure;
  registry.fault({.target = "/acme/one/blobs/" + test::sha256_of(base), .count = 0}, {.status = 404});
  registry.add_image("acme/late", "1", {{.bytes = base}});
  registry.fault({.target = "/acme/late/manifests/1"}, {.edit = [&](const test::ServedRequest&, test::Reply&) { failure.wait(); }});
  Client client(transport, {});
  const PullReport report =
      pull(ctx, client, store, {both()[0], Reference::parse(registry.reference("acme/late", "1"))}, {.platforms = {.all = true}});
  for (const PulledImage& image : report.images) BOOST_TEST(image.complete, (image.error ? image.error->what() : ""));
  BOOST_TEST(holds(base));
}

BOOST_AUTO_TEST_CASE(a_size_that_no_disk_has_fails_one_image) {
  add_claim("acme/huge", {test::sha256_of("x")}, 4611686018427387904);
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/huge", "1")), both()[1]}, {.platforms = {.all = true}});
  BOOST_TEST(report.images[0].error.has_value());
  BOOST_TEST(report.images[1].complete);
}

// Nothing is to be fetched of it, so that no request's end brings the failure to light.
BOOST_AUTO_TEST_CASE(an_empty_layer_under_another_digest_fails_one_image) {
  add_claim("acme/empty", {test::sha256_of("x")}, 0);
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/empty", "1")), both()[1]}, {.platforms = {.all = true}});
  BOOST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST(to_string(report.images[0].error->code()) == to_string(ErrorCode::digest_mismatch), report.images[0].error->what());
  BOOST_TEST(report.images[1].complete);
}

// Blobs that have come faster than the disk takes them, each with a file or two open.
BOOST_AUTO_TEST_CASE(as_many_blobs_as_wait_for_the_disk_are_open_and_no_more) {
  constexpr std::size_t open_max = 128;
  std::vector<test::FakeLayer> layers;
  for (unsigned i = 0; i < 3 * open_max; ++i) layers.push_back({.bytes = test::noise(1000, 100 + i)});
  registry.add_image("acme/many", "1", layers);
  FullDisk disk(open_max);
  ctx.progress = &disk;
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/many", "1"))}, {.platforms = {.all = true}, .jobs = 4});
  BOOST_TEST(report.images[0].complete);
  BOOST_TEST(disk.most() <= open_max + 2);  // two have ended, which are still told about
}

BOOST_AUTO_TEST_CASE(blobs_that_are_given_up_leave_nothing_open) {
  std::vector<std::string> layers;
  for (unsigned i = 0; i < 200; ++i) layers.push_back(test::sha256_of("none " + std::to_string(i)));
  add_claim("acme/none", layers, 1000);
  FileCount files;
  ctx.progress = &files;
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, {Reference::parse(registry.reference("acme/none", "1"))}, {.platforms = {.all = true}, .jobs = 4});
  BOOST_TEST(report.images[0].error.has_value());
  BOOST_TEST(files.most() < files.before() + 150);  // of which half are the connections, on both sides
}

BOOST_AUTO_TEST_CASE(an_exception_of_another_kind_fails_one_blob) {
  class NoRoom final : public Log {
    void write(LogLevel, std::string_view text) override {
      if (text.find("does not serve ranges") != std::string_view::npos) throw std::length_error("no room for a line");
    }
  } full;
  ctx.log = &full;
  registry.add_image("acme/alone", "1", {{.bytes = top}});
  registry.fault({.target = test::sha256_of(top), .count = 0}, {.status = 416});
  // Nothing is known of any connection yet, so that the first request is one for a range.
  Client client(transport, {});
  const PullReport alone = pull(ctx, client, store, {Reference::parse(registry.reference("acme/alone", "1"))}, {.platforms = {.all = true}, .jobs = 4});
  BOOST_REQUIRE(alone.images[0].error.has_value());
  BOOST_TEST(std::string(alone.images[0].error->what()).find("no room for a line") != std::string::npos, alone.images[0].error->what());

  const PullReport both = pull_all();
  BOOST_TEST(both.images[0].error.has_value());
  BOOST_TEST(both.images[1].complete);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which need more addresses than the limit leaves
BOOST_AUTO_TEST_CASE(a_machine_without_room_for_all_threads_is_told_of) {
  Client client(transport, {});
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // else it would wait for threads that never began
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (64U << 20U);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(2);
    try {
      const Transfer transfer(ctx, client, store, {.jobs = 16}, [](const Digest&, const std::optional<Error>&) {});
    } catch (const Error&) {
      _exit(0);
    }
    _exit(1);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0), "status " << status);
}
#endif

BOOST_AUTO_TEST_CASE(the_plan_says_what_would_be_fetched) {
  Client client(transport, {});
  const auto plan_all = [&] { return plan_pull(resolve_all(ctx, client, store, both(), {.platforms = {.all = true}}), store); };
  const PullPlan before = plan_all();
  BOOST_TEST(before.bytes_missing == before.bytes_total);
  BOOST_TEST(before.blobs.size() == 7U);
  BOOST_TEST(before.blobs.back().descriptor.size == large);
  pull_all();
  BOOST_TEST(plan_all().bytes_missing == 0U);
}

BOOST_AUTO_TEST_CASE(what_the_store_has_by_digest_is_not_asked_for_again) {
  pull_all();
  registry.clear_log();

  const PullReport again = pull_all();

  BOOST_TEST(again.images[0].complete);
  BOOST_TEST(registry.count("GET", "/v2/acme/") == 2U);  // what the tags mean
  BOOST_TEST(registry.count("GET", "/manifests/1") == 2U);
  BOOST_TEST(again.bytes.total == again.bytes.fetched + again.bytes.reused);
  BOOST_TEST(again.bytes.reused > layer_bytes);
}

BOOST_AUTO_TEST_CASE(a_pinned_image_that_is_there_needs_no_registry) {
  const std::string index = registry.add_index("acme/one", "index", {one});
  const Reference pinned = Reference::parse(registry.host() + "/acme/one@" + index);
  Client client(transport, {});
  pull(ctx, client, store, {pinned}, {.platforms = {.all = true}});
  registry.clear_log();

  const PullReport again = pull(ctx, client, store, {pinned}, {.platforms = {.all = true}});

  BOOST_TEST(again.images[0].complete);
  BOOST_TEST(registry.log().empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_document_of_the_store_is_asked_for) {
  pull_all();
  const std::filesystem::path config = store.blob_path(Digest::parse(one.config_digest));
  std::filesystem::permissions(config, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::ofstream(config) << "{";
  registry.clear_log();

  BOOST_TEST(pull_all().images[0].complete);

  BOOST_TEST(registry.count("GET", "/blobs/" + one.config_digest) == 1U);
}

BOOST_AUTO_TEST_CASE(a_rate_limit_holds) {
  ctx.clock = &Clock::real();
  Client client(transport, {});
  const PullReport report = pull(ctx, client, store, both(), {.platforms = {.all = true}, .rate_bytes_per_second = 20'000'000});
  BOOST_TEST(is_complete());
  BOOST_TEST(report.seconds > 0.45);
}

BOOST_AUTO_TEST_SUITE_END()
