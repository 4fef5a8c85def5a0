#include "engine/take_snapshot.h"

#include "base/error.h"
#include "base/parallel.h"
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/images.h"
#include "engine/events.h"
#include "engine/json_stream.h"
#include "engine/layer_usage.h"
#include "engine/networks.h"
#include "engine/system.h"
#include "engine/volumes.h"
#include "manifest/manifest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace drover::engine {
namespace {

constexpr ApiVersion containerd_store_api{1, 42};  // moby 23.0 was the first that could keep images in containerd

std::optional<TimePoint> point_of(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return std::chrono::time_point_cast<TimePoint::duration>(*time);
}

std::uint64_t bytes_of(std::int64_t bytes) { return bytes < 0 ? 0 : static_cast<std::uint64_t>(bytes); }

SnapshotImage convert(const ImageSummary& image) {
  SnapshotImage out{.id = image.id, .tags = image.repo_tags, .repo_digests = image.repo_digests, .parent = image.parent_id, .labels = image.labels};
  out.bytes = bytes_of(image.size_bytes);
  for (const auto& [manifest, held] : image.available_manifests) out.manifests.push_back(manifest);
  return out;
}

SnapshotContainer convert(const ContainerSummary& container) {
  SnapshotContainer out{.id = container.id, .name = container.name, .image_reference = container.image_reference};
  out.image_id = container.image_id;
  out.image_manifest = container.image_manifest;
  out.labels = container.labels;
  out.state = container.state;
  for (const Mount& mount : container.mounts) {
    if (!mount.name.empty()) out.volumes.push_back(mount.name);
  }
  for (const auto& [name, settings] : container.networks) {
    out.networks.push_back(name);
    if (!settings.network_id.empty()) out.networks.push_back(settings.network_id);
  }
  out.created = point_of(container.created);
  return out;
}

SnapshotVolume convert(const Volume& volume) {
  return {.name = volume.name, .driver = volume.driver, .labels = volume.labels, .options = volume.options, .created = point_of(volume.created)};
}

SnapshotNetwork convert(const Network& network) {
  SnapshotNetwork out{.id = network.id, .name = network.name, .scope = network.scope, .labels = network.labels, .created = point_of(network.created)};
  for (const NetworkMember& member : network.members) out.containers.push_back(member.container_id);
  out.is_ingress = network.is_ingress;
  return out;
}

SnapshotBuildCache convert(const BuildCacheRecord& record) {
  return {.id = record.id,
          .description = record.description,
          .parents = record.parents,
          .bytes = bytes_of(record.size_bytes),
          .is_in_use = record.is_in_use,
          .is_shared = record.is_shared,
          .used = point_of(record.last_used ? record.last_used : record.created)};
}

template <typename Out, typename In>
std::vector<Out> convert_all(const std::vector<In>& items) {
  std::vector<Out> out;
  out.reserve(items.size());
  for (const In& item : items) out.push_back(convert(item));
  return out;
}

// Everything that the engine remembers; it answers at once, since the time to read until is now.
std::vector<Event> read_past_events(const Context& ctx, Client& client) {
  std::vector<Event> events;
  JsonStream stream([&](const nlohmann::json& object) {
    if (auto event = parse_event(object)) events.push_back(std::move(*event));
  });
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ctx.clock->system_now().time_since_epoch()).count();
  Query query("/events");
  query.set("since", "0").set("until", std::to_string(seconds)).filters({{"type", {"container", "volume"}}});
  client.exchange(ctx, {.path = query.path()}, [&](std::span<const std::byte> bytes) {
    stream.feed(bytes);
    return true;
  });
  stream.finish();
  return events;
}

// A volume's event names the container, the container's events have its labels.
std::vector<SnapshotMount> mounts_of(const std::vector<Event>& events) {
  std::map<std::string, std::map<std::string, std::string>> labels;
  for (const Event& event : events) {
    if (event.type == "container") labels[event.actor_id] = event.attributes;
  }
  std::vector<SnapshotMount> mounts;
  for (const Event& event : events) {
    if (event.type != "volume" || (event.action != "mount" && event.action != "unmount")) continue;
    SnapshotMount mount{.volume = event.actor_id, .time = std::chrono::time_point_cast<TimePoint::duration>(event.time)};
    const auto container = event.attributes.find("container");
    const auto found = container == event.attributes.end() ? labels.end() : labels.find(container->second);
    if (found != labels.end()) mount.labels = found->second;
    if (!mount.labels.contains(helper_label)) mounts.push_back(std::move(mount));
  }
  return mounts;
}

