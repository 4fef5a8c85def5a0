#include "engine/log_frames.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

namespace drover::engine {
namespace {

// moby, pkg/stdcopy: beside the three streams one for errors of the engine itself, which end the output.
constexpr unsigned engine_stream = 3;

}  // namespace

std::optional<LogFormat> find_log_format(const net::Headers& headers, const EngineTraits& traits) {
  if (has_quirk(traits, Quirk::hides_output_format)) return std::nullopt;
  const std::string type = to_lower(headers.find("content-type").value_or(""));
  if (type.starts_with("application/vnd.docker.multiplexed-stream")) return LogFormat::frames;
  if (type.starts_with("application/vnd.docker.raw-stream")) return LogFormat::raw;
  return std::nullopt;
}

LogFrames::LogFrames(LogFormat format, Handler handler) : format_(format), handler_(std::move(handler)) {}

void LogFrames::feed(std::span<const std::byte> bytes) {
  if (format_ == LogFormat::raw) {
    if (!bytes.empty()) handler_(OutputStream::standard_output, bytes);
    return;
  }
  while (!bytes.empty()) {
    if (payload_left_ == 0) {
      bytes = take_header(bytes);
      continue;
    }
    const std::size_t size = std::min<std::size_t>(payload_left_, bytes.size());
    take_payload(bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

std::span<const std::byte> LogFrames::take_header(std::span<const std::byte> bytes) {
  const std::size_t size = std::min(header_bytes - header_size_, bytes.size());
  std::copy_n(bytes.begin(), size, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  header_size_ += size;
  if (header_size_ == header_bytes) begin_frame();
  return bytes.subspan(size);
}

void LogFrames::begin_frame() {
  header_size_ = 0;
  const auto number = std::to_integer<unsigned>(header_[0]);
  const bool is_padded = std::all_of(header_.begin() + 1, header_.begin() + 4, [](std::byte byte) { return byte == std::byte{0}; });
  if (number > engine_stream || !is_padded) {
    throw Error(ErrorCode::invalid, "the engine's output is not in frames: a header begins with " + to_hex(std::span(header_).first(4)));
  }
  stream_ = number == engine_stream ? std::nullopt : std::optional(static_cast<OutputStream>(number));
  for (std::size_t i = 4; i < header_bytes; ++i) payload_left_ = payload_left_ << 8U | std::to_integer<std::uint32_t>(header_[i]);
}

void LogFrames::take_payload(std::span<const std::byte> payload) {
  payload_left_ -= static_cast<std::uint32_t>(payload.size());
  if (stream_) {
    handler_(*stream_, payload);
    return;
  }
  engine_error_ += as_text(payload.first(std::min(payload.size(), frame_error_bytes_max - engine_error_.size())));
}

void LogFrames::finish() {
  if (!engine_error_.empty()) throw Error(ErrorCode::engine, "the engine gave up the output: " + printable(trim(engine_error_)));
  if (header_size_ > 0 || payload_left_ > 0) throw Error(ErrorCode::network, "the engine's output ended in the middle of a frame");
}

}  // namespace drover::engine
