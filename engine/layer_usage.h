// What the removal of an image really frees: the layers that no other image stands on, each once. Pure.
#pragma once

#include "engine/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace drover::engine {

// Images, by index, whose layers' own sizes are needed: some image shares a part of their layers that no image consists of. An image's
// size tells all else. Classic store; the containerd store's sizes have the packed blobs in them, there all have to be asked.
std::vector<std::size_t> images_to_measure(std::span<const SnapshotImage> images);

// `sizes` are those of the image's history (GET /images/{name}/history), oldest first, with 0 for steps that made no layer and for layers
// without a file alike. One size a layer; where it cannot be told which step made a layer, the bytes lie low: less is then called freed
// than is. Empty when they do not fit together.
std::vector<std::uint64_t> layer_bytes_of(std::span<const std::uint64_t> sizes, std::size_t layers);

// The layers of images that are still there. A value; cheap to copy for trying out.
class LayerUsage {
 public:
  explicit LayerUsage(std::span<const SnapshotImage> images);

  // Takes one of the images away; returns the bytes that nobody uses any more. In the containerd store the packed blobs of shared layers
  // are taken to be the same part of all packed bytes as of the unpacked ones.
  std::uint64_t remove(const SnapshotImage& image);

 private:
  std::uint64_t stack_bytes(const SnapshotImage& image, std::size_t layers) const;

  std::map<Digest, std::size_t> users_;     // by chain ID
  std::map<Digest, std::uint64_t> bytes_;   // of the whole stack below and with that chain ID
};

}  // namespace drover::engine
