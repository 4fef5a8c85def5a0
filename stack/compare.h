// Is an image that an engine or a store holds the one that the registry has now? Pure.
#pragma once

#include "digest/digest.h"
#include "engine/inventory.h"
#include "manifest/platform.h"

#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

// What the registry has under a reference, as far as it was asked.
struct Available {
  Digest root;                      // what the tag names: index or manifest
  std::optional<Digest> manifest;   // of the platform; nothing when only HEAD was asked
  std::optional<Digest> config;     // of the platform
};

// What an engine holds under one image ID.
struct Held {
  Digest id;                              // classic store: config digest; containerd store: index or manifest digest
  std::vector<std::string> repo_digests;  // "redis@sha256:…"; empty after a load into a classic store
  std::optional<Platform> platform = {};  // of the bytes that are there; nothing when the engine does not tell

  // Whether what is held can be the image for `wanted`: an index's digest alone says nothing about which of its platforms is there.
  bool may_serve(const Platform& wanted) const { return !platform || match_rank(wanted, *platform).has_value(); }
};

enum class Sameness {
  same,
  different,
  unsure,  // more has to be asked: the platform's digests, or what a held index says
};

// With HEAD alone only `same` is certain. A classic store's image ID is the config digest, which decides for one platform; in a
// containerd store an index may have changed for another platform only, so an unknown index is `unsure`.
Sameness compare(const Held& held, const Available& available, engine::StoreKind store);

// The digest to show for a held image: the registry's name for it when there is one, else its ID.
Digest shown_digest(const Held& held, const std::string& familiar_name);

}  // namespace drover::stack
