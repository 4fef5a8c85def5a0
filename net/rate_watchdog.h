// Tells a slow transfer from a dead one: fewer than so many bytes per second over a window means stalled. Pure; time is given.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace drover::net {

class RateWatchdog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Never stalls when either is zero.
  RateWatchdog(std::uint64_t bytes_per_second, std::chrono::milliseconds window);

  // Begins with a whole window of grace.
  void start(TimePoint now);
  bool is_started() const { return started_; }
  void add(TimePoint now, std::uint64_t bytes);
  // The window slides by an eighth, so a silence is noticed after the window and at most an eighth more.
  bool is_stalled(TimePoint now);
  // How often to look.
  std::chrono::milliseconds check_interval() const { return slot_; }

 private:
  static constexpr std::size_t slot_count = 8;

  void advance(TimePoint now);

  std::chrono::milliseconds slot_;
  std::uint64_t window_bytes_min_;
  bool enabled_;
  bool started_ = false;
  TimePoint start_;
  std::uint64_t current_ = 0;                           // number of the slot that is being filled
  std::array<std::uint64_t, slot_count + 1> slots_{};  // bytes; slot n is at n modulo the size
};

}  // namespace drover::net
