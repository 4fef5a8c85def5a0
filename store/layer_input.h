// A compressed file as a window of bytes: large sequential reads with the kernel reading ahead.
#pragma once

#include "base/file.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace drover::store {

// Not thread-safe.
class LayerInput {
 public:
  // Told of the file's bytes as they are read, in order and each once; they lie there until the next call.
  using OnRead = std::function<void(std::span<const std::byte>)>;

  explicit LayerInput(const std::filesystem::path& file, OnRead on_read = {});

  // What is read and not consumed; reads on when that is nothing. Empty at the end of the file.
  std::span<const std::byte> window();
  void consume(std::size_t bytes);
  // One byte consumed; throws invalid at the end of the file.
  std::uint8_t take();
  // Consumed so far.
  std::uint64_t offset() const { return read_ - (end_ - begin_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  OnRead on_read_;
  UniqueFd fd_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace drover::store
