#include "engine/events.h"

#include "base/error.h"
#include "engine/engine_failure.h"
#include "engine/json_fields.h"
#include "engine/json_stream.h"
#include "engine/system.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace drover::engine {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t history_events = 256;    // moby, daemon/events: eventsLimit
constexpr std::chrono::seconds overlap{1};     // events are told in about the order of their times
constexpr std::chrono::milliseconds turn_max{1000};

bool is_worth_retrying(const Error& error) {
  if (error.is_final) return false;
  if (error.code() == ErrorCode::network) return true;
  const auto* const failure = dynamic_cast<const EngineFailure*>(&error);
  return failure != nullptr && failure->status >= 500;  // it is shutting down, or a proxy has lost it
}

}  // namespace

std::optional<Event> parse_event(const nlohmann::json& object) {
  Event event{.type = text_member(object, "Type"), .action = text_member(object, "Action")};
  if (event.type.empty() || event.action.empty()) return std::nullopt;
  const nlohmann::json& actor = member(object, "Actor");
  event.actor_id = text_member(actor, "ID");
  event.attributes = map_member(actor, "Attributes");
  event.scope = text_member(object, "scope");
  const std::int64_t nanoseconds = number_member(object, "timeNano");
  if (nanoseconds > 0) {
    event.time = Timestamp(std::chrono::nanoseconds(nanoseconds));
  } else {
    event.time = time_member(object, "time").value_or(Timestamp());
  }
  return event;
}

struct EventSubscription::Impl {
  Impl(const Context& given, Client& used_client, EventOptions used_options)
      : client(used_client), options(std::move(used_options)), ctx(given), forward(given.stop, Forward{&stop}) {
    ctx.stop = stop.get_token();
    reader = std::jthread([this] { read_all(); });
  }
  ~Impl() { stop.request_stop(); }

  // The reader's thread.
  void read_all() {
    int attempt = 1;
    std::string after;
    while (true) {
      std::optional<Error> failure;
      try {
        subscribe(after, attempt);
        failure.emplace(ErrorCode::network, "the engine ended the stream of events");
      } catch (const Error& error) {
        if (stop.stop_requested() || !is_worth_retrying(error)) return end(std::current_exception());
        failure = error;
      } catch (...) {
        return end(std::current_exception());
      }
      const auto delay = next_delay(options.retry, ++attempt, std::nullopt, random_unit());
      if (!delay) return end(std::make_exception_ptr(*failure));
      ctx.debug(std::string("events: ") + failure->what() + "; trying again");
      after = failure->what();
      ctx.clock->sleep_for(*delay, stop.get_token());
    }
  }