void read_lists(const Context& ctx, Client& client, const SnapshotOptions& options, Snapshot& snapshot) {
  const bool may_be_containerd = client.api_version(ctx) >= containerd_store_api && !client.is_podman(ctx);
  const bool has_events = !client.is_podman(ctx);  // podman reads its journal from the beginning
  parallel_for_each(ctx, 6, options.jobs, [&](const Context& inner, std::size_t question) {
    switch (question) {
      case 0: snapshot.images = convert_all<SnapshotImage>(list_images(inner, client, {.all = true})); return;
      case 1: snapshot.containers = convert_all<SnapshotContainer>(list_containers(inner, client)); return;
      case 2: snapshot.volumes = convert_all<SnapshotVolume>(list_volumes(inner, client)); return;
      case 3: snapshot.networks = convert_all<SnapshotNetwork>(list_networks(inner, client)); return;
      case 4: if (has_events) snapshot.past_mounts = mounts_of(read_past_events(inner, client)); return;
      default: if (may_be_containerd) snapshot.store = read_info(inner, client).store;
    }
  });
}

void read_image_details(const Context& ctx, Client& client, SnapshotImage& image) {
  const std::optional<ImageDetails> details = find_image(ctx, client, image.id.to_string());
  if (!details) return;
  ImageConfig chain;
  chain.diff_ids = details->diff_ids;
  image.chain_ids = chain.chain_ids();
  image.arrived = point_of(details->last_tag_time);
  image.built = point_of(details->created);
  if (details->available_manifests) {
    image.manifests.clear();
    for (const auto& [manifest, held] : *details->available_manifests) image.manifests.push_back(manifest);
  }
}

void read_layer_sizes(const Context& ctx, Client& client, SnapshotImage& image) {
  std::vector<std::uint64_t> sizes;
  try {
    for (const HistoryStep& step : read_image_history(ctx, client, image.id.to_string())) sizes.push_back(bytes_of(step.size_bytes));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return;
  }
  std::reverse(sizes.begin(), sizes.end());
  image.layer_bytes = layer_bytes_of(sizes, image.chain_ids.size());
}

void read_images(const Context& ctx, Client& client, const SnapshotOptions& options, Snapshot& snapshot) {
  std::vector<SnapshotImage>& images = snapshot.images;
  const bool measures_all = snapshot.store == StoreKind::containerd;
  parallel_for_each(ctx, images.size(), options.jobs, [&](const Context& inner, std::size_t i) {
    read_image_details(inner, client, images[i]);
    if (measures_all) read_layer_sizes(inner, client, images[i]);
  });
  if (measures_all) return;
  const std::vector<std::size_t> chosen = images_to_measure(images);
  parallel_for_each(ctx, chosen.size(), options.jobs, [&](const Context& inner, std::size_t i) { read_layer_sizes(inner, client, images[chosen[i]]); });
}

void read_stopped_containers(const Context& ctx, Client& client, const SnapshotOptions& options, Snapshot& snapshot) {
  std::vector<SnapshotContainer>& containers = snapshot.containers;
  parallel_for_each(ctx, containers.size(), options.jobs, [&](const Context& inner, std::size_t i) {
    if (!is_stopped(containers[i])) return;
    const std::optional<ContainerDetails> details = find_container(inner, client, containers[i].id);
    if (!details) return;
    containers[i].finished = point_of(details->state.finished);
    containers[i].restarts = details->host_config.restart_policy.restarts();
  });
}

void read_sizes(const Context& ctx, Client& client, const SnapshotOptions& options, Snapshot& snapshot) {
  const DiskUsage usage = read_disk_usage(
      ctx, client, {.images = false, .containers = options.container_sizes, .volumes = options.volume_sizes, .build_cache = options.build_cache});
  std::map<std::string, std::uint64_t> containers;
  for (const ContainerSummary& item : usage.containers.items) containers[item.id] = bytes_of(item.size_rw_bytes.value_or(0));
  for (SnapshotContainer& container : snapshot.containers) container.bytes = containers[container.id];
  std::map<std::string, std::uint64_t> volumes;
  for (const Volume& item : usage.volumes.items) {
    if (item.size_bytes && *item.size_bytes >= 0) volumes[item.name] = bytes_of(*item.size_bytes);
  }
  for (SnapshotVolume& volume : snapshot.volumes) {
    if (const auto found = volumes.find(volume.name); found != volumes.end()) volume.bytes = found->second;
  }
  if (options.build_cache) snapshot.build_cache = convert_all<SnapshotBuildCache>(usage.build_cache.items);
}

}  // namespace

Snapshot take_snapshot(const Context& ctx, Client& client, const SnapshotOptions& options) {
  Snapshot snapshot{.engine = to_string(client.endpoint())};
  read_lists(ctx, client, options, snapshot);
  if (options.image_details) read_images(ctx, client, options, snapshot);
  if (options.container_details) read_stopped_containers(ctx, client, options, snapshot);
  if (options.container_sizes || options.volume_sizes || options.build_cache) read_sizes(ctx, client, options, snapshot);
  return snapshot;
}

}  // namespace drover::engine
