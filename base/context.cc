#include "base/context.h"

#include "base/error.h"

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
}

}  // namespace drover
