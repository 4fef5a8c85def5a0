// Time as a service, so that waits cost nothing in tests.
#pragma once

#include <chrono>
#include <stop_token>

namespace drover {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point now() const = 0;
  virtual std::chrono::system_clock::time_point system_now() const = 0;
  // Returns early when a stop is asked for.
  virtual void sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) const = 0;

  // The machine's own clocks. Thread-safe.
  static const Clock& real();
};

}  // namespace drover
