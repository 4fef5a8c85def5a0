// What an engine has, as far as loading images and checking for updates need to know.
#pragma once

#include "base/context.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "engine/quirks.h"
#include "manifest/platform.h"
#include "store/blob_store.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::engine {

struct EngineImage {
  Digest id;
  std::vector<std::string> repo_tags;     // familiar form: "redis:7"
  std::vector<std::string> repo_digests;  // "redis@sha256:…"
  std::optional<Platform> platform = {};  // as inspect tells it, normalised
  bool is_startable = true;               // false: all of it is packed, a load or pull of it failed (containerd store, API 1.47)
};

struct Inventory {
  StoreKind store = StoreKind::classic;
  ApiVersion api;                  // spoken with it
  ApiVersion newest_api;           // what it offers, where that is more
  std::string engine_version;      // "20.10.24"
  Platform platform;               // the engine's own, normalised
  bool is_podman = false;
  std::string root_folder;         // EngineInfo's, where /info had to be asked; else empty
  std::vector<EngineImage> images;
  std::set<Digest> chain_ids;      // of every layer stack that an image of this engine stands on (both kinds of store)
  std::set<Digest> blobs;          // containerd store: manifests, configs and layers known by digest, as far as the API tells
  std::set<Digest> packed_manifests;  // of blobs: images of which nothing is unpacked, or nothing that shows (unpacked.h)

  bool has(Quirk quirk) const;
  const EngineImage* find_image(std::string_view familiar_tag) const;
  const EngineImage* find_image_by_id(const Digest& id) const;
};

// The engine's own platform alone, as an inventory has it: one question, where that inspects every image.
Platform find_platform(const Context& ctx, Client& client);

// Reads only. Inspects each image once, up to `jobs` at a time; not those whose configuration `known` has, where given: an engine with the
// containerd store takes 15 ms of processor time to answer (28.5).
Inventory take_inventory(const Context& ctx, Client& client, std::size_t jobs = 8, const store::BlobStore* known = nullptr);

}  // namespace drover::engine
