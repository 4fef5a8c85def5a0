// Waits for containers: each is looked at when the engine's events tell that something happened to it, or when its time is up.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "compose/plan.h"
#include "engine/client.h"
#include "stack/event_watch.h"
#include "stack/gate.h"
#include "stack/outage.h"
#include "stack/run_journal.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace drover::stack {

// Thread-safe. All waits are one thread's, which inspects one container at a time: an engine that is swapping services has better to do.
class Waits {
 public:
  struct Ending {
    compose::StepOutcome::State state = compose::StepOutcome::State::not_run;  // not_run: it was broken off
    std::optional<Error> failure = {};                                         // failed and warned
  };
  using OnEnd = std::function<void(int step, Ending ending)>;  // on the waits' thread

  // `events` may be made later than this, and is used from the first wait on. `journal` keeps the logs of those that fail; null: nobody does.
  Waits(const Context& ctx, engine::Client& client, Outages& outages, const EventWatch& events, RunJournal* journal, OnEnd on_end);
  ~Waits();
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;

  // `step` is an Await and outlives the wait; `container` empty: it was never created.
  void begin(const compose::Step& step, const std::string& container);
  // What EventWatch::OnNews gets.
  void hear(const std::string& container, const std::string& action);
  // Those that are under way end undecided.
  void break_off();

 private:
  struct Wait {
    const compose::Step* step = nullptr;
    std::string container = {};
    std::chrono::steady_clock::time_point begun = {};
    std::chrono::steady_clock::time_point baseline = {};                // what happened before does not count
    std::optional<std::chrono::steady_clock::time_point> due = {};      // to be looked at; nothing: when something happens
    int deaths_before = 0;
    std::optional<std::int64_t> restarts_before = {};                   // nothing: what the next look tells
    std::optional<std::chrono::steady_clock::time_point> failed = {};   // when it first looked as if it had
  };

  void work(const std::stop_token& stop);
  int find_due() const;
  std::optional<std::chrono::steady_clock::time_point> find_next_look() const;
  void look_at(std::unique_lock<std::mutex>& lock, int step);
  Ending look(Wait& wait);
  Ending inspect(Wait& wait);
  Watched describe(const Wait& wait, std::optional<engine::ContainerDetails> details) const;
  bool is_settled(Wait& wait, const std::optional<engine::ContainerDetails>& details) const;
  std::string explain(const Wait& wait, const std::string& why);
  void forget_before(Wait& wait) const;

  const Context ctx_;
  engine::Client& client_;
  Outages& outages_;
  const EventWatch& events_;
  RunJournal* const journal_;
  const OnEnd on_end_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int, Wait> waits_;  // by step
  bool is_broken_off_ = false;
  std::jthread thread_;        // last: begins when all the others are there, and ends first
};

}  // namespace drover::stack
