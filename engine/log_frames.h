// Takes the output of a container or an exec apart: Engine API "stream format" of attach, logs and exec start.
//
// Without a terminal the engine sends frames: one byte naming the stream, three zero bytes, the payload's length (big endian), the payload.
// With a terminal it sends the terminal's bytes as they are. Nothing is gathered but a frame's header, so that a frame of any length,
// cut anywhere, costs no memory.
#pragma once

#include "engine/quirks.h"
#include "net/transport.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace drover::engine {

enum class OutputStream {
  standard_input,  // what was typed, where the engine echoes it
  standard_output,
  standard_error,
};

enum class LogFormat {
  frames,
  raw,  // a terminal's: all of it counts as standard output
};

// What the answer's Content-Type says. Nothing from engines that hide it (below API 1.42): then the container's or exec's Tty decides.
std::optional<LogFormat> find_log_format(const net::Headers& headers, const EngineTraits& traits);

// The engine's own words about a stream that it had to give up are a sentence.
inline constexpr std::size_t frame_error_bytes_max = 4096;

// Not thread-safe. What the handler throws comes out of feed().
class LogFrames {
 public:
  // A frame's payload comes in as many pieces as it was cut into; never an empty one.
  using Handler = std::function<void(OutputStream stream, std::span<const std::byte> bytes)>;

  LogFrames(LogFormat format, Handler handler);

  // Throws invalid when a frame names no known stream: then these are no frames, or bytes were lost.
  void feed(std::span<const std::byte> bytes);
  // The end of the output. Throws network when it is in the middle of a frame, engine with the engine's reason when it gave up.
  void finish();

 private:
  static constexpr std::size_t header_bytes = 8;

  void begin_frame();
  std::span<const std::byte> take_header(std::span<const std::byte> bytes);
  void take_payload(std::span<const std::byte> payload);

  LogFormat format_;
  Handler handler_;
  std::array<std::byte, header_bytes> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t payload_left_ = 0;
  std::optional<OutputStream> stream_;  // of the current frame; nothing: the engine speaks for itself
  std::string engine_error_;
};

}  // namespace drover::engine
