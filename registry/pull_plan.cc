#include "registry/pull.h"

#include "base/text.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace drover::registry {
namespace {

constexpr std::uint64_t small_bytes = 1U << 20U;

struct Needed {
  Descriptor descriptor;
  bool is_layer = false;
};

std::vector<Needed> needs_of(const ResolvedReference& reference) {
  std::vector<Needed> all = {{reference.root.descriptor}};
  for (const FetchedManifest& index : reference.indexes) all.push_back({index.descriptor});
  for (const ResolvedImage& image : reference.images) {
    const auto& manifest = std::get<Manifest>(image.manifest.document);
    all.push_back({image.manifest.descriptor});
    all.push_back({manifest.config});
    for (const Descriptor& layer : manifest.layers) all.push_back({layer, true});
  }
  return all;
}

auto fetch_order(const PullPlan::Blob& blob) {
  const bool is_small = blob.descriptor.size <= small_bytes;
  return std::tuple(blob.is_present, !is_small, is_small ? blob.descriptor.size : ~blob.descriptor.size, blob.descriptor.digest);
}

}  // namespace

PullPlan plan_pull(const std::vector<const ResolvedReference*>& images, const store::BlobStore& store) {
  PullPlan plan;
  std::unordered_map<Digest, std::size_t> known;
  for (std::size_t image = 0; image < images.size(); ++image) {
    if (images[image] == nullptr) continue;
    for (const auto& [descriptor, is_layer] : needs_of(*images[image])) {
      const auto [entry, is_new] = known.try_emplace(descriptor.digest, plan.blobs.size());
      if (is_new) {
        const bool is_present = store.has(descriptor.digest, descriptor.size);
        plan.blobs.push_back({.descriptor = descriptor, .repository = images[image]->reference, .images = {}, .is_present = is_present, .is_layer = is_layer});
        plan.bytes_total += descriptor.size;
        plan.bytes_missing += is_present ? 0 : descriptor.size;
      }
      std::vector<std::size_t>& needed_by = plan.blobs[entry->second].images;
      if (needed_by.empty() || needed_by.back() != image) needed_by.push_back(image);
    }
  }
  std::sort(plan.blobs.begin(), plan.blobs.end(), [](const auto& a, const auto& b) { return fetch_order(a) < fetch_order(b); });
  return plan;
}

PullPlan plan_pull(const Resolutions& resolutions, const store::BlobStore& store) {
  std::vector<const ResolvedReference*> images;
  for (const Resolutions::One& one : resolutions.list) images.push_back(one.resolved ? &*one.resolved : nullptr);
  return plan_pull(images, store);
}

std::string to_text(const PullPlan& plan) {
  std::string text;
  std::size_t present = 0;
  for (const PullPlan::Blob& blob : plan.blobs) {
    if (blob.is_present) {
      ++present;
      continue;
    }
    text += "fetch " + blob.descriptor.digest.to_string() + " " + std::to_string(blob.descriptor.size) + " from " + blob.repository.name() +
            (blob.images.size() > 1 ? ", for " + std::to_string(blob.images.size()) + " images" : "") + "\n";
  }
  return text + "present " + std::to_string(present) + " of " + std::to_string(plan.blobs.size()) + " blobs, to fetch " +
         format_bytes(plan.bytes_missing) + " of " + format_bytes(plan.bytes_total) + "\n";
}

}  // namespace drover::registry
