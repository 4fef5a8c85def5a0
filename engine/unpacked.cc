#include "engine/unpacked.h"

#include "base/error.h"
#include "engine/engine_failure.h"

#include <algorithm>
#include <string_view>

namespace drover::engine {
namespace {

// The containerd store names an image by the digest that registries know it by, the classic one by its configuration's.
bool is_of_containerd(const ImageDetails& image) {
  const std::string suffix = "@" + image.id.to_string();
  return std::any_of(image.repo_digests.begin(), image.repo_digests.end(), [&](const std::string& name) { return name.ends_with(suffix); });
}

Unpacked judge_held(const ImageDetails& image, const std::optional<Digest>& manifest) {
  const HeldManifests& held = *image.available_manifests;
  if (manifest) {
    const auto found = held.find(*manifest);
    return found == held.end() ? Unpacked::no : judge_unpacked(found->second);
  }
  const auto found = std::find_if(held.begin(), held.end(), [&](const auto& one) { return one.second.platform == image.platform; });
  return found == held.end() ? Unpacked::yes : judge_unpacked(found->second);
}

}  // namespace

Unpacked judge_unpacked(const HeldManifest& held) {
  if (held.unpacked_bytes.value_or(1) > 0) return Unpacked::yes;
  return held.packed_bytes > empty_image_bytes_max ? Unpacked::no : Unpacked::unsure;
}

Unpacked find_unpacked(const Context& ctx, Client& client, const ImageDetails& image, const std::optional<Digest>& manifest) {
  if (image.available_manifests) return judge_held(image, manifest);
  if (!is_of_containerd(image)) return Unpacked::yes;
  try {
    read_image_history(ctx, client, image.id.to_string());
    return Unpacked::yes;
  } catch (const EngineFailure& error) {
    // Any other answer is no word about snapshots: engines fail at configurations that list more layers than there are.
    // "snapshot sha256:... does not exist: not found", 26.1; else the image has gone meanwhile.
    return error.status == 404 && std::string_view(error.what()).find("snapshot") != std::string_view::npos ? Unpacked::no : Unpacked::unsure;
  }
}

}  // namespace drover::engine
