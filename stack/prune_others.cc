#include "stack/prune_verdicts.h"

#include "compose/labels.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace drover::stack {
namespace {

using engine::SnapshotBuildCache;
using engine::SnapshotContainer;
using engine::SnapshotNetwork;

std::string reason_to_keep(const PruneInput& input, const SnapshotContainer& container) {
  if (!engine::is_stopped(container)) return container.state.empty() ? "in an unknown state" : container.state;
  if (container.labels.contains(engine::helper_label)) return "drover's own, at work on a volume";
  const std::string project = project_of(container.labels);
  if (!project.empty() && !compose::is_one_off(container.labels)) return "of project " + project;
  if (container.restarts) return "its restart policy starts it again";
  return youth_text(input, container.finished ? container.finished : container.created, container.state);
}

// Engines refuse to remove them, or make them again: docker_gwbridge is a swarm's way out, nat what Windows has for bridge.
bool is_predefined(const SnapshotNetwork& network) {
  constexpr std::array<std::string_view, 7> names{"bridge", "host", "none", "default", "podman", "docker_gwbridge", "nat"};
  return std::find(names.begin(), names.end(), network.name) != names.end();
}

std::string reason_to_keep(const PruneInput& input, const SnapshotNetwork& network, const std::set<std::string>& used) {
  if (is_predefined(network)) return "the engine's own";
  if (network.is_ingress || network.scope != "local") return "of a swarm";
  if (const std::string project = project_of(network.labels); !project.empty()) return "owned by project " + project;
  if (!network.containers.empty() || used.contains(network.id) || used.contains(network.name)) return "used by a container";
  return youth_text(input, network.created, "here");
}

}  // namespace

PruneVerdicts judge_containers(const PruneInput& input) {
  PruneVerdicts out;
  for (std::size_t i = 0; i < input.snapshot.containers.size(); ++i) {
    const SnapshotContainer& container = input.snapshot.containers[i];
    PruneItem item{.kind = PruneKind::container, .id = container.id, .names = {}, .bytes = 0, .reason = reason_to_keep(input, container)};
    if (!container.name.empty()) item.names.push_back(container.name);
    if (!item.reason.empty()) {
      out.keep.push_back(std::move(item));
      continue;
    }
    const TimePoint used = container.finished ? *container.finished : container.created.value_or(input.now);
    item.bytes = container.bytes;
    item.reason = container.state + " for " + age_text(input.now - used);
    out.remove.push_back({.item = std::move(item), .used = used, .index = i});
  }
  return out;
}

PruneVerdicts judge_networks(const PruneInput& input) {
  std::set<std::string> used;  // the list of networks tells of running containers only
  for (const SnapshotContainer& container : input.snapshot.containers) used.insert(container.networks.begin(), container.networks.end());
  PruneVerdicts out;
  for (std::size_t i = 0; i < input.snapshot.networks.size(); ++i) {
    const SnapshotNetwork& network = input.snapshot.networks[i];
    PruneItem item{.kind = PruneKind::network, .id = network.id, .names = {network.name}, .bytes = 0, .reason = {}};
    item.reason = reason_to_keep(input, network, used);
    if (!item.reason.empty()) {
      out.keep.push_back(std::move(item));
      continue;
    }
    item.reason = "no container and no project; here for " + age_text(input.now - network.created.value_or(input.now));
    out.remove.push_back({.item = std::move(item), .used = network.created.value_or(input.now), .index = i});
  }
  return out;
}

PruneVerdicts judge_build_cache(const PruneInput& input) {
  const std::vector<SnapshotBuildCache>& records = input.snapshot.build_cache;
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < records.size(); ++i) by_id.emplace(records[i].id, i);
  std::vector<std::string> reasons(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].is_in_use) reasons[i] = "in use by a build";
    if (reasons[i].empty()) reasons[i] = youth_text(input, records[i].used, "unused");
  }
  // What stands on a record keeps it; so does a record that stays.
  std::vector<std::size_t> todo;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!reasons[i].empty()) todo.push_back(i);
  }
  while (!todo.empty()) {
    const SnapshotBuildCache& record = records[todo.back()];
    todo.pop_back();
    for (const std::string& parent : record.parents) {
      const auto found = by_id.find(parent);
      if (found == by_id.end() || !reasons[found->second].empty()) continue;
      reasons[found->second] = "parent of " + record.id + ", which stays";
      todo.push_back(found->second);
    }
  }
  PruneVerdicts out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    PruneItem item{.kind = PruneKind::build_cache, .id = records[i].id, .names = {}, .bytes = 0, .reason = reasons[i]};
    if (!records[i].description.empty()) item.names.push_back(records[i].description);
    if (!item.reason.empty()) {
      out.keep.push_back(std::move(item));
      continue;
    }
    const TimePoint used = records[i].used.value_or(input.now);
    item.bytes = records[i].is_shared ? 0 : records[i].bytes;
    item.reason = "not used for " + age_text(input.now - used);
    out.remove.push_back({.item = std::move(item), .used = used, .index = i});
  }
  return out;
}

}  // namespace drover::stack
