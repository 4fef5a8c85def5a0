// The main job: every image of a stack, registry to store to engine, so that the later update needs no registry.
#pragma once

#include "base/context.h"
#include "engine/load.h"
#include "registry/pull.h"
#include "store/blob_store.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

struct Forecast;

// An image to have, for the engine's platform or the one a service asks for.
struct WantedImage {
  Reference reference;
  std::optional<Platform> platform;     // a service's own; nothing: the engine's or the options'
  std::vector<std::string> services;
};

struct PrefetchOptions {
  registry::PullOptions pull;           // pull.platforms empty: the engine's platform
  engine::LoadOptions load;
  bool keep_going = true;
  std::size_t loads = 12;               // images loaded at once
  // Called once, when it is known what all of it will take and before the first layer's first byte; throws to refuse. Empty: layers are
  // fetched while other references are still being resolved.
  std::function<void(const Forecast&)> on_forecast = {};
};

// Another platform of an image that was asked for: in the store, not for this engine.
struct StoredPlatform {
  Platform platform;
  Digest digest;                        // of its manifest
  std::size_t layers_total = 0;
};

struct PrefetchedImage {
  WantedImage wanted;
  Platform platform;
  std::optional<Digest> digest;         // of the platform's manifest
  std::string image_id;
  enum class State { present, loaded, stored, failed } state = State::failed;
  std::size_t layers_total = 0;
  std::size_t layers_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::optional<Error> error;
  std::vector<StoredPlatform> others = {};  // in the order of the index; none that another wanted image of the same reference is about
};

struct PrefetchReport {
  registry::PullReport pulled;
  std::vector<PrefetchedImage> images;  // one a wanted image, in order
};

// `engine` null: to the store only (`--no-load`). Downloads, inflating and loading overlap. Never throws for a single image; throws
// refused, before anything is fetched, when the engine cannot be used.
PrefetchReport prefetch(const Context& ctx, registry::Client& registry, store::BlobStore& store, engine::Client* engine,
                        const std::vector<WantedImage>& images, const PrefetchOptions& options);

// What prefetch would take: resolves and plans, changes nothing. `store_folder` is where the store is or will be. Throws what fails first.
Forecast plan_prefetch(const Context& ctx, registry::Client& registry, const store::BlobStore& store,
                       const std::filesystem::path& store_folder, engine::Client* engine, const std::vector<WantedImage>& images,
                       const registry::PullOptions& options);

}  // namespace drover::stack
