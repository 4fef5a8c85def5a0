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

// How many blobs go together in the turn of the one with the most left, so that it does not go on alone when the others have ended: one
// stream alone has the rate of a lane, two have 1.65 of it, sixteen 1.95 (decision 0011). As many as may while the others last longer; then
// one beside it; alone where other threads have the others and it is the last to end in any case. Bytes left; `others`: of all of them. Pure.
std::size_t find_turn_size(std::uint64_t largest, std::uint64_t others, std::size_t threads, std::size_t turn_max);

// In the order of `blobs`, on up to `threads` threads (at least one). Progress events of phase "verify", one id a blob: started,
// advanced every megabyte, finished or failed. Throws interrupted soon after a stop was asked for, and nothing else for a bad
// file.
std::vector<BlobFinding> hash_blobs(const Context& ctx, const std::filesystem::path& root, std::span<const StoredBlob> blobs,
                                    std::size_t threads);

}  // namespace drover::store
