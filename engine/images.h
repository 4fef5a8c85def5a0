// Images of an engine: list, inspect, history, tag, remove, prune, search, commit, and the pull of a manifest whose layers are
// already there.
//
// An image is named by its ID, a familiar tag or name@digest. Thread rule and errors are the Client's: every call throws
// EngineFailure (not_found; engine, with is_conflict() for an image in use), network or interrupted. Whole images come and go by
// image_transfer.h.
#pragma once

#include "base/context.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "engine/container_config.h"
#include "engine/inventory.h"
#include "engine/query.h"
#include "engine/timestamp.h"
#include "manifest/platform.h"
#include "manifest/reference.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// What an engine with the containerd store has of one platform's image.
struct HeldManifest {
  Platform platform = {};                           // normalised; os empty when the engine did not say
  std::int64_t packed_bytes = 0;                    // of its blobs
  std::optional<std::int64_t> unpacked_bytes = {};  // of its layers' files: 0 as well while nothing is unpacked (unpacked.h)
};

// By manifest, those whose every blob is there.
using HeldManifests = std::map<Digest, HeldManifest>;

struct ImageSummary {
  Digest id;
  std::vector<std::string> repo_tags = {};  // familiar form; podman's full names are shortened
  std::vector<std::string> repo_digests = {};
  HeldManifests available_manifests = {};  // containerd store, API 1.47
  std::optional<Digest> parent_id = {};  // of the classic builder's steps
  std::optional<Timestamp> created = {};   // built; not when it came here
  std::int64_t size_bytes = 0;             // classic: of all layers; containerd store: packed and unpacked together
  std::optional<std::int64_t> shared_size_bytes = {};  // with other images; only when asked for
  std::optional<std::int64_t> containers = {};         // that stand on it, in any state; df, and lists from API 1.51 on
  std::map<std::string, std::string> labels = {};
};

// What `docker image prune` would call dangling, children aside (an image with children is another's parent_id): in the classic
// store an image without a tag, though it may still have digests; in the containerd store one without any name.
bool is_dangling(const ImageSummary& image, StoreKind store);

struct ImageDetails {
  Digest id;
  std::vector<std::string> repo_tags;
  std::vector<std::string> repo_digests;
  std::vector<Digest> diff_ids;  // lowest first
  Platform platform;             // normalised; os empty when the engine did not say
  // Nothing when the engine did not say (it does in the containerd store, API 1.48).
  std::optional<HeldManifests> available_manifests;
  std::optional<Digest> parent_id = {};
  std::optional<Timestamp> created = {};        // built
  std::optional<Timestamp> last_tag_time = {};  // when a name was last given to it here; nothing when the engine never noted one
  std::string author = {};
  std::string comment = {};
  std::int64_t size_bytes = 0;
  ContainerConfig config = {};                  // the defaults of its containers
};

struct ImageListOptions {
  bool all = false;                // with the steps in between that the classic builder leaves
  bool with_shared_sizes = false;  // API 1.42; expensive
  Filters filters = {};            // reference, dangling, label, before, since, until (API 1.44)
};

// GET /images/json. Entries without a digest as ID are left out.
std::vector<ImageSummary> list_images(const Context& ctx, Client& client, const ImageListOptions& options = {});
// GET /images/{name}/json, by ID, familiar tag or name@digest; nothing when there is no such image.
std::optional<ImageDetails> find_image(const Context& ctx, Client& client, std::string_view name);
// POST /images/{id}/tag; the reference's digest plays no part. A tag that named another image moves.
void tag_image(const Context& ctx, Client& client, const Digest& id, const Reference& reference);

struct HistoryStep {
  std::optional<Digest> id = {};  // of the image that the step made, where it is here
  std::optional<Timestamp> created = {};
  std::string created_by = {};
  std::vector<std::string> tags = {};
  std::int64_t size_bytes = 0;    // of its layer; 0 for steps without one
  std::string comment = {};
};

// GET /images/{name}/history, the newest step first.
std::vector<HistoryStep> read_image_history(const Context& ctx, Client& client, std::string_view name);

// What a removal or a prune did: names taken away, and images or layers gone.
struct ImageRemoval {
  std::vector<std::string> untagged = {};
  std::vector<std::string> removed = {};
  std::int64_t reclaimed_bytes = 0;  // prune alone tells
};

struct RemoveImageOptions {
  bool force = false;          // also when several names, or a stopped container, hold it
  bool prune_parents = false;  // also its untagged parents
};

// DELETE /images/{name}. By name: the name goes, and the image with its last name. A conflict when a container stands on it.
ImageRemoval remove_image(const Context& ctx, Client& client, std::string_view name, const RemoveImageOptions& options = {});
// POST /images/prune, API 1.25: dangling images, or with {{"dangling", {"false"}}} all that no container stands on.
ImageRemoval prune_images(const Context& ctx, Client& client, const Filters& filters = {});

struct FoundImage {
  std::string name;
  std::string description = {};
  std::int64_t stars = 0;
  bool is_official = false;
};

struct SearchOptions {
  std::int64_t limit = 25;   // 1 to 100
  Filters filters = {};      // is-official, stars
  std::string registry_auth = {};
};

// GET /images/search: asks Docker Hub, or the registry that `term` begins with, by way of the engine.
std::vector<FoundImage> search_images(const Context& ctx, Client& client, std::string_view term,
                                      const SearchOptions& options = {});

struct CommitRequest {
  std::string container;
  std::string repository = {};          // empty: no name
  std::string tag = {};
  std::string author = {};
  std::string comment = {};
  bool pause = true;                    // while its files are read
  std::vector<std::string> changes = {};  // Dockerfile lines: "CMD [\"sh\"]"
};

// POST /commit: an image of a container's files; its ID.
Digest commit_container(const Context& ctx, Client& client, const CommitRequest& request);

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
std::vector<HistoryStep> parse_image_history(const nlohmann::json& answer);
ImageRemoval parse_image_removal(const nlohmann::json& answer);
std::vector<FoundImage> parse_found_images(const nlohmann::json& answer);
// "docker.io/library/redis:7" -> "redis:7"; what is no reference stays as it is.
std::string familiar_name_of(std::string_view name);

}  // namespace drover::engine
