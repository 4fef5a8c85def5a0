#include "stack/prefetch.h"

#include "stack/forecast.h"

#include "tests/stack/listed_engine.h"
#include "tests/support/fake_registry.h"
#include "tests/support/recording_progress.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::stack;
using namespace drover::test;

namespace {

struct Surroundings {
  WantedImage publish(const std::string& name, const char* platform = "") {
    const FakeImage amd64 = registry.add_image(name, "", {{.bytes = name + " amd64"}}, {.architecture = "amd64"});
    const FakeImage arm64 = registry.add_image(name, "", {{.bytes = name + " arm64"}}, {.architecture = "arm64"});
    registry.add_index(name, "1", {amd64, arm64});
    WantedImage wanted{.reference = Reference::parse(registry.reference(name, "1")), .platform = {}, .services = {name}};
    if (*platform != '\0') wanted.platform = Platform::parse(platform);
    return wanted;
  }
  PrefetchReport run(const std::vector<WantedImage>& images, bool keep_going = true) {
    PrefetchOptions options;
    options.pull.platforms.wanted = {Platform::parse("linux/amd64")};
    options.keep_going = keep_going;
    return prefetch(Context{}, client, store, nullptr, images, options);
  }

  TempDir folder;
  FakeRegistry registry;
  net::Transport transport;
  registry::Client client{transport, {}};
  store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);
};

using State = PrefetchedImage::State;

bool is_stored(const PrefetchedImage& image) { return image.state == State::stored && !image.error; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(prefetching, Surroundings)

BOOST_AUTO_TEST_CASE(reports_come_in_the_order_of_the_wanted_images) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db", "linux/arm64"), publish("mail")};

  const PrefetchReport report = run(wanted);

  BOOST_TEST_REQUIRE(report.images.size() == 3U);
  BOOST_TEST_REQUIRE(report.pulled.images.size() == 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(is_stored(report.images[i]));
    BOOST_TEST(report.images[i].wanted.reference == wanted[i].reference);
    BOOST_TEST(report.pulled.images[i].reference == wanted[i].reference);
    BOOST_TEST(report.images[i].digest.has_value());
  }
  BOOST_TEST(report.images[1].platform.to_string() == "linux/arm64");
}

BOOST_AUTO_TEST_CASE(an_image_wanted_twice_is_pulled_once_and_reported_twice) {
  const WantedImage web = publish("web");

  const PrefetchReport report = run({web, web, publish("db")});

  for (const PrefetchedImage& image : report.images) BOOST_TEST(is_stored(image));
  BOOST_TEST(report.images[2].wanted.services.front() == "db");
  BOOST_TEST(registry.count("GET", "/v2/web/manifests/1") == 1U);
}

BOOST_AUTO_TEST_CASE(a_service_of_one_platform_does_not_fail_for_another_that_is_asked_for) {
  const FakeImage arm64 = registry.add_image("db", "", {{.bytes = "db arm64"}}, {.architecture = "arm64"});
  registry.add_index("db", "1", {arm64});
  const WantedImage db{.reference = Reference::parse(registry.reference("db", "1")), .platform = Platform::parse("linux/arm64"), .services = {"db"}};

  const PrefetchReport report = run({db});  // for linux/amd64

  BOOST_TEST(is_stored(report.images[0]));
  BOOST_TEST(report.images[0].digest->to_string() == arm64.digest);
}

BOOST_AUTO_TEST_CASE(a_failing_image_leaves_the_others_alone) {
  WantedImage missing = publish("web");
  registry.remove_tag("web", "1");

  const PrefetchReport report = run({missing, publish("db")});

  BOOST_TEST((report.images[0].state == State::failed));
  BOOST_TEST((report.images[0].error->code() == ErrorCode::not_found));
  BOOST_TEST(is_stored(report.images[1]));
}

