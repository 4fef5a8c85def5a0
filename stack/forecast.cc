#include "stack/forecast.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/layer_size.h"
#include "engine/system.h"
#include "manifest/media_type.h"

#include <sys/stat.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace drover::stack {
namespace {

constexpr std::uint64_t block_bytes = 4096;
constexpr std::uint64_t stat_block_bytes = 512;  // st_blocks' unit, whatever the file system's is
constexpr std::string_view docker_hub = "docker.io";

std::uint64_t in_blocks(std::uint64_t bytes) { return (bytes + block_bytes - 1) / block_bytes * block_bytes; }

// Preallocated by an earlier run.
std::uint64_t held_by_part(const store::BlobStore& store, const Digest& digest) {
  struct stat status {};
  if (::stat(store.ingest_path(digest, ".part").c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * stat_block_bytes;
}

bool is_plain(std::string_view type) { return type == media_type::oci_layer || type == media_type::docker_layer; }

// As a tar; nothing where it is not known.
std::optional<std::uint64_t> plain_bytes(const Descriptor& layer, const store::BlobStore& store, engine::LayerSizes& sizes) {
  if (is_plain(layer.media_type)) return layer.size;
  return store.has(layer.digest, layer.size) ? sizes.find(layer.digest, store.blob_path(layer.digest)) : std::nullopt;
}

std::uint64_t times(std::uint64_t bytes, double ratio) { return static_cast<std::uint64_t>(static_cast<double>(bytes) * ratio); }

// Of the largest archives, as many as are loaded at once.
std::uint64_t passing_bytes(std::vector<std::uint64_t> archives, std::size_t loads_at_once) {
  std::sort(archives.rbegin(), archives.rend());
  archives.resize(std::min(archives.size(), loads_at_once));
  return std::accumulate(archives.begin(), archives.end(), std::uint64_t{0});
}

// The disks that a forecast speaks of, those on one file system together.
struct Disk {
  std::string whose;
  std::uint64_t bytes = 0;       // at the worst moment, by estimate
  std::uint64_t bytes_kept = 0;  // of them what stays
  std::uint64_t bytes_min = 0;
  DiskSpace space;
};

std::vector<Disk> disks_of(const Forecast& forecast) {
  std::vector<Disk> disks;
  const auto add = [&](const DiskNeed& need, const std::string& whose) {
    if (!need.space) return;
    const auto known = std::find_if(disks.begin(), disks.end(), [&](const Disk& disk) { return disk.space.device == need.space->device; });
    if (known == disks.end()) {
      disks.push_back({whose, need.bytes + need.bytes_passing, need.bytes, need.bytes_min, *need.space});
      return;
    }
    known->whose += " and " + whose;
    known->bytes += need.bytes + need.bytes_passing;
    known->bytes_kept += need.bytes;
    known->bytes_min += need.bytes_min;
  };
  add(forecast.store, "the store (" + forecast.store.folder.string() + ")");
  if (forecast.engine) add(*forecast.engine, "the engine (" + forecast.engine->folder.string() + ")");
  return disks;
}

std::string need_text(std::string_view whose, const DiskNeed& need, std::string_view how) {
  std::string text = "disk for the " + std::string(whose) + ": " + format_bytes(need.bytes) + (need.bytes == need.bytes_min ? "" : std::string(how));
  if (need.bytes_passing > 0) text += ", and " + format_bytes(need.bytes_passing) + " while it is loaded";
  if (need.space) text += ", " + format_bytes(need.space->free_bytes) + " free at " + printable(need.folder.string());
  return text + "\n";
}

}  // namespace

DiskNeed store_need(const registry::PullPlan& plan, const store::BlobStore& store, const std::filesystem::path& folder) {
  DiskNeed need{.folder = folder, .space = find_disk_space(folder)};
  for (const registry::PullPlan::Blob& blob : plan.blobs) {
    if (blob.is_present) continue;
    const std::uint64_t whole = in_blocks(blob.descriptor.size);
    need.bytes += whole - std::min(whole, held_by_part(store, blob.descriptor.digest));
  }
  need.bytes_min = need.bytes;
  return need;
}

DiskNeed engine_need(const std::vector<engine::LoadImage>& images, const engine::Inventory& inventory, const store::BlobStore& store,
                     std::size_t loads_at_once) {
  DiskNeed need;
  engine::LayerSizes sizes;
  std::set<Digest> seen;
  std::vector<std::uint64_t> archives;
  const bool is_classic = inventory.store != engine::StoreKind::containerd;
  for (const engine::LoadImage& image : images) {
    const engine::LoadPlan plan = engine::plan_load(image, inventory);
    if (!plan.is_load()) continue;
    archives.push_back(0);
    const bool is_unpacked_now = plan.verdict == engine::LoadPlan::Verdict::unpack;  // packed it is there already
    for (const engine::LayerPlan& layer : plan.layers) {
      const bool is_there = layer.action == engine::LayerPlan::Action::skip_known && !is_unpacked_now;
      if (is_there || !seen.insert(layer.chain_id).second) continue;
      const std::uint64_t packed = is_classic || is_unpacked_now ? 0 : layer.layer.size;
      const std::optional<std::uint64_t> plain = plain_bytes(layer.layer, store, sizes);
      const std::uint64_t guessed = times(layer.layer.size, plain_ratio);
      need.bytes += packed + (plain ? times(*plain, unpacked_ratio) : guessed);
      if (!is_unpacked_now) need.bytes_min += packed + layer.layer.size;
      if (is_classic) archives.back() += plain.value_or(guessed);
    }
  }
  need.bytes_passing = passing_bytes(std::move(archives), loads_at_once);
  return need;
}

std::filesystem::path find_engine_folder(const Context& ctx, engine::Client& engine, const engine::Inventory& inventory) {
  if (engine.endpoint().unix_socket.empty()) return {};
  std::string folder = inventory.root_folder;
  try {
    if (folder.empty()) folder = engine::read_info(ctx, engine).root_folder;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    ctx.debug(error.what());  // what cannot be known is not checked; a load has its own words for a full disk
  }
  std::error_code ignored;
  return folder.starts_with('/') && std::filesystem::is_directory(folder, ignored) ? std::filesystem::path(folder) : std::filesystem::path();
}

Forecast make_forecast(registry::PullPlan plan, const registry::Client& client, std::uint64_t planning_requests, DiskNeed store,
                       std::optional<DiskNeed> engine) {
  Forecast forecast{.pull = std::move(plan),
                    .requests = planning_requests,
                    .store = std::move(store),
                    .engine = std::move(engine),
                    .hub_pulls = client.manifests_by_tag(std::string(docker_hub)),
                    .hub_limit = client.rate_limit(std::string(docker_hub))};
  for (const registry::PullPlan::Blob& blob : forecast.pull.blobs) {
    // Documents came while planning, and were counted there.
    if (blob.is_present || !blob.is_layer) continue;
    ++forecast.requests;
  }
  return forecast;
}

void require_space(const Forecast& forecast, std::optional<std::uint64_t> free_bytes_min) {
  for (const Disk& disk : disks_of(forecast)) {
    const std::string numbers = format_bytes(disk.space.free_bytes) + " are free for " + printable(disk.whose);
    if (disk.bytes_min > disk.space.free_bytes) {
      throw Error(ErrorCode::refused, "nothing was fetched: " + numbers + ", " + format_bytes(disk.bytes_min) +
                                          " are needed at least; free space there, or name another folder with --store");
    }
    if (free_bytes_min && disk.space.free_bytes - std::min(disk.space.free_bytes, disk.bytes_kept) < *free_bytes_min) {
      throw Error(ErrorCode::refused, "nothing was fetched: " + numbers + ", " + format_bytes(disk.bytes_kept) + " will be needed, and --min-free wants " +
                                          format_bytes(*free_bytes_min) + " left");
    }
  }
}

std::optional<std::string> space_warning(const Forecast& forecast) {
  for (const Disk& disk : disks_of(forecast)) {
    if (disk.bytes <= disk.space.free_bytes) continue;
    return format_bytes(disk.space.free_bytes) + " are free for " + printable(disk.whose) + ", up to " + format_bytes(disk.bytes) +
           " are needed by estimate: it may not fit";
  }
  return std::nullopt;
}

std::string to_text(const Forecast& forecast) {
  std::string text = registry::to_text(forecast.pull);
  text += "requests: at least " + std::to_string(forecast.requests) + "\n";
  text += need_text("store", forecast.store, "");
  if (forecast.engine) text += need_text("engine", *forecast.engine, " by estimate, from the sizes of the missing layers");
  if (forecast.hub_pulls == 0) return text;
  text += "docker hub: " + std::to_string(forecast.hub_pulls) + (forecast.hub_pulls == 1 ? " pull" : " pulls");
  const auto& limit = forecast.hub_limit;
  if (limit && limit->remaining) {
    text += ", " + std::to_string(*limit->remaining) + (limit->limit ? " of " + std::to_string(*limit->limit) : "") + " pulls left";
  }
  return text + "\n";
}

}  // namespace drover::stack