  // Returns at the end of the stream.
  void subscribe(const std::string& after, int& attempt) {
    JsonStream objects([this](const nlohmann::json& object) { take(object); });
    std::stop_source connection;
    const std::stop_callback<Forward> both(stop.get_token(), Forward{&connection});
    Context bounded = ctx;
    bounded.stop = connection.get_token();
    {
      const std::lock_guard lock(mutex);
      current = connection;
      last_sign = steady_clock::now();
    }
    Query query("/events");
    if (last_time) query.set("since", to_seconds_text(std::max(*last_time - overlap, Timestamp())));
    query.filters(options.filters);
    try {
      client.exchange(bounded,
                      {.path = query.path(),
                       .silence_max = std::chrono::milliseconds(0),
                       .head_max = options.silence_max,
                       .on_head =
                           [&](const net::ResponseHead&) {
                             attempt = 1;
                             resync(after.empty() ? "subscribed" : "subscribed again after: " + after);
                           }},
                      [&](std::span<const std::byte> bytes) {
                        objects.feed(bytes);
                        return true;
                      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::interrupted || stop.stop_requested()) throw;
      throw Error(ErrorCode::network, "the engine does not answer any more");
    }
    objects.finish();
  }

  void take(const nlohmann::json& object) {
    std::optional<Event> event = parse_event(object);
    if (!event) return;
    if (std::find(told.begin(), told.end(), *event) != told.end()) return;
    told.push_back(*event);
    if (told.size() > history_events) told.pop_front();
    last_time = std::max(last_time.value_or(event->time), event->time);
    const std::lock_guard lock(mutex);
    last_sign = steady_clock::now();
    if (unread.size() >= unread_events_max) {
      unread.clear();
      unread.push_back({.event = {}, .reason = "more than " + std::to_string(unread_events_max) + " events were left unread"});
    }
    unread.push_back({.event = std::move(event)});
    changed.notify_all();
  }

  void resync(std::string reason) {
    const std::lock_guard lock(mutex);
    last_sign = steady_clock::now();
    if (!unread.empty() && !unread.back().event) unread.pop_back();  // one reading is enough for both
    unread.push_back({.event = {}, .reason = std::move(reason)});
    changed.notify_all();
  }

  void end(std::exception_ptr why) {
    const std::lock_guard lock(mutex);
    ended_by = std::move(why);
    changed.notify_all();
  }

  // The consumer's thread.
  std::optional<EventNotice> next(const Context& caller, std::chrono::milliseconds wait) {
    const auto end_of_wait = steady_clock::now() + wait;
    while (true) {
      caller.check_stop();
      if (std::optional<EventNotice> notice = take_notice(caller, end_of_wait)) return notice;
      if (is_silent()) check_engine(caller);
      if (steady_clock::now() >= end_of_wait) return std::nullopt;
    }
  }

  std::optional<EventNotice> take_notice(const Context& caller, steady_clock::time_point end_of_wait) {
    std::unique_lock lock(mutex);
    const auto until = std::min({end_of_wait, last_sign + options.silence_max, steady_clock::now() + caller.time_left(turn_max)});
    changed.wait_until(lock, caller.stop, until, [this] { return !unread.empty() || ended_by; });
    if (unread.empty()) {
      if (ended_by) std::rethrow_exception(ended_by);
      return std::nullopt;
    }
    EventNotice notice = std::move(unread.front());
    unread.pop_front();
    return notice;
  }

  bool is_silent() {
    const std::lock_guard lock(mutex);
    return !ended_by && steady_clock::now() - last_sign >= options.silence_max;
  }

  // A stream that is silent and one whose engine hangs look the same; another connection tells.
  void check_engine(const Context& caller) {
    std::stop_source asked{std::nostopstate};
    {
      const std::lock_guard lock(mutex);
      asked = current;  // by the time of the answer there may be another connection
    }
    bool is_there = true;
    try {
      ping(caller.within(options.answer_max), client);
    } catch (const Error& error) {
      caller.check_stop();
      is_there = error.code() != ErrorCode::network;
    }
    const std::lock_guard lock(mutex);
    last_sign = steady_clock::now();
    if (!is_there) asked.request_stop();
  }

  struct Forward {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };

  Client& client;
  const EventOptions options;
  Context ctx;
  std::stop_source stop;
  std::stop_callback<Forward> forward;

  // The reader's alone.
  std::deque<Event> told;  // the last ones, so that `since` tells none twice
  std::optional<Timestamp> last_time;

  std::mutex mutex;  // of what follows
  std::condition_variable_any changed;
  std::deque<EventNotice> unread;
  std::exception_ptr ended_by;
  steady_clock::time_point last_sign = steady_clock::now();
  std::stop_source current{std::nostopstate};  // ends the connection that there is

  std::jthread reader;
};

EventSubscription::EventSubscription(const Context& ctx, Client& client, EventOptions options)
    : impl_(std::make_unique<Impl>(ctx, client, std::move(options))) {}

EventSubscription::~EventSubscription() = default;

std::optional<EventNotice> EventSubscription::next(const Context& ctx, std::chrono::milliseconds wait) { return impl_->next(ctx, wait); }

}  // namespace drover::engine
