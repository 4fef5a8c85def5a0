// Layers as plain tar: gzip by ISA-L, zstd by libzstd, plain as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace drover::store {

enum class Compression { none, gzip, zstd, unknown };

// By the first bytes, not by the media type: registries are wrong often enough.
Compression sniff_compression(std::span<const std::byte> head);
Compression sniff_compression(const std::filesystem::path& file);

// Reads a layer file and yields its uncompressed bytes. Strict: trailing bytes that are no further member, cut streams, bad checksums
// and a ratio beyond 1100:1 after 1 GiB (deflate's limit is 1032:1) throw invalid. Not thread-safe.
class InflateReader {
 public:
  // `on_read` is told of the file's own bytes as they are read, in order and each once, the first of them before this returns.
  explicit InflateReader(const std::filesystem::path& file, std::function<void(std::span<const std::byte>)> on_read = {});
  ~InflateReader();
  InflateReader(InflateReader&&) noexcept;

  // Fills as much of the span as it can; 0 is the end.
  std::size_t read(std::span<std::byte> out);
  Compression compression() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::store
