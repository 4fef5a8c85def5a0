// The builder's cache of an engine (BuildKit's, since 18.09): what it holds, and pruning it. Thread rule and errors are the
// Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/query.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

struct BuildCacheRecord {
  std::string id;
  std::vector<std::string> parents = {};
  std::string type = {};              // "regular", "source.local", "exec.cachemount", ...
  std::string description = {};
  bool is_in_use = false;
  bool is_shared = false;             // with an image: removing it frees nothing
  std::int64_t size_bytes = 0;
  std::optional<Timestamp> created = {};
  std::optional<Timestamp> last_used = {};
  std::int64_t usage_count = 0;
};

struct BuildPruneOptions {
  bool all = false;                   // also what builds may still use, not only what is dangling
  // Keep at least so much (below API 1.48 sent as keep-storage).
  std::optional<std::int64_t> reserved_bytes = {};
  std::optional<std::int64_t> used_bytes_max = {};       // API 1.48
  std::optional<std::int64_t> free_bytes_min = {};       // API 1.48
  Filters filters = {};               // id, parent, type, until, inuse, shared, private
};

struct PrunedBuildCache {
  std::vector<std::string> ids = {};
  std::int64_t reclaimed_bytes = 0;
};

// GET /system/df for its records alone: API 1.42, below which all else is measured as well.
std::vector<BuildCacheRecord> list_build_cache(const Context& ctx, Client& client);
// POST /build/prune, API 1.31.
PrunedBuildCache prune_build_cache(const Context& ctx, Client& client, const BuildPruneOptions& options = {});

// Pure; absent and null members are fine.
std::vector<BuildCacheRecord> parse_build_cache(const nlohmann::json& records);

}  // namespace drover::engine
