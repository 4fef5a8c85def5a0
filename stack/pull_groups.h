// The pulls that a prefetch is made of: one a set of platforms, each reference once.
#pragma once

#include "base/context.h"
#include "engine/load.h"
#include "registry/pull.h"
#include "stack/platforms.h"
#include "stack/prefetch.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace drover::stack {

struct GroupPull {
  registry::PullOptions options;
  std::vector<Reference> references;             // two wanted images may differ only in who wants them
  std::vector<std::vector<std::size_t>> images;  // by reference: indexes into the wanted images
  std::optional<registry::Resolutions> resolutions;
};

std::vector<GroupPull> group_pulls(const std::vector<LoadTarget>& targets, const std::vector<WantedImage>& images,
                                   const registry::PullOptions& options);

// Fills in the resolutions of all. Throws interrupted.
void resolve_groups(const Context& ctx, registry::Client& client, const store::BlobStore& store, std::vector<GroupPull>& groups);

// What all of them need together, each blob once; Blob::images are indexes into the wanted images.
registry::PullPlan plan_groups(const std::vector<GroupPull>& groups, const store::BlobStore& store);

// The image that serves `platform` best.
const registry::ResolvedImage* find_image(const registry::ResolvedReference& resolved, const Platform& platform);

// What is to be loaded of what was resolved, for the targets that are for the engine.
std::vector<engine::LoadImage> list_load_images(const std::vector<GroupPull>& groups, const std::vector<LoadTarget>& targets);

}  // namespace drover::stack
