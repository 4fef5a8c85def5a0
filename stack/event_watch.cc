#include "stack/event_watch.h"

#include "base/error.h"
#include "base/text.h"

#include <utility>

namespace drover::stack {
namespace {

constexpr std::chrono::seconds subscription_max{20};
constexpr std::chrono::hours any_time{1};

engine::EventOptions wanted_events() {
  engine::EventOptions options;
  options.filters = {{"type", {"container"}}, {"event", {"die", "start", "health_status", "destroy"}}};
  return options;
}

Context stopped_by(const Context& ctx, const std::stop_source& stop) {
  Context own = ctx;
  own.stop = stop.get_token();
  return own;
}

}  // namespace

EventWatch::EventWatch(const Context& ctx, engine::Client& client, OnNews on_news)
    : on_news_(std::move(on_news)),
      forward_(ctx.stop, [this] { stop_.request_stop(); }),
      ctx_(stopped_by(ctx, stop_)),
      events_(ctx_, client, wanted_events()) {
  const auto first = events_.next(ctx_, subscription_max);  // "subscribed"
  if (!first) throw Error(ErrorCode::network, "the engine does not tell its events (GET /events): no answer within " + std::to_string(subscription_max.count()) + " s");
  reader_ = std::jthread([this] { read_all(); });
}

EventWatch::~EventWatch() { stop_.request_stop(); }

void EventWatch::read_all() {
  try {
    while (true) {
      const auto notice = events_.next(ctx_, any_time);
      if (!notice) continue;
      if (notice->event) {
        note(*notice->event);
        on_news_(notice->event->actor_id, notice->event->action);
      } else {
        ctx_.debug("events: " + notice->reason);
        on_news_({}, {});
      }
    }
  } catch (...) {
    end(std::current_exception());
  }
}

void EventWatch::note(const engine::Event& event) {
  const std::lock_guard lock(mutex_);
  Record& record = records_[event.actor_id];
  if (event.action == "die") {
    ++record.deaths;
    record.died = event.time;
    const auto code = event.attributes.find("exitCode");
    const auto number = code == event.attributes.end() ? std::nullopt : parse_uint(code->second);
    record.exit_code = number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
  } else if (event.action == "start") {
    record.started = record.started.value_or(event.time);
  } else {
    return;
  }
  record.seen = std::chrono::steady_clock::now();
  changed_.notify_all();
}

void EventWatch::end(std::exception_ptr why) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(why);
    changed_.notify_all();
  }
  if (!stop_.stop_requested()) on_news_({}, {});
}

EventWatch::Record EventWatch::find(const std::string& container) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(container);
  return found == records_.end() ? Record() : found->second;
}

std::map<std::string, EventWatch::Record> EventWatch::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

void EventWatch::wait_for_start(const std::string& container, std::chrono::steady_clock::time_point latest) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, latest, [&] {
    const auto found = records_.find(container);
    return failure_ || (found != records_.end() && found->second.started);
  });
}

std::exception_ptr EventWatch::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace drover::stack
