// How many connections one host gets: more while more bring more, fewer when it says that it is too much. Pure; time is given.
//
// Begins with a few and doubles as soon as each has shown that it works, until an addition brings too little (then: one at a
// time, about a second each; two additions that bring too little: hold, and try again every 15 s). The first doublings are too
// quick to be judged where a connection's first bytes come at once: then the proof that each connection delivers has to do, unless it
// delivers so much that there is no hurry.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace drover::registry {

class ConnectionLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit ConnectionLimit(std::size_t most) : most_(most) {}

  std::size_t limit() const { return limit_; }

  // So many are worth having from the beginning: a blob each, or connections that stand already. No effect once it has adapted.
  void begin_with(std::size_t connections);

  struct Sample {
    std::uint64_t received = 0;         // bytes from this host so far
    std::size_t in_use = 0;             // connections
    std::size_t in_use_and_proven = 0;  // of them, those that have brought something
    bool is_all_receiving = false;      // each of them has its answer's first byte
    bool is_more_wanted = false;        // there is work for another one
    double round_trip_seconds = 0;
  };
  // To be called often; changes limit().
  void look(TimePoint now, const Sample& sample);

  // 429, 503, or a connection that was cut before it brought anything. `in_use` counts that one.
  void refused(TimePoint now, std::size_t in_use);
  // It lets no more than so many connections have an answer.
  void starved(TimePoint now, std::size_t answered);

 private:
  enum class Phase { doubling, adding, holding };
  struct Level {
    std::size_t connections = 0;
    double bytes_per_second = 0;
  };
  struct Window {
    TimePoint begin;
    std::uint64_t received = 0;
  };

  void look_doubling(TimePoint now, const Sample& sample);
  void look_adding(TimePoint now, const Sample& sample);
  bool is_growth_enough(const Level& level) const;
  void fail(TimePoint now, const Level& level);
  void forget_window();
  void hold(TimePoint now, std::size_t limit);
  void raise(std::size_t limit, const std::optional<Level>& measured);

  std::size_t most_;
  std::size_t limit_ = 1;
  Phase phase_ = Phase::doubling;
  bool has_adapted_ = false;
  std::optional<TimePoint> full_since_;
  std::optional<Window> window_;
  std::optional<Level> before_;  // the last addition, when it was measured
  bool is_on_trial_ = false;     // limit_ was raised and not judged yet
  int failures_ = 0;
  TimePoint hold_until_{};
  std::optional<TimePoint> refused_at_;
};

}  // namespace drover::registry
