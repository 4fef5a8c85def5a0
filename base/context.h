// What every service call gets first: how to stop, where to report, what time it is.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"

#include <chrono>
#include <optional>
#include <stop_token>

namespace drover {

// Copy freely; the pointed-to services outlive every call they are passed to.
struct Context {
  std::stop_token stop = {};
  Progress* progress = &Progress::none();
  Log* log = &Log::none();
  const Clock* clock = &Clock::real();
  // When all that is called with this context has to be over, by `clock`; nothing: calls have their own bounds only.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};

  // Throws Error{interrupted} once a stop was asked for, a final Error{network} once the deadline has passed.
  void check_stop() const;
  // A copy that ends `duration` from now, or at this one's deadline if that comes first.
  Context within(std::chrono::milliseconds duration) const;
  // A copy that nobody stops, for what has to be put right even then.
  Context without_stop() const;
  // Until the deadline, at most `longest`; 0 once it has passed.
  std::chrono::milliseconds time_left(std::chrono::milliseconds longest) const;
  void warn(std::string_view text) const { log->write(LogLevel::warning, text); }
  void debug(std::string_view text) const { log->write(LogLevel::debug, text); }
};

}  // namespace drover
