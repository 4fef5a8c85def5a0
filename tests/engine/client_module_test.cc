#include "engine/client.h"

#include "base/text.h"
#include "tests/engine/engine_client.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <stop_token>
#include <thread>

using namespace drover;
using engine::ApiVersion;
using test::EngineClient;
using test::failure_of;

BOOST_AUTO_TEST_SUITE(client)

BOOST_AUTO_TEST_CASE(versions_are_ordered_by_number) {
  BOOST_TEST((ApiVersion::parse("1.9") < ApiVersion::parse("1.41")));
  BOOST_TEST(ApiVersion::parse("1.41").to_string() == "1.41");
  for (const char* bad : {"", "1", "1.", "1.x", "v1.41", "1.41.0", "1.-1", "1.99999"}) BOOST_CHECK_THROW(ApiVersion::parse(bad), Error);
}

BOOST_AUTO_TEST_CASE(the_smaller_version_is_spoken_and_asked_for_once) {
  EngineClient old({.api_version = "1.41"});
  old.client->get(old.ctx, "/version");
  old.client->get(old.ctx, "/version");
  BOOST_TEST(old.fake.targets() == (std::vector<std::string>{"HEAD /_ping", "GET /v1.41/version", "GET /v1.41/version"}),
             boost::test_tools::per_element());

  EngineClient newer({.api_version = "1.99"});
  newer.client->get(newer.ctx, "/version");
  BOOST_TEST(newer.fake.targets().back() == "GET /v" + engine::newest_known_api.to_string() + "/version");
}

BOOST_AUTO_TEST_CASE(an_engine_without_head_ping_is_asked_by_get) {
  EngineClient old({.api_version = "1.30", .knows_head_ping = false});
  BOOST_TEST((old.client->api_version(old.ctx) == ApiVersion{1, 30}));
  BOOST_TEST(old.fake.targets().back() == "GET /_ping");
}

// A client that lives long: the engine is replaced under it.
BOOST_AUTO_TEST_CASE(an_engine_that_changed_its_version_is_asked_in_the_new_one) {
  EngineClient engine({.api_version = "1.45"});
  engine.client->get(engine.ctx, "/version");
  engine.fake.set_api_versions("1.24", "1.41");
  engine.client->get(engine.ctx, "/version");
  BOOST_TEST(engine.fake.targets().back() == "GET /v1.41/version");
  BOOST_TEST((engine.client->api_version(engine.ctx) == ApiVersion{1, 41}));
  engine.fake.set_api_versions("1.44", "1.51");
  std::string answer;
  engine.client->exchange(engine.ctx, {.path = "/version"}, [&](std::span<const std::byte> bytes) {
    answer += as_text(bytes);
    return true;
  });
  BOOST_TEST(contains(answer, "1.51"), answer);

  engine.fake.set_api_versions("1.24", "1.41");  // a stream may be partly sent: the next call is right
  const engine::Client::StreamRequest load{.path = "/images/load", .source = [](std::span<std::byte>) { return std::size_t{0}; }, .headers = {}};
  BOOST_TEST((failure_of([&] { engine.client->post_stream(engine.ctx, load, {}); }).code == ErrorCode::unsupported));
  BOOST_TEST((engine.client->api_version(engine.ctx) == ApiVersion{1, 41}));

  const std::size_t before = engine.fake.targets().size();
  engine.fake.set_api_versions("1.80", "1.99");
  const auto young = failure_of([&] { engine.client->get(engine.ctx, "/version"); });
  BOOST_TEST(contains(young.text, "Minimum supported API version is 1.80"));
  BOOST_TEST(engine.fake.targets().size() == before + 3U);  // refused, asked for its version, refused
}

BOOST_AUTO_TEST_CASE(a_pinned_version_is_not_negotiated) {
  EngineClient pinned({.api_version = "1.45"}, "1.40");
  pinned.client->get(pinned.ctx, "/version");
  BOOST_TEST(pinned.fake.targets().back() == "GET /v1.40/version");
}

BOOST_AUTO_TEST_CASE(what_needs_more_than_is_spoken_says_whose_limit_it_is) {
  EngineClient old({.api_version = "1.41"});
  BOOST_TEST(failure_of([&] { old.client->require(old.ctx, {1, 54}, "this"); }).text == "this needs API 1.54, this engine speaks 1.41");
  EngineClient newer({.api_version = "1.54"});
  BOOST_TEST(failure_of([&] { newer.client->require(newer.ctx, {1, 54}, "this"); }).text ==
             "this needs API 1.54, spoken is 1.51; DOCKER_API_VERSION=1.54 chooses another");
  EngineClient pinned({.api_version = "1.54"}, "1.54");
  pinned.client->require(pinned.ctx, {1, 54}, "this");
}

