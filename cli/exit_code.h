// What a run's end is called, for shells: pure functions of errors.
#pragma once

#include "base/error.h"

#include <chrono>
#include <string>
#include <vector>

namespace drover::cli {

enum class ExitCode : int {
  done = 0,              // or nothing to do
  failed = 1,
  usage = 2,
  refused = 3,           // before anything was touched
  network = 5,           // network, registry or authentication
  rate_limited = 6,
  updates_exist = 10,    // `check --exit-code`
  rolled_back = 11,      // `up`: applied, a gate failed, everything is as it was
  rollback_failed = 12,  // `up`: likewise, and the way back failed: a person is needed
  data_safety = 13,
  locked = 14,
  platform_missing = 15,
  interrupted = 130,
};

// What an HTTP answer said (no such image, a document that cannot be read) is the registry's failure; wrong bytes are plain failure,
// because coming back later does not help.
ExitCode exit_code(const Error& error);

// Of several, the one that says most about what to do next; done when there are none.
ExitCode exit_code(const std::vector<Error>& errors);

// "drover: <what>", with the time to come back where the other side named one. One line, safe on a terminal.
std::string error_line(const Error& error, std::chrono::system_clock::time_point now);

// "2024-05-01T12:00:00Z".
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace drover::cli
