#include "engine/build_cache.h"

#include "engine/disk_usage.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion build_cache_prune_api{1, 31};
constexpr ApiVersion limits_api{1, 48};

}  // namespace

std::vector<BuildCacheRecord> parse_build_cache(const nlohmann::json& records) {
  std::vector<BuildCacheRecord> out;
  if (!records.is_array()) return out;
  for (const nlohmann::json& record : records) {
    BuildCacheRecord entry{.id = text_member(record, "ID")};
    if (entry.id.empty()) continue;
    entry.parents = texts_member(record, "Parents");
    // Below API 1.42 there is one, in "Parent".
    if (const std::string parent = text_member(record, "Parent"); entry.parents.empty() && !parent.empty())
      entry.parents.push_back(parent);
    entry.type = text_member(record, "Type");
    entry.description = text_member(record, "Description");
    entry.is_in_use = flag_member(record, "InUse");
    entry.is_shared = flag_member(record, "Shared");
    entry.size_bytes = number_member(record, "Size");
    entry.created = time_member(record, "CreatedAt");
    entry.last_used = time_member(record, "LastUsedAt");
    entry.usage_count = number_member(record, "UsageCount");
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<BuildCacheRecord> list_build_cache(const Context& ctx, Client& client) {
  return read_disk_usage(ctx, client, {.images = false, .containers = false, .volumes = false}).build_cache.items;
}

PrunedBuildCache prune_build_cache(const Context& ctx, Client& client, const BuildPruneOptions& options) {
  client.require(ctx, build_cache_prune_api, "pruning the build cache");
  const bool has_limits = client.api_version(ctx) >= limits_api;
  if (options.used_bytes_max || options.free_bytes_min) client.require(ctx, limits_api, "a limit for the build cache");
  Query query("/build/prune");
  query.flag("all", options.all).filters(options.filters);
  if (options.reserved_bytes) query.number(has_limits ? "reserved-space" : "keep-storage", *options.reserved_bytes);
  if (options.used_bytes_max) query.number("max-used-space", *options.used_bytes_max);
  if (options.free_bytes_min) query.number("min-free-space", *options.free_bytes_min);
  const nlohmann::json answer = client.post(ctx, query.path(), nullptr, long_work_silence_max);
  return {texts_member(answer, "CachesDeleted"), number_member(answer, "SpaceReclaimed")};
}

}  // namespace drover::engine
