// Bytes a second of one connection, of late. Pure; time is given.
//
// What came within the last half second counts most: a mean whose weights fall with age, and which a silence pulls down at once.
// Between requests the meter stands still: waiting for an answer says nothing about the rate.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace drover::registry {

class RateMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Bytes begin to come.
  void start(TimePoint now) { last_ = now; }

  void add(TimePoint now, std::uint64_t bytes) {
    const double passed = since(now);
    const double kept = std::exp(-passed / memory_seconds);
    bytes_ = bytes_ * kept + static_cast<double>(bytes);
    seconds_ = seconds_ * kept + passed;
    total_ += bytes;
    last_ = std::max(last_, now);
  }

  // 0: not known yet. `now` lies within a request.
  double bytes_per_second(TimePoint now) const {
    const double passed = since(now);
    const double kept = std::exp(-passed / memory_seconds);
    return total_ < enough_bytes ? 0 : bytes_ * kept / std::max(seconds_ * kept + passed, shortest_seconds);
  }
  // As it was when the last bytes came.
  double last_bytes_per_second() const { return bytes_per_second(last_); }

 private:
  static constexpr double memory_seconds = 0.5;
  static constexpr double shortest_seconds = 1e-3;  // what one read of a full socket buffer seems to take says little
  static constexpr std::uint64_t enough_bytes = 64U << 10U;

  double since(TimePoint now) const { return std::max(0.0, std::chrono::duration<double>(now - last_).count()); }

  double bytes_ = 0;
  double seconds_ = 0;
  std::uint64_t total_ = 0;
  TimePoint last_{};
};

}  // namespace drover::registry