BOOST_AUTO_TEST_CASE(engines_out_of_range_are_refused_with_a_way_out) {
  EngineClient ancient({.api_version = "1.20", .min_api_version = "1.12"});
  const auto old = failure_of([&] { ancient.client->api_version(ancient.ctx); });
  BOOST_TEST((old.code == ErrorCode::unsupported));
  BOOST_TEST(contains(old.text, "too old: API 1.20"));

  EngineClient future({.api_version = "1.99", .min_api_version = "1.80"});
  const auto young = failure_of([&] { future.client->get(future.ctx, "/version"); });
  BOOST_TEST((young.code == ErrorCode::unsupported));
  BOOST_TEST(contains(young.text, "Minimum supported API version is 1.80"));
  BOOST_TEST(contains(young.text, "update drover"));

  EngineClient pinned({.api_version = "1.41"}, "1.45");
  BOOST_TEST((failure_of([&] { pinned.client->get(pinned.ctx, "/version"); }).code == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_CASE(what_is_no_engine_is_recognised) {
  EngineClient other({.sends_api_version = false});
  const auto failure = failure_of([&] { other.client->api_version(other.ctx); });
  BOOST_TEST((failure.code == ErrorCode::unsupported));
  BOOST_TEST(contains(failure.text, "not a container engine"));
}

BOOST_AUTO_TEST_CASE(a_needed_version_is_named) {
  EngineClient engine({.api_version = "1.41"});
  engine.client->require(engine.ctx, {1, 41}, "this");
  const auto failure = failure_of([&] { engine.client->require(engine.ctx, {1, 44}, "several networks"); });
  BOOST_TEST(failure.text == "several networks needs API 1.44, this engine speaks 1.41");
}

BOOST_AUTO_TEST_CASE(a_missing_socket_says_what_to_do) {
  net::Transport transport;
  engine::Client client(transport, test::endpoint_of("/nonexistent/engine.sock"));
  const auto failure = failure_of([&] { client.api_version({}); });
  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(contains(failure.text, "/nonexistent/engine.sock (--host)"));
  BOOST_TEST(contains(failure.text, "is the engine running?"));
}

BOOST_AUTO_TEST_CASE(the_engines_words_are_made_printable_and_bounded) {
  EngineClient engine;
  engine.fake.override_answer("/images/x/json", 500, R"({"message":"bad\u001b[31m )" + std::string(100'000, 'y') + "\"}");
  const auto failure = failure_of([&] { engine.client->get(engine.ctx, "/images/x/json"); });
  BOOST_TEST((failure.code == ErrorCode::engine));
  BOOST_TEST(failure.text.size() < 600U);
  BOOST_TEST(failure.text.find('\x1b') == std::string::npos);

  engine.fake.override_answer("/images/y/json", 404, "plain words\n");
  const auto missing = failure_of([&] { engine.client->get(engine.ctx, "/images/y/json"); });
  BOOST_TEST((missing.code == ErrorCode::not_found));
  BOOST_TEST(contains(missing.text, "404: plain words"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_json_is_an_engine_failure) {
  EngineClient engine;
  engine.fake.override_answer("/info", 200, "<html>");
  BOOST_TEST((failure_of([&] { engine.client->get(engine.ctx, "/info"); }).code == ErrorCode::engine));
  engine.fake.override_answer("/info", 200, "");
  BOOST_TEST(engine.client->get(engine.ctx, "/info").is_null());
  engine.fake.override_answer("/info", 302, "");
  BOOST_TEST((failure_of([&] { engine.client->get(engine.ctx, "/info"); }).code == ErrorCode::engine));
}

BOOST_AUTO_TEST_CASE(config_headers_go_along) {
  EngineClient engine;
  engine::Endpoint endpoint = engine.client->endpoint();
  endpoint.headers = {{"X-Site", "a"}};
  engine::Client client(engine.transport, endpoint);
  client.get(engine.ctx, "/version");
  BOOST_TEST(engine.fake.requests().back().headers["x-site"] == "a");
}

BOOST_AUTO_TEST_CASE(a_silent_engine_is_given_up) {
  EngineClient engine;
  engine.fake.script_loads({test::LoadFault::hang});
  engine::Client::StreamRequest request;
  request.path = "/images/load";
  request.silence_max = std::chrono::milliseconds(50);
  BOOST_TEST((failure_of([&] { engine.client->post_stream(engine.ctx, request, {}); }).code == ErrorCode::network));
}

BOOST_AUTO_TEST_CASE(no_call_outlives_its_deadline_or_a_stop) {
  EngineClient engine;
  engine.client->api_version(engine.ctx);
  engine.fake.hang(true);
  const Context bounded = engine.ctx.within(std::chrono::milliseconds(20));
  for (int call = 0; call < 3; ++call) {
    const auto failure = failure_of([&] {
      if (call == 0) engine.client->get(bounded, "/version");
      if (call == 1) engine.client->post(bounded, "/x", {{"a", 1}});
      if (call == 2) engine.client->post_stream(bounded, {.path = "/images/create", .source = {}, .headers = {}}, {});
    });
    BOOST_TEST((failure.code == ErrorCode::network));
    BOOST_TEST(contains(failure.text, "not done before the deadline"), failure.text);
  }

  std::stop_source stop;
  Context stoppable = engine.ctx;
  stoppable.stop = stop.get_token();
  const std::jthread stopper([&] { stop.request_stop(); });
  BOOST_TEST((failure_of([&] { engine.client->get(stoppable, "/version"); }).code == ErrorCode::interrupted));
}

BOOST_AUTO_TEST_CASE(who_waits_for_anothers_first_answer_has_a_deadline_too) {
  EngineClient engine;
  engine.fake.hang(true);
  std::stop_source stop;
  Context first = engine.ctx;
  first.stop = stop.get_token();
  std::jthread asking([&] { failure_of([&] { engine.client->api_version(first); }); });
  while (engine.fake.targets().empty()) std::this_thread::yield();

  const auto failure = failure_of([&] { engine.client->api_version(engine.ctx.within(std::chrono::milliseconds(20))); });
  BOOST_TEST(contains(failure.text, "not done before the deadline"), failure.text);
  stop.request_stop();
}

BOOST_AUTO_TEST_SUITE_END()
