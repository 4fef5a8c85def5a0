#include "cli/diagnostics.h"

#include "base/text.h"

namespace drover::cli {
namespace {

constexpr std::size_t line_bytes_max = 2000;

std::string_view prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "drover: debug: ";
    case LogLevel::info: return "drover: ";
    case LogLevel::warning: return "drover: warning: ";
  }
  return "drover: ";
}

}  // namespace

void Diagnostics::write(LogLevel level, std::string_view text) {
  if (level != LogLevel::warning && !is_verbose_) return;
  screen_.write_line(std::string(prefix(level)) + printable(text, line_bytes_max));
}

}  // namespace drover::cli
