#include "base/context.h"

#include "base/error.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace drover {
namespace {

class RealClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point system_now() const override { return std::chrono::system_clock::now(); }
  void sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) const override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, duration, [] { return false; });
  }
};

class NoLog final : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

class NoProgress final : public Progress {
 public:
  void on(const ProgressEvent&) noexcept override {}
};

}  // namespace

const Clock& Clock::real() {
  static const RealClock clock;
  return clock;
}

Log& Log::none() {
  static NoLog log;
  return log;
}

Progress& Progress::none() {
  static NoProgress progress;
  return progress;
}

void Context::check_stop() const {
  if (stop.stop_requested()) throw Error(ErrorCode::interrupted, "interrupted");
  if (!deadline || clock->now() < *deadline) return;
  Error error(ErrorCode::network, "not done before the deadline");
  error.is_final = true;
  throw error;
}

Context Context::without_stop() const {
  Context unstopped = *this;
  unstopped.stop = {};
  return unstopped;
}

Context Context::within(std::chrono::milliseconds duration) const {
  Context bounded = *this;
  const auto end = clock->now() + duration;
  bounded.deadline = deadline ? std::min(*deadline, end) : end;
  return bounded;
}

std::chrono::milliseconds Context::time_left(std::chrono::milliseconds longest) const {
  if (!deadline) return longest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - clock->now());
  return std::clamp(left, std::chrono::milliseconds(0), longest);
}

}  // namespace drover
