// GET /system/df: what the engine's objects take on its disk, in the shapes of API 1.25 to 1.52 and later.
#pragma once

#include "base/context.h"
#include "engine/build_cache.h"
#include "engine/client.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/volumes.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace drover::engine {

// One kind of object. The engine's own sums are there from API 1.52 on; the items always, as this library asks for them.
template <typename Item>
struct UsageOf {
  std::vector<Item> items = {};
  std::optional<std::int64_t> active_count = {};
  std::optional<std::int64_t> total_count = {};
  std::optional<std::int64_t> reclaimable_bytes = {};  // the engine's hope: of images, shared layers are counted in
  std::optional<std::int64_t> total_bytes = {};        // of images below 1.52: of all layers, each once (LayersSize)
};

struct DiskUsage {
  UsageOf<ImageSummary> images = {};          // with shared_size_bytes and containers
  UsageOf<ContainerSummary> containers = {};  // with size_rw_bytes
  UsageOf<Volume> volumes = {};               // with size_bytes and containers
  UsageOf<BuildCacheRecord> build_cache = {};
};

// Which kinds to measure: API 1.42; earlier engines measure all. Volumes cost most: every file of every volume is looked at.
struct DiskUsageOptions {
  bool images = true;
  bool containers = true;
  bool volumes = true;
  bool build_cache = true;
};

// API 1.25. May take minutes. Engines before 23.0 refuse a second call while one runs (EngineFailure).
DiskUsage read_disk_usage(const Context& ctx, Client& client, const DiskUsageOptions& options = {});

// Pure; absent and null members are fine.
DiskUsage parse_disk_usage(const nlohmann::json& answer);

}  // namespace drover::engine
