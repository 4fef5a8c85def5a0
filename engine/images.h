// Images of an engine: list, inspect, tag, and the pull of a manifest whose layers are already there.
#pragma once

#include "base/context.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "manifest/platform.h"
#include "manifest/reference.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::engine {

struct ImageSummary {
  Digest id;
  std::vector<std::string> repo_tags;       // familiar form; podman's full names are shortened
  std::vector<std::string> repo_digests;
  std::set<Digest> available_manifests;  // containerd store, API 1.47: images whose every blob is there
};

struct ImageDetails {
  Digest id;
  std::vector<std::string> repo_tags;
  std::vector<std::string> repo_digests;
  std::vector<Digest> diff_ids;  // lowest first
  Platform platform;             // normalised; os empty when the engine did not say
  // Manifests of the image whose every blob is there; nothing when the engine did not say (it does in the containerd store, API 1.48).
  std::optional<std::set<Digest>> available_manifests;
};

// GET /images/json. Entries without a digest as ID are left out.
std::vector<ImageSummary> list_images(const Context& ctx, Client& client);
// GET /images/{name}/json, by ID, familiar tag or name@digest; nothing when there is no such image.
std::optional<ImageDetails> find_image(const Context& ctx, Client& client, std::string_view name);
// POST /images/{id}/tag; the reference's digest plays no part. A tag that named another image moves.
void tag_image(const Context& ctx, Client& client, const Digest& id, const Reference& reference);

struct ManifestPull {
  Reference reference;         // its name; the tag plays no part, so that a tag that moved meanwhile changes nothing
  Digest digest;               // of the index or manifest
  Platform platform;
  std::string registry_auth;   // X-Registry-Auth; empty: none
  std::chrono::milliseconds silence_max{20'000};
};

// POST /images/create by digest: with the image's config and layers there, the engine fetches manifests alone and notes RepoDigests.
// Throws refused, and ends the pull, when the engine begins to fetch a layer.
void pull_manifest(const Context& ctx, Client& client, const ManifestPull& pull);

// Pure; absent and null members are fine.
std::vector<ImageSummary> parse_image_list(const nlohmann::json& answer);
std::optional<ImageDetails> parse_image_details(const nlohmann::json& answer);
// "docker.io/library/redis:7" -> "redis:7"; what is no reference stays as it is.
std::string familiar_name_of(std::string_view name);

}  // namespace drover::engine
