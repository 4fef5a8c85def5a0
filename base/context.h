// What every service call gets first: how to stop, where to report, what time it is.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"

#include <stop_token>

namespace drover {

// Copy freely; the pointed-to services outlive every call they are passed to.
struct Context {
  std::stop_token stop = {};
  Progress* progress = &Progress::none();
  Log* log = &Log::none();
  const Clock* clock = &Clock::real();

  // Throws Error{interrupted} once a stop was asked for.
  void check_stop() const;
  void warn(std::string_view text) const { log->write(LogLevel::warning, text); }
  void debug(std::string_view text) const { log->write(LogLevel::debug, text); }
};

}  // namespace drover