BOOST_AUTO_TEST_CASE(every_image_of_a_stopped_run_has_a_state_and_a_cause) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db", "linux/arm64")};
  registry.fault({.target = "/v2/web/blobs/", .count = 0}, {.status = 404});

  const PrefetchReport report = run(wanted, false);

  BOOST_TEST((report.images[0].state == State::failed));
  BOOST_TEST(report.images[0].error.has_value());
  BOOST_TEST((report.images[1].state == State::failed));  // its pull comes second
  BOOST_TEST(std::string(report.images[1].error->what()).find("--fail-fast") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_failure_that_stops_a_run_keeps_its_class) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db"), publish("mail", "linux/arm64")};
  registry.fault({.target = "/v2/web/blobs/" + sha256_of("web amd64"), .count = 0}, {.status = 401});

  const PrefetchReport report = run(wanted, false);

  BOOST_TEST_REQUIRE(report.images[0].error.has_value());
  BOOST_TEST(to_string(report.images[0].error->code()) == "authentication");
  BOOST_TEST_REQUIRE(report.images[2].error.has_value());  // its pull comes second
  BOOST_TEST(std::string(report.images[2].error->what()).find("stopped at the first failure (cannot pull ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_resolved_stops_the_run_before_the_first_layer) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db", "linux/arm64")};
  registry.remove_tag("db", "1");
  PrefetchOptions options;
  options.pull.platforms.wanted = {Platform::parse("linux/amd64")};
  options.keep_going = false;
  options.on_forecast = [](const Forecast&) {};

  const PrefetchReport report = prefetch(Context{}, client, store, nullptr, wanted, options);

  BOOST_TEST(registry.count("GET", "/blobs/" + sha256_of("web amd64")) == 0U);
  BOOST_TEST_REQUIRE(report.images[1].error.has_value());
  BOOST_TEST(to_string(report.images[1].error->code()) == "not_found");
  BOOST_TEST(std::string(report.images[0].error->what()).find("--fail-fast") != std::string::npos);
}

// The failure is told from within the transfer that it stops.
BOOST_AUTO_TEST_CASE(a_failing_layer_stops_the_run) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db", "linux/arm64")};
  registry.fault({.target = "/v2/web/blobs/" + sha256_of("web amd64"), .count = 0}, {.status = 404});

  const PrefetchReport report = run(wanted, false);

  for (const PrefetchedImage& image : report.images) {
    BOOST_TEST((image.state == State::failed));
    BOOST_TEST(image.error.has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_stop_of_the_caller_is_thrown) {
  std::stop_source stop;
  stop.request_stop();
  const WantedImage web = publish("web");
  Context ctx;
  ctx.stop = stop.get_token();

  BOOST_CHECK_EXCEPTION(prefetch(ctx, client, store, nullptr, {web}, {}), Error, [](const Error& e) { return e.code() == ErrorCode::interrupted; });
}

BOOST_AUTO_TEST_CASE(a_dead_engine_is_refused_before_the_registry_is_asked) {
  engine::Endpoint endpoint;
  endpoint.unix_socket = folder / "nobody";
  endpoint.url = net::Url::parse("http://localhost/");
  endpoint.origin = "unix://nobody";
  engine::Client engine(transport, endpoint);
  const WantedImage web = publish("web");
  registry.clear_log();

  BOOST_CHECK_EXCEPTION(prefetch(Context{}, client, store, &engine, {web}, {}), Error, [](const Error& e) { return e.code() == ErrorCode::refused; });
  BOOST_TEST(registry.log().empty());
}

BOOST_AUTO_TEST_CASE(what_the_engine_has_is_present) {
  const WantedImage web = publish("web");
  ListedEngine listed("1.41", false);
  const FakeImage amd64 = registry.add_image("web", "", {{.bytes = "web amd64"}}, {.architecture = "amd64"});
  listed.images.push_back({.id = amd64.config_digest, .tags = {web.reference.familiar()}, .digests = {web.reference.familiar_name() + "@" + registry.add_index("web", "1", {amd64})}, .manifests = {}, .diff_ids = {sha256_of("web amd64")}});
  engine::Client engine(transport, listed.endpoint());
  PrefetchOptions options;
  options.load.settle = engine::Settle::never;

  const PrefetchReport report = prefetch(Context{}, client, store, &engine, {web}, options);

  BOOST_TEST((report.images[0].state == State::present));
  BOOST_TEST(report.images[0].image_id == amd64.config_digest);
  BOOST_TEST(report.images[0].platform.to_string() == "linux/amd64");
}

// Two pulls, each with platforms of its own, and both known before the first layer.
BOOST_AUTO_TEST_CASE(a_forecast_comes_before_the_first_layer_and_costs_no_request_twice) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db", "linux/arm64")};
  PrefetchOptions options;
  options.pull.platforms.wanted = {Platform::parse("linux/amd64")};
  std::uint64_t missing = 0;
  options.on_forecast = [&](const Forecast& forecast) {
    BOOST_TEST(registry.count("GET", "/blobs/" + sha256_of("web amd64")) == 0U);
    missing = forecast.pull.bytes_missing;
    BOOST_TEST(!forecast.engine.has_value());
  };
  const std::size_t before = registry.log().size();

  const PrefetchReport report = prefetch(Context{}, client, store, nullptr, wanted, options);

  for (const PrefetchedImage& image : report.images) BOOST_TEST(is_stored(image));
  BOOST_TEST(missing == report.pulled.bytes.total);
  BOOST_TEST(report.pulled.bytes.fetched == missing);
  BOOST_TEST(report.pulled.requests == registry.log().size() - before);
  BOOST_TEST(report.pulled.seconds < 60);
  BOOST_TEST(registry.count("GET", "/manifests/1") == 2U);
}

