#include "engine/inventory.h"

#include "base/error.h"
#include "base/parallel.h"
#include "engine/images.h"
#include "engine/json_fields.h"
#include "engine/system.h"
#include "engine/unpacked.h"
#include "manifest/manifest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <variant>

namespace drover::engine {
namespace {

Platform arm_platform(Platform platform, std::string_view machine) {
  const bool is_named = machine.starts_with("armv") && machine.size() > 4 && machine[4] >= '5' && machine[4] <= '7';
  if (is_named) platform.variant = std::string("v") + machine[4];
  return normalise(std::move(platform));
}

// /version says "arm" alone; the variant decides which image runs, and uname's name has it: armv6l is not armv7l. Asks for an empty `info`
// where it is needed.
Platform platform_of(const Context& ctx, Client& client, const EngineVersion& version, const EngineInfo& info) {
  if (version.platform.architecture != "arm") return version.platform;
  return arm_platform(version.platform, info.architecture.empty() ? read_info(ctx, client).architecture : info.architecture);
}

// The three questions whose answers do not depend on each other; /info is slow on a busy engine and asked only where it decides.
void read_overview(const Context& ctx, Client& client, Inventory& inventory, std::vector<ImageSummary>& summaries) {
  EngineVersion version;
  EngineInfo info;
  const bool may_be_containerd = !inventory.has(Quirk::always_classic);
  parallel_for_each(ctx, 3, 3, [&](const Context& inner, std::size_t question) {
    if (question == 0) version = read_version(inner, client);
    if (question == 1) summaries = list_images(inner, client);
    if (question == 2 && may_be_containerd) info = read_info(inner, client);
  });
  inventory.engine_version = version.version;
  inventory.platform = platform_of(ctx, client, version, info);
  inventory.store = info.store;
  inventory.root_folder = info.root_folder;
}

// An image removed since the list was made is not there any more, and that is all.
std::optional<ImageConfig> ask_for_config(const Context& ctx, Client& client, const Digest& id) {
  const std::optional<ImageDetails> details = find_image(ctx, client, id.to_string());
  if (!details) return std::nullopt;
  ImageConfig config;
  config.platform = details->platform;
  config.diff_ids = details->diff_ids;
  return config;
}

// From our own store: the classic store names an image by its configuration's digest, the other by its index's or manifest's. Where the
// engine has several platforms of it, it has to say which one it means.
std::optional<ImageConfig> find_config(const store::BlobStore& store, StoreKind kind, const ImageSummary& image) {
  try {
    Digest id = image.id;
    if (kind == StoreKind::containerd) {
      if (image.available_manifests.size() != 1 || !store.find_size(image.available_manifests.begin()->first)) return std::nullopt;
      const Document document = parse_document(store.read(image.available_manifests.begin()->first, manifest_bytes_max), {});
      const Manifest* const manifest = std::get_if<Manifest>(&document);
      if (manifest == nullptr) return std::nullopt;
      id = manifest->config.digest;
    }
    if (!store.find_size(id)) return std::nullopt;
    ImageConfig config = parse_image_config(store.read(id, config_bytes_max));
    config.platform = normalise(config.platform);
    return config;
  } catch (const Error&) {
    return std::nullopt;  // damaged here, or no image: the engine knows
  }
}

// Here and not unpacked, though it is for this engine's platform; never where the engine does not tell. What does not run on the engine it
// unpacks only when a container is made of it.
bool is_packed_manifest(const Inventory& inventory, const HeldManifest& held) {
  return judge_unpacked(held) == Unpacked::no && (held.platform.os.empty() || match_rank(inventory.platform, held.platform).has_value());
}

bool is_packed(const Inventory& inventory, const ImageSummary& image) {
  const HeldManifests& held = image.available_manifests;
  return !held.empty() && std::all_of(held.begin(), held.end(), [&](const auto& one) { return is_packed_manifest(inventory, one.second); });
}

}  // namespace

bool Inventory::has(Quirk quirk) const {
  return has_quirk({.product = is_podman ? Product::podman : Product::docker, .spoken = api, .newest = std::max(api, newest_api), .store = store}, quirk);
}

const EngineImage* Inventory::find_image(std::string_view familiar_tag) const {
  for (const EngineImage& image : images) {
    if (std::find(image.repo_tags.begin(), image.repo_tags.end(), familiar_tag) != image.repo_tags.end() ||
        std::find(image.repo_digests.begin(), image.repo_digests.end(), familiar_tag) != image.repo_digests.end()) {
      return &image;
    }
  }
  return nullptr;
}

const EngineImage* Inventory::find_image_by_id(const Digest& id) const {
  const auto found = std::find_if(images.begin(), images.end(), [&](const EngineImage& image) { return image.id == id; });
  return found == images.end() ? nullptr : &*found;
}

Platform find_platform(const Context& ctx, Client& client) { return platform_of(ctx, client, read_version(ctx, client), {}); }

Inventory take_inventory(const Context& ctx, Client& client, std::size_t jobs, const store::BlobStore* known) {
  Inventory inventory;
  const EngineTraits traits = client.traits(ctx);
  inventory.api = traits.spoken;
  inventory.newest_api = traits.newest;
  inventory.is_podman = traits.product == Product::podman;
  std::vector<ImageSummary> summaries;
  read_overview(ctx, client, inventory, summaries);

  std::vector<std::optional<Platform>> platforms(summaries.size());
  std::mutex mutex;
  parallel_for_each(ctx, summaries.size(), jobs, [&](const Context& inner, std::size_t index) {
    std::optional<ImageConfig> config = known == nullptr ? std::nullopt : find_config(*known, inventory.store, summaries[index]);
    if (!config) config = ask_for_config(inner, client, summaries[index].id);
    if (!config) return;
    if (!config->platform.os.empty()) platforms[index] = config->platform;
    // Layers that are packed alone are no ground to stand on.
    if (is_packed(inventory, summaries[index])) return;
    const std::vector<Digest> chain_ids = config->chain_ids();
    const std::scoped_lock lock(mutex);
    inventory.chain_ids.insert(chain_ids.begin(), chain_ids.end());
  });
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    ImageSummary& summary = summaries[i];
    if (inventory.store == StoreKind::containerd) {
      inventory.blobs.insert(summary.id);
      for (const auto& [manifest, held] : summary.available_manifests) {
        inventory.blobs.insert(manifest);
        if (judge_unpacked(held) == Unpacked::unsure || is_packed_manifest(inventory, held)) inventory.packed_manifests.insert(manifest);
      }
    }
    const bool is_startable = !is_packed(inventory, summary);
    inventory.images.push_back({summary.id, std::move(summary.repo_tags), std::move(summary.repo_digests), platforms[i], is_startable});
  }
  return inventory;
}

}  // namespace drover::engine
