#include "store/verify_layers.h"

#include "base/error.h"
#include "base/parallel.h"
#include "manifest/media_type.h"
#include "store/closure.h"
#include "store/layer_digests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace drover::store {
namespace {

// One image's word about a layer.
struct Claim {
  std::string image;  // tag and platform
  Digest diff_id;
};

struct Layer {
  Digest digest;
  std::uint64_t size = 0;
  std::vector<Claim> claims;
  std::optional<Digest> found;
  std::string failure;
};

bool is_image(const Manifest& manifest) {
  return manifest.config.media_type == media_type::oci_config || manifest.config.media_type == media_type::docker_config;
}

void add_claims(const BlobStore& store, const std::string& tag, const Closure::Image& image, std::map<Digest, Layer>& layers) {
  if (!is_image(image.parsed)) return;
  ImageConfig config;
  try {
    config = parse_image_config(store.read(image.parsed.config.digest, config_bytes_max));
  } catch (const Error&) {
    return;
  }
  const std::size_t count = std::min(config.diff_ids.size(), image.parsed.layers.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Descriptor& layer = image.parsed.layers[i];
    if (!store.has(layer.digest, layer.size)) continue;
    Layer& known = layers.try_emplace(layer.digest, Layer{.digest = layer.digest, .size = layer.size, .claims = {}, .found = {}, .failure = {}}).first->second;
    known.claims.push_back({.image = tag + " " + image.platform.to_string(), .diff_id = config.diff_ids[i]});
  }
}

std::vector<Layer> list_layers(const BlobStore& store) {
  std::map<Digest, Layer> layers;
  for (const Tag& tag : store.tags()) {
    for (const Closure::Image& image : read_closure_leniently(store.root(), tag.descriptor).closure.images) {
      add_claims(store, tag.name, image, layers);
    }
  }
  std::vector<Layer> list;
  for (auto& [digest, layer] : layers) list.push_back(std::move(layer));
  // The largest first, so that no thread is left with one at the end.
  std::stable_sort(list.begin(), list.end(), [](const Layer& a, const Layer& b) { return a.size > b.size; });
  return list;
}

void inflate(const Context& ctx, const BlobStore& store, Layer& layer) {
  const std::string id = layer.digest.to_string();
  ProgressEvent event{.kind = ProgressEvent::Kind::started, .phase = "verify layers", .id = id, .label = id, .done = 0, .total = layer.size, .text = {}};
  ctx.progress->on(event);
  try {
    layer.found = read_layer_digests(ctx, store.blob_path(layer.digest)).diff_id;
    event.done = layer.size;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    layer.failure = error.what();
  }
  event.kind = layer.found ? ProgressEvent::Kind::finished : ProgressEvent::Kind::failed;
  event.text = layer.failure;
  ctx.progress->on(event);
}

}  // namespace

std::vector<TagFault> verify_layers(const Context& ctx, const BlobStore& store, std::size_t jobs) {
  std::vector<Layer> layers = list_layers(store);
  parallel_for_each(ctx, layers.size(), std::max<std::size_t>(jobs, 1),
                    [&](const Context& inner, std::size_t i) { inflate(inner, store, layers[i]); });
  std::vector<TagFault> faults;
  for (const Layer& layer : layers) {
    for (const Claim& claim : layer.claims) {
      if (layer.found == claim.diff_id) continue;
      // Another algorithm's diff ID is not computed here.
      if (layer.found && layer.found->algorithm() != claim.diff_id.algorithm()) continue;
      const std::string why = layer.found ? "unpacks to " + layer.found->to_string() + ", its configuration says " + claim.diff_id.to_string()
                                          : "cannot be unpacked: " + layer.failure;
      faults.push_back({.name = claim.image, .why = "layer " + layer.digest.to_string() + " " + why});
    }
  }
  std::sort(faults.begin(), faults.end(), [](const TagFault& a, const TagFault& b) { return std::pair(a.name, a.why) < std::pair(b.name, b.why); });
  return faults;
}

}  // namespace drover::store
