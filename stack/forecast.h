// What a run will take, before its first byte: the network, the disks, Docker Hub's quota.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "engine/load.h"
#include "registry/client.h"
#include "registry/pull.h"
#include "stack/disk_space.h"
#include "store/blob_store.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

// What a compressed layer is taken to unpack to where its own words are not at hand. 271 MB of gzip were 721 MB in a stack of five layers, 95 MB
// of mariadb 349 on disk, which is the most that was seen: rather too much is said than too little.
inline constexpr double plain_ratio = 4;
// What a file system takes for the files of a layer, to the bytes of its tar: 349 MB for 334 (mariadb), 315 for 248 (small files: manual pages,
// documentation, Perl).
inline constexpr double unpacked_ratio = 1.3;

struct DiskNeed {
  std::filesystem::path folder;    // empty: on another machine, or not to be seen
  std::uint64_t bytes = 0;         // that will be written and stay
  std::uint64_t bytes_min = 0;     // that are certain, where `bytes` is an estimate
  std::uint64_t bytes_passing = 0;  // that are needed besides, at the worst moment, and given back
  std::optional<DiskSpace> space;  // that the folder's file system has now
};

struct Forecast {
  registry::PullPlan pull;           // Blob::images are indexes into what was asked for
  std::uint64_t requests = 0;        // at least: the documents' as planning has counted them, one a layer; how many more a large layer takes
                                     // depends on the rates that connections show
  DiskNeed store;                    // exact
  std::optional<DiskNeed> engine;    // rather too much than too little. Nothing: no load
  std::uint64_t hub_pulls = 0;       // manifests asked of Docker Hub by tag, each of which it counts; HEAD requests are free
  std::optional<registry::RateLimit> hub_limit;  // as Docker Hub told it last, after planning
};

// What the store's file system will have to give for the plan: whole blocks, without what part files of earlier runs hold already.
DiskNeed store_need(const registry::PullPlan& plan, const store::BlobStore& store, const std::filesystem::path& folder);

// What the engine will keep of these images: the layers that it lacks, each once, unpacked; with the containerd store the packed ones as well,
// with the classic one a copy of each archive while it is loaded (docs/decisions/0009). Layers that the store has are asked for their plain size.
DiskNeed engine_need(const std::vector<engine::LoadImage>& images, const engine::Inventory& inventory, const store::BlobStore& store,
                     std::size_t loads_at_once);

// The engine's data folder when it is on this machine: behind a unix socket, and there. Empty otherwise, and when the engine does not say.
// Asks /info where nobody has yet. Throws interrupted.
std::filesystem::path find_engine_folder(const Context& ctx, engine::Client& engine, const engine::Inventory& inventory);

// Requests, quota, and what of the plan is common to all commands. `planning_requests` were spent on resolving.
Forecast make_forecast(registry::PullPlan plan, const registry::Client& client, std::uint64_t planning_requests, DiskNeed store,
                       std::optional<DiskNeed> engine);

// Throws refused, with the numbers: a disk cannot take what is certain; or, with `free_bytes_min`, would have less than that left. Needs on
// one file system are added up. Pure.
void require_space(const Forecast& forecast, std::optional<std::uint64_t> free_bytes_min);

// What is not certain and still likely: an estimate is more than what is free. A line for a person; nothing when all is well. Pure.
std::optional<std::string> space_warning(const Forecast& forecast);

// registry::to_text's lines, then a line each for requests, disks and quota.
std::string to_text(const Forecast& forecast);

}  // namespace drover::stack
