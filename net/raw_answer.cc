#include "net/raw_answer.h"

#include "base/text.h"

#include <charconv>
#include <cstdint>
#include <optional>

namespace drover::net {
namespace {

// The next line with its end removed; nothing when it is not complete.
std::optional<std::string_view> take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

int read_status(std::string_view head) {
  const std::size_t space = head.find(' ');
  if (!head.starts_with("HTTP/1.") || space == std::string_view::npos) return 0;
  return static_cast<int>(parse_uint(head.substr(space + 1, 3)).value_or(0));
}

// Without the interim answers in front.
std::string_view skip_interim(std::string_view bytes) {
  while (const int status = read_status(bytes)) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (status >= 200 || end == std::string_view::npos) break;
    bytes.remove_prefix(end + 4);
  }
  return bytes;
}

void deliver_chunks(std::string_view bytes, Exchange& exchange) {
  while (const std::optional<std::string_view> line = take_line(bytes)) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), size, 16);
    if (error != std::errc() || size == 0) return;
    const std::string_view chunk = bytes.substr(0, size);
    if (!exchange.on_body(as_bytes(chunk)) || chunk.size() < size) return;
    bytes.remove_prefix(size);
    take_line(bytes);
  }
}

}  // namespace

bool deliver_raw_refusal(std::string_view bytes, Exchange& exchange) {
  bytes = skip_interim(bytes);
  if (read_status(bytes) < 300 || bytes.find("\r\n\r\n") == std::string_view::npos) return false;
  while (const std::optional<std::string_view> line = take_line(bytes)) {
    if (!exchange.on_header_line(*line)) return exchange.has_head();
    if (exchange.has_head()) break;
  }
  if (!exchange.has_head()) return false;
  if (exchange.head().headers.find("transfer-encoding")) {
    deliver_chunks(bytes, exchange);
  } else if (!bytes.empty()) {
    exchange.on_body(as_bytes(bytes.substr(0, static_cast<std::size_t>(exchange.head().content_length.value_or(bytes.size())))));
  }
  return true;
}

}  // namespace drover::net
