// Hashes many blobs of a store against their names: the reading and hashing half of verify.
//
// Each thread reads a piece of as many blobs as fill the lanes of its CPU, and hashes the pieces together
// (digest/sha256_lanes.h). Every file is read from its begin to its end, the kernel some megabytes ahead of the hash; buffers
// take at most hash_buffers_bytes_max in all.
#pragma once

#include "base/context.h"
#include "store/blob_file.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::store {

inline constexpr std::size_t hash_buffers_bytes_max = 64U << 20U;

struct BlobFinding {
  std::uint64_t bytes = 0;         // hashed; zero when it has gone since it was listed, which is no fault
  std::optional<std::string> why;  // it is damaged, or cannot be read; nothing when it is sound
};

// In the order of `blobs`, on up to `threads` threads (at least one). Progress events of phase "verify", one id a blob: started,
// advanced every megabyte, finished or failed. Throws interrupted soon after a stop was asked for, and nothing else for a bad
// file.
std::vector<BlobFinding> hash_blobs(const Context& ctx, const std::filesystem::path& root, std::span<const StoredBlob> blobs,
                                    std::size_t threads);

}  // namespace drover::store
