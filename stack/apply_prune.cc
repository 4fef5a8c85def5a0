#include "stack/prune.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/build_cache.h"
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/engine_failure.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/volumes.h"
#include "stack/volume_helper.h"

#include <algorithm>
#include <array>
#include <utility>

namespace drover::stack {
namespace {

using PruneState = PruneOutcome::State;

struct Removal {
  PruneState state = PruneState::removed;
  std::string why = {};
  std::filesystem::path archive = {};
};

Removal kept(std::string why) { return {.state = PruneState::kept, .why = std::move(why)}; }
Removal gone() { return {.state = PruneState::gone}; }

class Walk {
 public:
  Walk(const Context& ctx, engine::Client& client, const StateFolder& state, const PruneOptions& options)
      : ctx_(ctx), client_(client), state_(state), options_(options) {}

  // A conflict is the engine's word that somebody uses it; absence, that it went by itself.
  PruneOutcome apply(const PruneItem& item) {
    PruneOutcome outcome{.item = item};
    try {
      const Removal verdict = remove(item);
      outcome.state = verdict.state;
      outcome.why = verdict.why;
      outcome.archive = verdict.archive;
    } catch (const engine::EngineFailure& failure) {
      outcome.state = failure.code() == ErrorCode::not_found ? PruneState::gone : is_refusal(failure) ? PruneState::kept : PruneState::failed;
      if (outcome.state != PruneState::gone) outcome.why = failure.what();
    } catch (const Error& error) {
      // An archive that is not what it should be says something about this volume only.
      if (error.code() != ErrorCode::digest_mismatch && error.code() != ErrorCode::invalid) throw;
      outcome.why = error.what();
    }
    return outcome;
  }

 private:
  // 403: a network with endpoints.
  static bool is_refusal(const engine::EngineFailure& failure) { return failure.is_conflict() || failure.status == 403; }

  Removal remove(const PruneItem& item) {
    switch (item.kind) {
      case PruneKind::container: return remove_container(item);
      case PruneKind::image: return remove_image(item);
      case PruneKind::network: return remove_network(item);
      case PruneKind::volume: return remove_volume(item);
      case PruneKind::build_cache: return remove_build_cache(item);
    }
    return kept("of an unknown kind");
  }

  // All lists of containers are read whole: filters mean different things to different engines.
  std::string network_user(const engine::Network& network) const {
    for (const engine::ContainerSummary& container : engine::list_containers(ctx_, client_)) {
      const bool uses = std::any_of(container.networks.begin(), container.networks.end(), [&](const auto& entry) {
        return entry.first == network.name || entry.second.network_id == network.id;
      });
      if (uses) return container.name.empty() ? container.id.substr(0, 12) : container.name;
    }
    return {};
  }

  Removal remove_container(const PruneItem& item) {
    const auto details = engine::find_container(ctx_, client_, item.id);
    if (!details) return gone();
    if (details->state.is_running) return kept("it runs now");
    if (details->host_config.restart_policy.restarts()) return kept("its restart policy starts it again");
    engine::remove_container(ctx_, client_, item.id);  // never with its volumes
    return {};
  }

  std::string image_user(const engine::ImageDetails& image) const {
    for (const engine::ContainerSummary& container : engine::list_containers(ctx_, client_)) {
      const bool uses = container.image_id == image.id || container.image_manifest == image.id ||
                        std::find(image.repo_tags.begin(), image.repo_tags.end(), engine::familiar_name_of(container.image_reference)) != image.repo_tags.end() ||
                        (image.available_manifests && container.image_manifest && image.available_manifests->contains(*container.image_manifest));
      if (uses) return container.name;
    }
    return {};
  }

  Removal remove_image(const PruneItem& item) {
    const auto details = engine::find_image(ctx_, client_, item.id);
    if (!details) return gone();
    std::vector<std::string> names = details->repo_tags;
    if (names.empty()) names = details->repo_digests;
    for (const std::string& name : names) {
      if (std::find(item.names.begin(), item.names.end(), name) == item.names.end()) return kept("it is called " + printable(name) + " now");
    }
    if (const std::string user = image_user(*details); !user.empty()) return kept("container " + printable(user) + " uses it now");
    remove_by_names(item.id, details->repo_tags);
    return {};
  }

  // An engine removes an image of several names by its ID only with force. So all names but the last go one by one, each looked at once
  // more; whatever stops the walk gives them back.
  void remove_by_names(const std::string& id, const std::vector<std::string>& tags) {
    std::vector<std::string> taken;
    try {
      for (std::size_t i = 0; i + 1 < tags.size(); ++i) {
        const auto named = engine::find_image(ctx_, client_, tags[i]);
        if (!named || named->id.to_string() != id) continue;  // it moved
        engine::remove_image(ctx_, client_, tags[i]);
        taken.push_back(tags[i]);
      }
      engine::remove_image(ctx_, client_, id);
    } catch (...) {
      for (const std::string& tag : taken) give_back(id, tag);
      throw;
    }
  }

  void give_back(const std::string& id, const std::string& tag) {
    const Context ctx = ctx_.without_stop();
    try {
      if (!engine::find_image(ctx, client_, tag)) engine::tag_image(ctx, client_, Digest::parse(id), Reference::parse(tag));
    } catch (const Error& error) {
      ctx_.warn("image " + id.substr(0, 19) + " has lost its name " + printable(tag) + ": " + error.what());
    }
  }

