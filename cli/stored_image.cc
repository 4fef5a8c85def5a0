#include "cli/stored_image.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/manifest.h"
#include "manifest/platform.h"
#include "store/closure.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace drover::cli {
namespace {

using Images = std::vector<store::Closure::Image>;

std::optional<std::string> find_fault(const store::BlobStore& store, const Descriptor& blob) {
  const std::optional<std::uint64_t> size = store.find_size(blob.digest);
  if (!size) return "blob " + blob.digest.to_string() + " is not in the store";
  if (*size == blob.size) return std::nullopt;
  return "blob " + blob.digest.to_string() + " has " + std::to_string(*size) + " bytes, its descriptor says " + std::to_string(blob.size);
}

std::string created_of(const store::BlobStore& store, const Descriptor& config) {
  try {
    return parse_image_config(store.read(config.digest, config_bytes_max)).created;
  } catch (const Error&) {
    return {};  // an artifact's config is no image config, and a missing one is told as such
  }
}

Error missing_platform(const store::Tag& tag, const Images& images, const Platform& wanted) {
  std::vector<std::string> names;
  for (const store::Closure::Image& image : images) names.push_back(image.platform.to_string());
  return Error(ErrorCode::platform_missing, "no image of " + tag.name + " for " + wanted.to_string() + " in the store (has " +
                                                (names.empty() ? "none" : join(names, ", ")) + "); pull it with --platform " + wanted.to_string());
}

Images select(const store::Tag& tag, const Images& images, const std::vector<Platform>& wanted) {
  Images selected;
  for (const Platform& platform : wanted) {
    const auto rank = [&](const store::Closure::Image& image) { return match_rank(platform, image.platform).value_or(SIZE_MAX); };
    const auto best = std::min_element(images.begin(), images.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (best == images.end() || rank(*best) == SIZE_MAX) throw missing_platform(tag, images, platform);
    const bool is_new = std::none_of(selected.begin(), selected.end(), [&](const auto& s) { return s.manifest.digest == best->manifest.digest; });
    if (is_new) selected.push_back(*best);
  }
  return selected;
}

}  // namespace

bool ImageView::is_missing(const Digest& digest) const { return std::find(missing.begin(), missing.end(), digest) != missing.end(); }

ImageView make_view(std::string platform, const Descriptor& descriptor, const Manifest& manifest, std::string created) {
  return {.platform = std::move(platform), .manifest = descriptor, .config = manifest.config, .layers = manifest.layers,
          .created = std::move(created)};
}

StoredImage read_stored_image(const store::BlobStore& store, const store::Tag& tag, const std::vector<Platform>& wanted) {
  StoredImage stored{.tag = tag, .images = {}, .damage = {}};
  const store::LenientClosure found = store::read_closure_leniently(store.root(), tag.descriptor);
  std::unordered_set<Digest> missing;
  std::vector<std::string> faults;
  for (const Descriptor& blob : found.closure.blobs) {
    if (auto fault = find_fault(store, blob)) {
      faults.push_back(*std::move(fault));
      missing.insert(blob.digest);
    } else {
      stored.bytes += blob.size;
    }
  }
  for (const store::Closure::Image& image : wanted.empty() ? found.closure.images : select(tag, found.closure.images, wanted)) {
    ImageView view = make_view(image.platform.to_string(), image.manifest, image.parsed, created_of(store, image.parsed.config));
    if (missing.contains(view.config.digest)) view.missing.push_back(view.config.digest);
    for (const Descriptor& layer : view.layers) {
      if (missing.contains(layer.digest)) view.missing.push_back(layer.digest);
    }
    stored.images.push_back(std::move(view));
  }
  if (faults.empty() && !found.problems.empty()) faults.emplace_back(found.problems.front().error.what());
  if (!faults.empty()) stored.damage = faults.front() + (faults.size() > 1 ? ", and " + std::to_string(faults.size() - 1) + " more" : "");
  return stored;
}

}  // namespace drover::cli
