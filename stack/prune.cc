#include "stack/prune.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/take_snapshot.h"

#include <algorithm>

namespace drover::stack {
namespace {

bool has_item(const std::vector<PruneItem>& items, const PruneItem& wanted) {
  return std::any_of(items.begin(), items.end(), [&](const PruneItem& item) { return item.kind == wanted.kind && item.id == wanted.id; });
}

std::string reason_now(const PrunePlan& fresh, const PruneItem& printed) {
  for (const auto* list : {&fresh.keep, &fresh.refused}) {
    for (const PruneItem& item : *list) {
      if (item.kind == printed.kind && item.id == printed.id) return item.reason;
    }
  }
  return {};
}

std::string name_of(const PruneItem& item) {
  return std::string(to_string(item.kind)) + " " + printable(item.names.empty() ? item.id : join(item.names, ", "));
}

[[noreturn]] void refuse(const PruneItem& item, const std::string& why) {
  throw Error(ErrorCode::refused, "nothing was removed: the plan is no longer true: " + name_of(item) + ": " + why + "; make a new plan");
}

Ledger note(const Context& ctx, const engine::Snapshot& snapshot, const StateFolder& state, const std::vector<ProjectWords>& projects) {
  return state.update_ledger(ctx, [&](Ledger ledger) {
    const TimePoint now = ctx.clock->system_now();
    ledger = observe(std::move(ledger), snapshot, now);
    for (const ProjectWords& project : projects) ledger = observe(std::move(ledger), project, now);
    // What was seen by nobody before may have been in use a minute ago: its grace begins with the first look.
    for (const engine::SnapshotVolume& volume : snapshot.volumes) ledger.volumes_used.try_emplace(volume.name, now);
    return ledger;
  });
}

void require_nothing_left(const engine::Snapshot& snapshot, const std::string& name, const Ledger::Project& project) {
  const auto refuse_for = [&](const std::string& kind, const std::string& which, const std::string& remedy) {
    throw Error(ErrorCode::data_safety, "project " + printable(name) + " still has " + kind + " " + printable(which) + "; remove that first (" + remedy + ")");
  };
  for (const auto& volume : snapshot.volumes) {
    if (project.volumes.contains(volume.name) || project_of(volume.labels) == name) {
      refuse_for("volume", volume.name, "drover gc volumes --volume " + printable(volume.name) + " --force --apply");
    }
  }
  for (const auto& container : snapshot.containers) {
    if (project_of(container.labels) == name) refuse_for("container", container.name, "docker rm " + printable(container.name));
  }
  for (const auto& network : snapshot.networks) {
    if (project_of(network.labels) == name) refuse_for("network", network.name, "docker network rm " + printable(network.name));
  }
}

}  // namespace

Ledger look(const Context& ctx, engine::Client& client, const StateFolder& state, const std::vector<ProjectWords>& projects) {
  return note(ctx, engine::take_snapshot(ctx, client, {}), state, projects);
}

PrunePlan read_prune_plan(const Context& ctx, engine::Client& client, const StateFolder& state, const PrunePolicy& policy,
                          const std::vector<ProjectWords>& projects, std::size_t jobs) {
  const auto wants = [&](PruneKind kind) { return policy.kinds.contains(kind); };
  const engine::Snapshot snapshot = engine::take_snapshot(ctx, client,
                                                          {.image_details = wants(PruneKind::image),
                                                           .container_details = wants(PruneKind::container),
                                                           .container_sizes = wants(PruneKind::container),
                                                           .volume_sizes = wants(PruneKind::volume),
                                                           .build_cache = wants(PruneKind::build_cache),
                                                           .jobs = jobs});
  const Ledger ledger = note(ctx, snapshot, state, projects);
  return plan_prune(snapshot, ledger, policy, ctx.clock->system_now());
}

PrunePlan restrict_to(const PrunePlan& fresh, const PrunePlan& printed) {
  if (fresh.engine != printed.engine) {
    throw Error(ErrorCode::refused, "nothing was removed: the plan was made for the engine at " + printable(printed.engine) + ", not for the one at " + fresh.engine);
  }
  PrunePlan out{.policy = printed.policy, .engine = fresh.engine, .keep = {}, .remove = {}, .refused = {}, .bytes = 0, .images = fresh.images};
  for (const PruneItem& item : printed.remove) {
    const PruneItem* const now = fresh.find_removal(item.kind, item.id);
    if (now == nullptr) {
      if (const std::string reason = reason_now(fresh, item); !reason.empty()) refuse(item, reason);
      continue;
    }
    // Fewer names are the trace of a removal that was cut short.
    const bool has_other_name = std::any_of(now->names.begin(), now->names.end(), [&](const std::string& name) {
      return std::find(item.names.begin(), item.names.end(), name) == item.names.end();
    });
    const bool has_lost_names = item.kind != PruneKind::image && now->names.size() != item.names.size();
    if (has_other_name || has_lost_names) refuse(item, "it is now called " + (now->names.empty() ? "nothing" : printable(join(now->names, ", "))));
    if (now->created != item.created) refuse(item, "it is another one of that name");
  }
  FreedBytes freed(fresh);
  for (const PruneItem& item : fresh.remove) {
    if (!has_item(printed.remove, item)) continue;
    out.remove.push_back(item);
    out.remove.back().bytes = freed.remove(item);
    out.bytes += out.remove.back().bytes;
  }
  return out;
}

std::set<std::string> forget_project(const Context& ctx, engine::Client& client, const StateFolder& state, const std::string& project, Forget scope) {
  const engine::Snapshot snapshot = engine::take_snapshot(ctx, client, {});
  std::set<std::string> elsewhere;
  state.update_ledger(ctx, [&](Ledger ledger) {
    const auto found = ledger.projects.find(project);
    if (found == ledger.projects.end()) throw Error(ErrorCode::usage, "unknown project " + printable(project));
    require_nothing_left(snapshot, project, found->second);
    elsewhere = found->second.engines;
    const bool was_here = elsewhere.empty() || elsewhere.erase(snapshot.engine) > 0;
    const bool is_everywhere = scope == Forget::everywhere;
    if (!was_here && !is_everywhere) {
      throw Error(ErrorCode::data_safety, "project " + printable(project) + " was not seen on this engine, but on " +
                                              join(std::vector<std::string>(elsewhere.begin(), elsewhere.end()), " and ") + "; forget it there (drover -H " + *elsewhere.begin() + " gc forget " + printable(project) + "), or add --force if that engine is gone");
    }
    if (is_everywhere) elsewhere.clear();
    return forget(std::move(ledger), project, is_everywhere ? every_engine : snapshot.engine, ctx.clock->system_now());
  });
  return elsewhere;
}

}  // namespace drover::stack
