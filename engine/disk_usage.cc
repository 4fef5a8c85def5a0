#include "engine/disk_usage.h"

#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion disk_usage_api{1, 25};
constexpr ApiVersion type_api{1, 42};
constexpr ApiVersion verbose_api{1, 52};
// Millions of files on a slow disk.
constexpr std::chrono::minutes disk_usage_silence_max{60};

// A kind's names: in the flat answer of old, and of the object that API 1.52 brought.
struct Names {
  const char* flat;
  const char* usage;
};

template <typename Item>
UsageOf<Item> parse_usage(const nlohmann::json& answer, const Names& names, std::vector<Item> (*parse)(const nlohmann::json&)) {
  const nlohmann::json& usage = member(answer, names.usage);
  if (!usage.is_object()) return {.items = parse(member(answer, names.flat))};
  // Engines that still send both leave the new one without items unless asked.
  const nlohmann::json& items = member(usage, "Items");
  return {.items = parse(items.is_array() && !items.empty() ? items : member(answer, names.flat)),
          .active_count = find_number_member(usage, "ActiveCount"),
          .total_count = find_number_member(usage, "TotalCount"),
          .reclaimable_bytes = find_number_member(usage, "Reclaimable"),
          .total_bytes = find_number_member(usage, "TotalSize")};
}

std::vector<Volume> parse_volumes(const nlohmann::json& volumes) {
  std::vector<Volume> out;
  if (!volumes.is_array()) return out;
  for (const nlohmann::json& entry : volumes) {
    if (auto volume = parse_volume(entry)) out.push_back(std::move(*volume));
  }
  return out;
}

}  // namespace

DiskUsage parse_disk_usage(const nlohmann::json& answer) {
  DiskUsage out{.images = parse_usage<ImageSummary>(answer, {"Images", "ImageUsage"}, parse_image_list),
                .containers = parse_usage<ContainerSummary>(answer, {"Containers", "ContainerUsage"}, parse_container_list),
                .volumes = parse_usage<Volume>(answer, {"Volumes", "VolumeUsage"}, parse_volumes),
                .build_cache = parse_usage<BuildCacheRecord>(answer, {"BuildCache", "BuildCacheUsage"}, parse_build_cache)};
  if (!out.images.total_bytes) out.images.total_bytes = find_number_member(answer, "LayersSize");
  return out;
}

DiskUsage read_disk_usage(const Context& ctx, Client& client, const DiskUsageOptions& options) {
  client.require(ctx, disk_usage_api, "measuring disk usage");
  const bool wants_any = options.images || options.containers || options.volumes || options.build_cache;
  if (!wants_any) return {};
  const ApiVersion api = client.api_version(ctx);
  Query query("/system/df");
  if (api >= type_api) {
    const auto choose = [&](bool is_wanted, std::string_view type) {
      if (is_wanted) query.set("type", type);
    };
    choose(options.images, "image");
    choose(options.containers, "container");
    choose(options.volumes, "volume");
    choose(options.build_cache, "build-cache");
  }
  query.flag("verbose", api >= verbose_api);
  return parse_disk_usage(client.get(ctx, query.path(), disk_usage_silence_max));
}

}  // namespace drover::engine