BOOST_AUTO_TEST_CASE(a_refused_forecast_fetches_no_layer) {
  PrefetchOptions options;
  options.pull.platforms.wanted = {Platform::parse("linux/amd64")};
  options.on_forecast = [](const Forecast&) { throw Error(ErrorCode::refused, "too large"); };

  BOOST_CHECK_EXCEPTION(prefetch(Context{}, client, store, nullptr, {publish("web")}, options), Error,
                        [](const Error& e) { return e.code() == ErrorCode::refused; });

  BOOST_TEST(registry.count("GET", "/blobs/" + sha256_of("web amd64")) == 0U);
  BOOST_TEST(store.tags().empty());
}

BOOST_AUTO_TEST_CASE(a_failing_image_is_forecast_without_and_reported_with_the_others) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("db")};
  registry.remove_tag("web", "1");
  PrefetchOptions options;
  options.pull.platforms.wanted = {Platform::parse("linux/amd64")};
  options.on_forecast = [](const Forecast& forecast) {
    for (const auto& blob : forecast.pull.blobs) BOOST_TEST(blob.images.front() == 1U);
  };

  const PrefetchReport report = prefetch(Context{}, client, store, nullptr, wanted, options);

  BOOST_TEST((report.images[0].error->code() == ErrorCode::not_found));
  BOOST_TEST(is_stored(report.images[1]));
}

BOOST_AUTO_TEST_CASE(a_plan_names_each_blob_once_for_all_who_need_it) {
  const std::vector<WantedImage> wanted = {publish("web"), publish("web", "linux/arm64"), publish("db")};
  registry::PullOptions options;
  options.platforms.wanted = {Platform::parse("linux/amd64")};

  const registry::PullPlan plan = plan_prefetch(Context{}, client, store, folder / "store", nullptr, wanted, options).pull;

  std::size_t shared = 0;
  std::uint64_t bytes = 0;
  for (const auto& blob : plan.blobs) {
    bytes += blob.descriptor.size;
    if (blob.images.size() == 2) ++shared;
    for (const std::size_t image : blob.images) BOOST_TEST(image < 3U);
  }
  BOOST_TEST(bytes == plan.bytes_total);
  BOOST_TEST(plan.bytes_missing == plan.bytes_total);
  BOOST_TEST(shared == 1U);  // the index of web
}

BOOST_AUTO_TEST_SUITE_END()
