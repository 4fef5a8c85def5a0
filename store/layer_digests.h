// A layer's two names from one reading: the digest of the file as it lies there, and its diff ID, the digest of the tar inside
// (OCI image-spec v1.1, config.md §layer-diffid).
#pragma once

#include "base/context.h"
#include "digest/digest.h"

#include <cstdint>
#include <filesystem>

namespace drover::store {

struct LayerDigests {
  Digest blob;
  Digest diff_id;
  std::uint64_t blob_bytes = 0;
  std::uint64_t plain_bytes = 0;
};

// Both sha256. The file is read once and inflated on the calling thread, the two digests are hashed as a pair of lanes; memory is below
// 2 MiB. Throws what InflateReader throws, and interrupted.
LayerDigests read_layer_digests(const Context& ctx, const std::filesystem::path& file);

}  // namespace drover::store
