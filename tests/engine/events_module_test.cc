#include "engine/events.h"

#include "tests/engine/engine_client.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace drover;
using namespace std::chrono_literals;
using engine::EventNotice;
using engine::EventOptions;
using engine::EventSubscription;
using test::EngineClient;
using test::failure_of;

BOOST_AUTO_TEST_SUITE(events)

namespace {

std::string event_text(int number, const char* action = "start") {
  return nlohmann::json{{"Type", "container"},
                        {"Action", action},
                        {"Actor", {{"ID", "c" + std::to_string(number)}, {"Attributes", {{"name", "web"}}}}},
                        {"scope", "local"},
                        {"time", 1'700'000'000 + number},
                        {"timeNano", (1'700'000'000LL + number) * 1'000'000'000}}
      .dump();
}

// One word a notice: the actor's ID, or "(why)". A minute is for ever here.
std::string next(EventSubscription& events, const Context& ctx) {
  const std::optional<EventNotice> notice = events.next(ctx, 60s);
  if (!notice) return "nothing";
  return notice->event ? notice->event->actor_id : "(" + notice->reason + ")";
}

EventOptions quick() {
  EventOptions options;
  options.retry = {.attempts_max = 5, .first = 1ms, .longest = 2ms};
  return options;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_event_is_read_with_what_it_has) {
  const auto event = engine::parse_event(nlohmann::json::parse(event_text(3, "health_status: healthy")));
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->type == "container");
  BOOST_TEST(event->action == "health_status: healthy");
  BOOST_TEST(event->actor_id == "c3");
  BOOST_TEST(event->attributes.at("name") == "web");
  BOOST_TEST((event->time.time_since_epoch() == 1'700'000'003s));

  const auto poor = engine::parse_event(nlohmann::json::parse(R"({"Type":"image","Action":"pull","Actor":null,"time":5,"timeNano":null})"));
  BOOST_REQUIRE(poor.has_value());
  BOOST_TEST((poor->time.time_since_epoch() == 5s));
  const std::string large = R"({"Type":"image","Action":"pull","time":99999999999999,"timeNano":18446744073709551615})";
  BOOST_TEST((engine::parse_event(nlohmann::json::parse(large))->time == engine::Timestamp()));
  for (const char* none : {"{}", "[]", "null", R"({"Type":"image"})", R"({"Type":1,"Action":"x"})"}) {
    BOOST_TEST(!engine::parse_event(nlohmann::json::parse(none)), none);
  }
}

BOOST_AUTO_TEST_CASE(the_state_is_to_be_read_after_the_subscription_stands) {
  EngineClient engine;
  EventSubscription events(engine.ctx, *engine.client, {.filters = {{"type", {"container"}}}});

  BOOST_TEST(next(events, engine.ctx) == "(subscribed)");
  BOOST_TEST(engine.fake.listeners() == 1U);
  BOOST_TEST(engine.fake.targets().back() == R"(GET /v1.41/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D)");
  engine.client->get(engine.ctx, "/version");  // on another connection than the stream
  for (int number : {1, 2, 3}) engine.fake.tell_event(event_text(number));
  for (const char* id : {"c1", "c2", "c3"}) BOOST_TEST(next(events, engine.ctx) == id);
  BOOST_TEST(!events.next(engine.ctx, 0ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_is_taken_up_again_without_loss_or_repetition) {
  EngineClient engine;
  EventSubscription events(engine.ctx, *engine.client, quick());
  BOOST_TEST(next(events, engine.ctx) == "(subscribed)");
  for (int number : {1, 2}) engine.fake.tell_event(event_text(number));
  for (const char* id : {"c1", "c2"}) BOOST_TEST(next(events, engine.ctx) == id);

  engine.fake.end_events();
  BOOST_TEST(next(events, engine.ctx) == "(subscribed again after: the engine ended the stream of events)");
  BOOST_TEST(contains(engine.fake.targets().back(), "since=1700000001.000000000"));
  engine.fake.tell_event(event_text(3));
  BOOST_TEST(next(events, engine.ctx) == "c3");
}

BOOST_AUTO_TEST_CASE(an_engine_that_came_back_with_another_version_is_followed) {
  EngineClient engine({.api_version = "1.45"});
  EventSubscription events(engine.ctx, *engine.client, quick());
  BOOST_TEST(next(events, engine.ctx) == "(subscribed)");
  engine.fake.set_api_versions("1.24", "1.41");
  engine.fake.end_events();
  BOOST_TEST(next(events, engine.ctx).starts_with("(subscribed again"));
  engine.fake.tell_event(event_text(1));
  BOOST_TEST(next(events, engine.ctx) == "c1");
}

BOOST_AUTO_TEST_CASE(what_an_engine_forgot_is_a_reason_to_read_anew) {
  EngineClient engine;
  EventSubscription events(engine.ctx, *engine.client, quick());
  BOOST_TEST(next(events, engine.ctx) == "(subscribed)");
  engine.fake.tell_event(event_text(1));
  BOOST_TEST(next(events, engine.ctx) == "c1");

  engine.fake.forget_events();
  engine.fake.end_events();
  BOOST_TEST(next(events, engine.ctx).starts_with("(subscribed again"));
  BOOST_TEST(!events.next(engine.ctx, 0ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_too_slow_has_to_read_anew) {
  EngineClient engine;
  EventSubscription events(engine.ctx, *engine.client, quick());
  while (engine.fake.listeners() == 0) std::this_thread::yield();
  const int count = static_cast<int>(engine::unread_events_max) + 5;
  for (int number = 0; number < count; ++number) engine.fake.tell_event(event_text(number));

  std::string first;
  std::string last;
  while (last != "c" + std::to_string(count - 1)) {
    last = next(events, engine.ctx);
    // However much was read meanwhile: what is not told is preceded by a word about it.
    if (first.empty() || last.starts_with("(more")) first = last;
  }
  BOOST_TEST((first == "(subscribed)" || contains(first, "were left unread")));
}

BOOST_AUTO_TEST_CASE(an_engine_that_hangs_is_noticed_and_waited_for) {
  EngineClient engine;
  EventOptions options = quick();
  options.silence_max = 20ms;
  options.answer_max = 20ms;
  options.retry.attempts_max = 1000;
  EventSubscription events(engine.ctx, *engine.client, options);
  BOOST_TEST(next(events, engine.ctx).starts_with("(subscribed"));  // again, where the machine is slow

  engine.fake.hang(true);
  const std::size_t before = engine.fake.targets().size();
  std::optional<EventNotice> notice;
  // Until it has tried to come back.
  while (engine.fake.targets().size() < before + 2 && !notice) notice = events.next(engine.ctx, 1ms);
  engine.fake.hang(false);
  while (!notice) notice = events.next(engine.ctx, 60s);
  BOOST_TEST(notice->reason.starts_with("subscribed again after"), notice->reason);
}

BOOST_AUTO_TEST_CASE(silence_alone_is_no_failure) {
  EngineClient engine;
  EventOptions options = quick();
  options.silence_max = 100ms;  // also for the engine's first word
  options.retry.attempts_max = 1000;
  EventSubscription events(engine.ctx, *engine.client, options);
  BOOST_TEST(next(events, engine.ctx).starts_with("(subscribed"));
  const std::size_t before = engine.fake.targets().size();
  while (engine.fake.targets().size() < before + 3) BOOST_TEST(!events.next(engine.ctx, 1ms).has_value());
  engine.fake.tell_event(event_text(1));
  BOOST_TEST(next(events, engine.ctx) == "c1");
}

BOOST_AUTO_TEST_CASE(an_outage_ends_in_its_reason) {
  auto engine = std::make_unique<EngineClient>();
  engine::Endpoint endpoint = engine->client->endpoint();
  net::Transport transport;
  engine::Client client(transport, endpoint);
  EventSubscription events({}, client, quick());
  BOOST_TEST(next(events, {}) == "(subscribed)");

  engine.reset();
  const auto failure = failure_of([&] {
    while (events.next({}, 60s)) {
    }
  });
  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(contains(failure.text, endpoint.unix_socket.string()), failure.text);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_not_repeated) {
  EngineClient engine;
  engine.fake.refuse_events(400, "invalid filter 'x'");
  EventSubscription events(engine.ctx, *engine.client, quick());
  const auto failure = failure_of([&] { next(events, engine.ctx); });
  BOOST_TEST((failure.code == ErrorCode::engine));
  BOOST_TEST(contains(failure.text, "invalid filter 'x'"));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait_and_the_subscription) {
  EngineClient engine;
  std::stop_source stop;
  Context ctx = engine.ctx;
  ctx.stop = stop.get_token();
  EventSubscription events(ctx, *engine.client, quick());
  BOOST_TEST(next(events, ctx) == "(subscribed)");
  const std::jthread stopper([&] { stop.request_stop(); });
  BOOST_TEST((failure_of([&] { next(events, ctx); }).code == ErrorCode::interrupted));
}

BOOST_AUTO_TEST_SUITE_END()
