// A clock that moves only when somebody sleeps on it (or the test says so), and remembers every sleep. Thread-safe.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <mutex>
#include <vector>

namespace drover::test {

class FakeClock final : public Clock {
 public:
  // 2024-01-01T00:00:00Z unless told otherwise.
  explicit FakeClock(std::chrono::system_clock::time_point start = std::chrono::system_clock::time_point(std::chrono::seconds(1'704'067'200)))
      : start_(start) {}

  std::chrono::steady_clock::time_point now() const override {
    const std::lock_guard lock(mutex_);
    // Not at the epoch: code that takes time_point{} for "never" must not be fooled.
    return std::chrono::steady_clock::time_point(std::chrono::hours(1)) + passed_;
  }

  std::chrono::system_clock::time_point system_now() const override {
    const std::lock_guard lock(mutex_);
    return start_ + passed_;
  }

  // Returns at once, the clock moved on; a sleep under a stop is recorded, but takes no time.
  void sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) const override {
    const std::lock_guard lock(mutex_);
    sleeps_.push_back(duration);
    if (!stop.stop_requested()) passed_ += duration;
  }

  void advance(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    passed_ += duration;
  }

  std::vector<std::chrono::milliseconds> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  const std::chrono::system_clock::time_point start_;
  mutable std::mutex mutex_;
  mutable std::chrono::milliseconds passed_{0};
  mutable std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace drover::test