  Removal remove_network(const PruneItem& item) {
    const auto network = engine::find_network(ctx_, client_, item.id);
    if (!network) return gone();
    if (!network->members.empty()) return kept("container " + printable(network->members.front().name) + " is in it now");
    if (const std::string user = network_user(*network); !user.empty()) return kept("container " + printable(user) + " names it");
    engine::remove_network(ctx_, client_, item.id);
    return {};
  }

  Removal remove_volume(const PruneItem& item) {
    const auto volume = engine::find_volume(ctx_, client_, item.id);
    if (!volume) return gone();
    if (!is_planned_one(*volume, item)) return kept("another volume has its name now");
    if (const std::string user = volume_user(item); !user.empty()) return kept("container " + printable(user) + " uses it now");
    Removal verdict;
    if (item.is_named && options_.archive_folder) {
      try {
        verdict.archive = archive_volume(ctx_, client_, state_, item.id, *options_.archive_folder);
      } catch (const Error& error) {  // of the volume or of what drover reads it by: not the volume's going by itself
        if (error.code() != ErrorCode::not_found) throw;
        return {.state = PruneState::failed, .why = std::string("not archived: ") + error.what()};
      }
      if (const std::string user = volume_user(item); !user.empty()) return {PruneState::kept, "container " + printable(user) + " uses it now", verdict.archive};
    }
    engine::remove_volume(ctx_, client_, item.id);
    return verdict;
  }

  std::string volume_user(const PruneItem& item) const {
    for (const engine::ContainerSummary& container : engine::list_containers(ctx_, client_)) {
      const bool uses = std::any_of(container.mounts.begin(), container.mounts.end(), [&](const engine::Mount& mount) { return mount.name == item.id; });
      if (uses) return container.name.empty() ? container.id.substr(0, 12) : container.name;
    }
    return {};
  }

  static bool is_planned_one(const engine::Volume& volume, const PruneItem& item) {
    if (volume.created.has_value() != item.created.has_value()) return false;
    return !item.created || std::chrono::floor<std::chrono::seconds>(*volume.created) == std::chrono::floor<std::chrono::seconds>(*item.created);
  }

  // The one kind without a removal by ID; the prune call takes one ID as a pattern.
  Removal remove_build_cache(const PruneItem& item) {
    const auto pruned = engine::prune_build_cache(ctx_, client_, {.all = true, .filters = {{"id", {"^" + item.id + "$"}}}});
    return pruned.ids.empty() ? kept("the builder keeps it") : Removal{};
  }

  const Context& ctx_;
  engine::Client& client_;
  const StateFolder& state_;
  const PruneOptions& options_;
};

std::int64_t positive(const std::optional<std::int64_t>& bytes) { return std::max<std::int64_t>(0, bytes.value_or(0)); }

// What the planned kinds take by the engine's own count.
std::optional<std::int64_t> measure(const Context& ctx, engine::Client& client, const PrunePlan& plan) {
  const auto has = [&](PruneKind kind) {
    return std::any_of(plan.remove.begin(), plan.remove.end(), [&](const PruneItem& item) { return item.kind == kind; });
  };
  const engine::DiskUsageOptions options{.images = has(PruneKind::image),
                                         .containers = has(PruneKind::container),
                                         .volumes = has(PruneKind::volume),
                                         .build_cache = has(PruneKind::build_cache)};
  try {
    const engine::DiskUsage usage = engine::read_disk_usage(ctx, client, options);
    std::int64_t bytes = options.images ? positive(usage.images.total_bytes) : 0;
    if (options.containers) for (const auto& item : usage.containers.items) bytes += positive(item.size_rw_bytes);
    if (options.volumes) for (const auto& item : usage.volumes.items) bytes += positive(item.size_bytes);
    if (options.build_cache) for (const auto& item : usage.build_cache.items) bytes += item.is_shared ? 0 : item.size_bytes;
    return bytes;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    ctx.warn(std::string("the engine does not tell what its disk holds: ") + error.what());
    return std::nullopt;
  }
}

}  // namespace

std::string_view to_string(PruneState state) {
  constexpr std::array<std::string_view, 4> names{"removed", "gone", "kept", "failed"};
  return names[static_cast<std::size_t>(state)];
}

PruneReport apply_prune(const Context& ctx, engine::Client& client, const StateFolder& state, const PrunePlan& plan, const PruneOptions& options) {
  PruneReport report;
  if (plan.remove.empty()) return report;
  const std::optional<std::int64_t> before = measure(ctx, client, plan);
  Walk walk(ctx, client, state, options);
  FreedBytes freed(plan);
  try {
    for (const PruneItem& item : plan.remove) {
      ctx.check_stop();
      report.outcomes.push_back(walk.apply(item));
      const PruneState end = report.outcomes.back().state;
      const std::uint64_t bytes = end == PruneState::removed || end == PruneState::gone ? freed.remove(item) : 0;
      if (end == PruneState::removed) report.bytes += bytes;
      if (options.on_outcome) options.on_outcome(report.outcomes.back());
    }
  } catch (const Error& error) {
    report.stopped = error;
    return report;
  }
  const std::optional<std::int64_t> after = measure(ctx, client, plan);
  if (before && after) report.measured_bytes = *before - *after;
  return report;
}

}  // namespace drover::stack
