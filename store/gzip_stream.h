// Gzip (RFC 1952) by ISA-L: members one after another, each with its CRC32 and length checked.
#pragma once

#include "store/layer_input.h"

#include <cstddef>
#include <memory>
#include <span>

namespace drover::store {

// RFC 1952 sets no limit to a member's name and comment; real ones are file names.
inline constexpr std::size_t gzip_text_bytes_max = 64U << 10U;

// Not thread-safe. The input outlives it.
class GzipStream {
 public:
  explicit GzipStream(LayerInput& input);
  ~GzipStream();
  GzipStream(GzipStream&&) noexcept;

  // Fills as much as it can; 0 is the end of the last member and of the file. Throws invalid.
  std::size_t read(std::span<std::byte> out);

 private:
  struct State;
  void read_header();
  void read_trailer();
  std::size_t inflate_some(std::span<std::byte> out);
  LayerInput* input_;
  std::unique_ptr<State> state_;
};

}  // namespace drover::store
