// Warnings for everybody, the rest with --verbose: "drover: warning: ...".
#pragma once

#include "base/log.h"
#include "cli/screen.h"

namespace drover::cli {

class Diagnostics : public Log {
 public:
  Diagnostics(Screen& screen, bool is_verbose) : screen_(screen), is_verbose_(is_verbose) {}
  void write(LogLevel level, std::string_view text) override;

 private:
  Screen& screen_;
  bool is_verbose_;
};

}  // namespace drover::cli
