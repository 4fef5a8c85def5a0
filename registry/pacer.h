// A pull that has until a given time: spread over it, and told early when it will not do.
#pragma once

#include "base/context.h"
#include "base/progress.h"
#include "registry/rate_limiter.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace drover::registry {

// No pace is slower: registries and what stands before them cut connections that take nothing for about a minute (nginx: 60 s), and each of
// 32 connections takes 256 KiB at a time.
inline constexpr std::uint64_t pace_min = 512U << 10U;
// Of the whole time, kept for what comes after the last byte: syncing, hashing, loading.
inline constexpr double pace_reserve = 0.05;
inline constexpr std::chrono::seconds pace_reserve_min{2};
inline constexpr std::chrono::seconds pace_reserve_max{300};
// A rate is measured over a tenth of the whole time, and may be so much below what is needed before anybody is alarmed.
inline constexpr double pace_window_share = 0.1;
inline constexpr std::chrono::seconds pace_window_min{1};
inline constexpr std::chrono::seconds pace_window_max{10};
inline constexpr double pace_tolerance = 0.9;
// Less is no news: what is on its way is counted as left until it lies on disk.
inline constexpr double late_seconds_min = 2;
// A first warning is followed by another when it will take so much longer than was said.
inline constexpr double late_growth = 2;
inline constexpr double late_growth_seconds_min = 10;

struct PaceView {
  std::uint64_t left_bytes = 0;
  double left_seconds = 0;                 // until the deadline; negative behind it
  double reserve_seconds = 0;              // of them, not to be planned with
  std::uint64_t rate_max = 0;              // the user's own cap in bytes a second; 0: none
  std::optional<double> measured_rate = {};  // bytes a second
};

struct ChosenPace {
  std::uint64_t rate = 0;                     // bytes a second; 0: as fast as it goes
  std::optional<double> late_seconds = {};    // how much too long it will take; nothing: it will about do, or nobody knows
};

// Of `time`, to be kept for what comes after the last byte. Pure.
std::chrono::duration<double> reserve_of(std::chrono::duration<double> time);

// How things stand before the first byte of a transfer of so many bytes that has `time`. Pure.
PaceView view_at_begin(std::uint64_t bytes, std::chrono::duration<double> time, std::uint64_t rate_max);

// Never slower than the rest of the time asks for, never faster than rate_max. Pure.
ChosenPace choose_pace(const PaceView& view);

// A warning's line. Pure.
std::string late_text(const PaceView& view, double late_seconds);

// The rate over the last `window`, which the newest sample ends; of the second half, if that brought more: connections are still being added.
// Nothing before a window has passed since the first byte. Time is given.
class ArrivalMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit ArrivalMeter(std::chrono::duration<double> window) : window_(window) {}

  // All that has come until now.
  void note(TimePoint now, std::uint64_t bytes);
  std::optional<double> bytes_per_second() const;

 private:
  using Sample = std::pair<TimePoint, std::uint64_t>;

  const std::chrono::duration<double> window_;
  std::deque<Sample> samples_;
};

// When a warning is worth its line: at once, when two looks in a row say so; again when things have become much worse, and when the
// time is over.
class LateNews {
 public:
  // One look.
  bool is_news(const PaceView& view, const ChosenPace& pace);

 private:
  bool was_late_ = false;
  std::optional<double> told_seconds_;
  bool has_told_end_ = false;
};

// Passes every event on to ctx.progress, counts those of phase "fetch", and sets the limiter's rate by them. Thread-safe.
class Pacer final : public Progress {
 public:
  // Borrows all of them. `ctx`'s clock tells the time, its log is told when it will not do. What the limiter grants is what comes.
  Pacer(const Context& ctx, std::chrono::system_clock::time_point deadline, std::uint64_t rate_max, RateLimiter& limiter);

  // What a plan says will be fetched in all, to be told before the first byte; without it, what has begun is all that is known.
  void expect(std::uint64_t bytes);
  void on(const ProgressEvent& event) noexcept override;
  // Measures and sets the rate; to be called about every half second.
  void tick();

 private:
  const Context ctx_;
  const std::chrono::system_clock::time_point deadline_;
  const std::chrono::duration<double> reserve_;
  const std::uint64_t rate_max_;
  RateLimiter& limiter_;
  std::mutex mutex_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>, std::less<>> blobs_;  // done and total, by id
  std::uint64_t expected_ = 0;
  std::uint64_t left_ = 0;  // of what has begun
  std::uint64_t begun_ = 0;
  ArrivalMeter meter_;
  LateNews news_;
};

// Ticks from a thread of its own until it is destroyed.
class PacerThread {
 public:
  explicit PacerThread(Pacer& pacer);
  ~PacerThread();
  PacerThread(const PacerThread&) = delete;
  PacerThread& operator=(const PacerThread&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace drover::registry
