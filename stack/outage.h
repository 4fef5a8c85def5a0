// Calls that outlive an engine's restart, and none that an engine which hangs could keep for ever.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "engine/client.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace drover::stack {

struct OutageOptions {
  std::chrono::milliseconds patience{60'000};     // for an engine that restarts
  std::chrono::milliseconds pulse_every{15'000};  // while calls are under way the engine is asked whether it is there
  std::chrono::milliseconds answer_max{20'000};   // how long it may take to say so
  std::chrono::milliseconds farewell_max{20'000};  // how long an engine that is shutting down goes on answering: dockerd gives containers 15 s
};

// Thread-safe. Ends before the client does.
class Outages {
 public:
  // `on_return` is called when the engine answers again after an answer was lost, before anybody goes on; never twice at once. `looks_like_shutdown` tells whether
  // what happens to containers looks as if the engine were ending them all.
  Outages(const Context& ctx, engine::Client& client, OutageOptions options, std::function<void()> on_return, std::function<bool()> looks_like_shutdown);
  ~Outages();
  Outages(const Outages&) = delete;
  Outages& operator=(const Outages&) = delete;

  // For the calls of one try: with the run's deadline, without its stop, since a call that is broken off leaves open what it did; ends when
  // the engine is found to hang. Lives as long as the calls.
  class Try {
   public:
    explicit Try(Outages& outages);
    ~Try();
    Try(const Try&) = delete;
    Try& operator=(const Try&) = delete;
    const Context& ctx() const { return ctx_; }

   private:
    Outages& outages_;
    Context ctx_;
  };

  // The answer did not come: whether the call did its work is not known.
  bool is_loss(const Error& error) const;
  // Waits until the engine answers. False when it did not within the patience; from then on there is no waiting any more.
  bool wait_until_back();
  // Calls `on_return` when the engine answers, unless a call of it began after `since`; returns when that one is over. For an engine that
  // may have restarted though no answer was lost.
  void see_to_return(std::chrono::steady_clock::time_point since);
  // It was waited for in vain, and has not answered since.
  bool is_given_up() const { return is_given_up_; }
  const OutageOptions& options() const { return options_; }
  // An engine that shuts down answers to the last, with failures that mean nothing ("error creating overlay mount", seen on 20.10).
  bool looks_like_shutdown() const { return looks_like_shutdown_ && looks_like_shutdown_(); }

 private:
  void watch(const std::stop_token& stop);
  bool answers(std::chrono::milliseconds longest);
  void call_on_return();

  Context ctx_;  // without the run's stop
  engine::Client& client_;
  const OutageOptions options_;
  const std::function<void()> on_return_;
  const std::function<bool()> looks_like_shutdown_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::stop_source calls_;      // of those that are under way
  std::size_t under_way_ = 0;
  std::mutex return_mutex_;     // one waits and sees to the return, the others wait for that one
  std::chrono::steady_clock::time_point returned_ = {};
  std::chrono::steady_clock::time_point seen_to_ = {};  // when on_return was last called
  std::atomic<bool> is_given_up_ = false;
  std::jthread watcher_;
};

}  // namespace drover::stack
