#include "stack/last_words.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/container_output.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace drover::stack {
namespace {

constexpr std::chrono::seconds log_patience{10};

}  // namespace

std::string last_words_of(std::string_view output) {
  std::vector<std::string> lines;
  for (const std::string_view raw : split(output, '\n')) {
    const std::string_view line = trim(raw);
    if (!line.empty()) lines.push_back("\"" + printable(line, last_line_bytes_max) + "\"");
  }
  if (lines.empty()) return {};
  if (lines.size() > last_lines_max) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(last_lines_max));
  return "its last lines: " + join(lines, ", ");
}

bool fits_last_words(std::string_view output) {
  std::size_t lines = 0;
  for (const std::string_view raw : split(output, '\n')) {
    const std::string_view line = trim(raw);
    if (line.size() > last_line_bytes_max) return false;
    if (!line.empty()) ++lines;
  }
  return lines <= last_lines_max;
}

std::string read_log_end(const Context& ctx, engine::Client& client, std::string_view container) {
  std::string output;
  try {
    engine::read_container_logs(ctx.within(log_patience), client, container, {.tail = log_end_lines_max}, [&](engine::OutputStream, std::span<const std::byte> bytes) {
      output += as_text(bytes);
      if (output.size() > 2 * log_end_bytes_max) output.erase(0, output.size() - log_end_bytes_max);
    });
  } catch (const Error& error) {
    ctx.debug("container " + std::string(container) + " keeps no log to read: " + error.what());
  }
  if (output.size() > log_end_bytes_max) output.erase(0, output.size() - log_end_bytes_max);
  return output;
}

}  // namespace drover::stack
