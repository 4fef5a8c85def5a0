#include "stack/pull_groups.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>

namespace drover::stack {

std::vector<GroupPull> group_pulls(const std::vector<LoadTarget>& targets, const std::vector<WantedImage>& images,
                                   const registry::PullOptions& options) {
  std::vector<GroupPull> pulls;
  for (const PullGroup& group : group_by_platforms(targets, options.platforms)) {
    GroupPull& pull = pulls.emplace_back(GroupPull{.options = options, .references = {}, .images = {}, .resolutions = {}});
    pull.options.platforms = group.platforms;
    for (const std::size_t image : group.images) {
      const auto known = std::find(pull.references.begin(), pull.references.end(), images[image].reference);
      if (known == pull.references.end()) {
        pull.references.push_back(images[image].reference);
        pull.images.push_back({image});
      } else {
        pull.images[static_cast<std::size_t>(known - pull.references.begin())].push_back(image);
      }
    }
  }
  return pulls;
}

void resolve_groups(const Context& ctx, registry::Client& client, const store::BlobStore& store, std::vector<GroupPull>& groups) {
  for (GroupPull& group : groups) group.resolutions = registry::resolve_all(ctx, client, store, group.references, group.options);
}

registry::PullPlan plan_groups(const std::vector<GroupPull>& groups, const store::BlobStore& store) {
  registry::PullPlan all;
  std::unordered_map<Digest, std::size_t> known;
  for (const GroupPull& group : groups) {
    for (registry::PullPlan::Blob& blob : registry::plan_pull(*group.resolutions, store).blobs) {
      std::vector<std::size_t> needed_by;
      for (const std::size_t i : blob.images) needed_by.insert(needed_by.end(), group.images[i].begin(), group.images[i].end());
      blob.images = std::move(needed_by);
      const auto [entry, is_new] = known.try_emplace(blob.descriptor.digest, all.blobs.size());
      if (!is_new) {
        std::vector<std::size_t>& others = all.blobs[entry->second].images;
        others.insert(others.end(), blob.images.begin(), blob.images.end());
        continue;
      }
      all.bytes_total += blob.descriptor.size;
      if (!blob.is_present) all.bytes_missing += blob.descriptor.size;
      all.blobs.push_back(std::move(blob));
    }
  }
  return all;
}

const registry::ResolvedImage* find_image(const registry::ResolvedReference& resolved, const Platform& platform) {
  const registry::ResolvedImage* best = nullptr;
  std::size_t best_rank = SIZE_MAX;
  for (const registry::ResolvedImage& image : resolved.images) {
    const auto rank = match_rank(platform, image.platform);
    if (!rank || *rank >= best_rank) continue;
    best = &image;
    best_rank = *rank;
  }
  return best;
}

std::vector<engine::LoadImage> list_load_images(const std::vector<GroupPull>& groups, const std::vector<LoadTarget>& targets) {
  std::vector<engine::LoadImage> images;
  for (const GroupPull& group : groups) {
    for (std::size_t i = 0; i < group.references.size(); ++i) {
      const registry::Resolutions::One& one = group.resolutions->list[i];
      for (const std::size_t wanted : group.images[i]) {
        if (!one.resolved || !targets[wanted].is_for_engine) continue;
        const registry::ResolvedImage* const image = find_image(*one.resolved, targets[wanted].platform);
        if (image == nullptr) continue;
        images.push_back({.reference = one.reference,
                          .root = one.resolved->root.descriptor,
                          .image = {.platform = image->platform,
                                    .manifest = image->manifest.descriptor,
                                    .parsed = std::get<Manifest>(image->manifest.document)},
                          .config = image->config});
      }
    }
  }
  return images;
}

}  // namespace drover::stack
