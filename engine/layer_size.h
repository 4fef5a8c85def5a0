// How long a compressed layer will be once it is plain: a tar header needs that before the first byte.
#pragma once

#include "digest/digest.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <span>

namespace drover::engine {

// What a compressed file says of its own plain size, when that can be believed: gzip's ISIZE (RFC 1952 §2.3.1) for one member below
// 4 GiB, the content size of zstd's first frame (RFC 8878 §3.1.1). Files of several members or frames lie here, so the number must
// also be a whole count of tar blocks and not below the compressed size; it is a hint to be checked while inflating all the same.
// `head` are the first bytes (18 are enough), `tail` the last four.
std::optional<std::uint64_t> hinted_plain_size(std::span<const std::byte> head, std::span<const std::byte> tail,
                                               std::uint64_t file_bytes);

// Remembers sizes by blob. Thread-safe.
class LayerSizes {
 public:
  // The hint, or what counting found. Nothing when neither is known.
  std::optional<std::uint64_t> find(const Digest& layer, const std::filesystem::path& file);
  // Inflates the whole file to learn its size: about a second a gigabyte.
  std::uint64_t count(const Digest& layer, const std::filesystem::path& file);
  // The hint was wrong.
  void distrust(const Digest& layer);

 private:
  std::mutex mutex_;
  std::map<Digest, std::optional<std::uint64_t>> sizes_;
};

}  // namespace drover::engine
