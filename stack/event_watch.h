// What the engine's events tell of containers during a run: deaths, starts, and when to look at one anew.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/events.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace drover::stack {

// One subscription, read by a thread of its own. Thread-safe. Ends before the client does.
class EventWatch {
 public:
  struct Record {
    int deaths = 0;
    std::optional<std::int64_t> exit_code = {};                      // of the last death
    std::optional<engine::Timestamp> died = {};                      // the last time, by the engine's clock
    std::optional<engine::Timestamp> started = {};                   // the first time
    std::optional<std::chrono::steady_clock::time_point> seen = {};  // when the last of either was told
  };
  // The container's ID and what happened to it: "die", "start", "health_status: healthy", "destroy"; both empty: events may have been
  // missed, look at everything anew. Called on the watch's thread, after the record is written.
  using OnNews = std::function<void(const std::string& container, const std::string& action)>;

  // Subscribes, and returns once the engine has taken note: what happens from then on is told. Throws what the client throws.
  EventWatch(const Context& ctx, engine::Client& client, OnNews on_news);
  ~EventWatch();
  EventWatch(const EventWatch&) = delete;
  EventWatch& operator=(const EventWatch&) = delete;

  Record find(const std::string& container) const;
  std::map<std::string, Record> records() const;
  // Waits for the news of a start, no longer than until then.
  void wait_for_start(const std::string& container, std::chrono::steady_clock::time_point latest) const;
  // Why there will be no more events.
  std::exception_ptr failure() const;

 private:
  void read_all();
  void note(const engine::Event& event);
  void end(std::exception_ptr why);

  const OnNews on_news_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  Context ctx_;
  engine::EventSubscription events_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, Record> records_;
  std::exception_ptr failure_;
  std::jthread reader_;
};

}  // namespace drover::stack
