// Diagnostics below the surface of the command line; nothing below cli/ prints. Secrets never get here.
#pragma once

#include <string_view>

namespace drover {

enum class LogLevel { debug, info, warning };

class Log {
 public:
  virtual ~Log() = default;
  // Thread-safe in every implementation.
  virtual void write(LogLevel level, std::string_view text) = 0;

  // Drops everything.
  static Log& none();
};

}  // namespace drover
