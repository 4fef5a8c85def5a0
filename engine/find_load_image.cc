#include "engine/load.h"

#include "base/error.h"

namespace drover::engine {

LoadImage find_load_image(const store::BlobStore& store, const Reference& reference, const Descriptor& root, const Platform& platform) {
  const store::Closure closure = store::read_closure(store, root);
  const store::Closure::Image* best = nullptr;
  std::optional<std::size_t> best_rank;
  std::string available;
  for (const store::Closure::Image& image : closure.images) {
    const std::optional<std::size_t> rank = match_rank(platform, image.platform);
    available += (available.empty() ? "" : ", ") + image.platform.to_string();
    if (!rank || (best_rank && *best_rank <= *rank)) continue;
    best = &image;
    best_rank = rank;
  }
  if (best == nullptr) {
    throw Error(ErrorCode::platform_missing, "no image of " + reference.to_string() + " for " + platform.to_string() +
                                                 " in the store (has " + (available.empty() ? "none" : available) +
                                                 "); pull it with --platform " + platform.to_string());
  }
  ImageConfig config = parse_image_config(store.read(best->parsed.config.digest, config_bytes_max));
  check_layers_match(best->parsed, config);
  return {.reference = reference, .root = root, .image = *best, .config = std::move(config)};
}

}  // namespace drover::engine
