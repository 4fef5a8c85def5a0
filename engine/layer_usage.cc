#include "engine/layer_usage.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace drover::engine {

std::vector<std::size_t> images_to_measure(std::span<const SnapshotImage> images) {
  std::set<Digest> known;                       // stacks that an image consists of
  std::map<Digest, std::set<Digest>> followers;  // what stands on each stack
  for (const SnapshotImage& image : images) {
    if (!image.chain_ids.empty()) known.insert(image.chain_ids.back());
    for (std::size_t i = 1; i < image.chain_ids.size(); ++i) followers[image.chain_ids[i - 1]].insert(image.chain_ids[i]);
  }
  std::vector<std::size_t> chosen;
  for (std::size_t index = 0; index < images.size(); ++index) {
    bool is_needed = false;
    for (const Digest& chain_id : images[index].chain_ids) {
      const auto found = followers.find(chain_id);
      if (found == followers.end() || found->second.size() < 2) continue;
      if (known.insert(chain_id).second) is_needed = true;
    }
    if (is_needed) chosen.push_back(index);
  }
  return chosen;
}

std::vector<std::uint64_t> layer_bytes_of(std::span<const std::uint64_t> sizes, std::size_t layers) {
  std::vector<std::uint64_t> bytes;
  for (const std::uint64_t size : sizes) {
    if (size > 0) bytes.push_back(size);
  }
  if (bytes.size() > layers || sizes.size() < layers) return {};
  bytes.resize(layers, 0);
  return bytes;
}

LayerUsage::LayerUsage(std::span<const SnapshotImage> images) {
  for (const SnapshotImage& image : images) {
    for (const Digest& chain_id : image.chain_ids) ++users_[chain_id];
    if (image.layer_bytes.size() != image.chain_ids.size()) {
      if (!image.chain_ids.empty()) bytes_.emplace(image.chain_ids.back(), image.bytes);
      continue;
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < image.chain_ids.size(); ++i) {
      sum += image.layer_bytes[i];
      bytes_.emplace(image.chain_ids[i], sum);
    }
  }
}

// Of the lowest `layers`; where nobody told, of the smallest stack above that somebody told of.
std::uint64_t LayerUsage::stack_bytes(const SnapshotImage& image, std::size_t layers) const {
  for (std::size_t i = layers; layers > 0 && i <= image.chain_ids.size(); ++i) {
    const auto found = bytes_.find(image.chain_ids[i - 1]);
    if (found != bytes_.end()) return found->second;
  }
  return layers == 0 ? 0 : image.bytes;
}

std::uint64_t LayerUsage::remove(const SnapshotImage& image) {
  std::size_t shared = 0;
  for (std::size_t i = 0; i < image.chain_ids.size(); ++i) {
    if (--users_[image.chain_ids[i]] > 0) shared = i + 1;
  }
  if (image.chain_ids.empty()) return image.bytes;
  if (shared == image.chain_ids.size()) return 0;
  const std::uint64_t all = stack_bytes(image, image.chain_ids.size());
  const std::uint64_t freed = all - std::min(all, stack_bytes(image, shared));
  const std::uint64_t packed = image.bytes - std::min(image.bytes, all);
  if (packed == 0) return freed;
  const double part = all == 0 ? 1.0 : static_cast<double>(freed) / static_cast<double>(all);
  return freed + static_cast<std::uint64_t>(static_cast<double>(packed) * part);
}

}  // namespace drover::engine
