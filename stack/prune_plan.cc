#include "stack/prune_plan.h"

#include "base/error.h"
#include "base/text.h"
#include "stack/prune_verdicts.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace drover::stack {
namespace {

struct KindRow {
  PruneKind kind;
  std::string_view name;
  PruneVerdicts (*judge)(const PruneInput&);
};

// In the order of removal: a container that goes keeps its image for this time, so the order decides nothing.
constexpr std::array<KindRow, 5> kinds{{{PruneKind::container, "container", judge_containers},
                                        {PruneKind::image, "image", judge_images},
                                        {PruneKind::network, "network", judge_networks},
                                        {PruneKind::volume, "volume", judge_volumes},
                                        {PruneKind::build_cache, "buildcache", judge_build_cache}}};

void require_known_names(const engine::Snapshot& snapshot, const Ledger& ledger, const PrunePolicy& policy) {
  for (const std::string& name : policy.volumes) {
    std::vector<std::string> names;
    for (const auto& volume : snapshot.volumes) names.push_back(volume.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const auto meant = did_you_mean(name, names);
    throw Error(ErrorCode::usage, "the engine has no volume " + printable(name) + (meant ? "; did you mean " + *meant + "?" : ""));
  }
  if (policy.named_of.empty() || ledger.projects.contains(policy.named_of)) return;
  std::vector<std::string> names;
  for (const auto& [name, project] : ledger.projects) names.push_back(name);
  const auto meant = did_you_mean(policy.named_of, names);
  throw Error(ErrorCode::usage, "unknown project " + printable(policy.named_of) +
                                    (meant ? "; did you mean " + *meant + "?" : ": neither the engine nor the ledger knows it"));
}

// A child is never older than its parent, so that the oldest first leaves no child without its parent; a tie goes to the child.
void order_children_first(std::vector<PruneCandidate>& candidates, const std::vector<std::vector<std::size_t>>& parents) {
  std::map<std::size_t, std::size_t> by_index;
  for (std::size_t i = 0; i < candidates.size(); ++i) by_index.emplace(candidates[i].index, i);
  std::vector<std::size_t> depth(candidates.size(), 0);
  for (std::size_t round = 0; round < candidates.size(); ++round) {
    bool has_changed = false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      for (const std::size_t parent : parents[candidates[i].index]) {
        const auto found = by_index.find(parent);
        if (found == by_index.end()) continue;
        PruneCandidate& above = candidates[found->second];
        if (above.used >= candidates[i].used && depth[found->second] > depth[i]) continue;
        above.used = std::max(above.used, candidates[i].used);
        depth[found->second] = std::max(depth[found->second], depth[i] + 1);
        has_changed = true;
      }
    }
    if (!has_changed) break;
  }
  std::vector<std::size_t> order(candidates.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(candidates[a].used, depth[a]) < std::pair(candidates[b].used, depth[b]);
  });
  std::vector<PruneCandidate> sorted;
  for (const std::size_t i : order) sorted.push_back(std::move(candidates[i]));
  candidates = std::move(sorted);
}

std::vector<std::vector<std::size_t>> image_parents(const engine::Snapshot& snapshot) {
  std::map<Digest, std::size_t> by_id;
  for (std::size_t i = 0; i < snapshot.images.size(); ++i) by_id.emplace(snapshot.images[i].id, i);
  std::vector<std::vector<std::size_t>> parents(snapshot.images.size());
  for (std::size_t i = 0; i < snapshot.images.size(); ++i) {
    if (!snapshot.images[i].parent) continue;
    if (const auto found = by_id.find(*snapshot.images[i].parent); found != by_id.end()) parents[i].push_back(found->second);
  }
  return parents;
}

std::vector<std::vector<std::size_t>> cache_parents(const engine::Snapshot& snapshot) {
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < snapshot.build_cache.size(); ++i) by_id.emplace(snapshot.build_cache[i].id, i);
  std::vector<std::vector<std::size_t>> parents(snapshot.build_cache.size());
  for (std::size_t i = 0; i < snapshot.build_cache.size(); ++i) {
    for (const std::string& parent : snapshot.build_cache[i].parents) {
      if (const auto found = by_id.find(parent); found != by_id.end()) parents[i].push_back(found->second);
    }
  }
  return parents;
}

class Assembly {
 public:
  Assembly(const engine::Snapshot& snapshot, PrunePlan& plan) : snapshot_(snapshot), plan_(plan) {}

  void take(PruneVerdicts verdicts, PruneKind kind) {
    std::move(verdicts.keep.begin(), verdicts.keep.end(), std::back_inserter(plan_.keep));
    std::move(verdicts.refused.begin(), verdicts.refused.end(), std::back_inserter(plan_.refused));
    const auto by_age = [](const PruneCandidate& a, const PruneCandidate& b) { return a.used < b.used; };
    if (kind == PruneKind::image) {
      order_children_first(verdicts.remove, image_parents(snapshot_));
    } else if (kind == PruneKind::build_cache) {
      order_children_first(verdicts.remove, cache_parents(snapshot_));
    } else {
      std::stable_sort(verdicts.remove.begin(), verdicts.remove.end(), by_age);
    }
    std::move(verdicts.remove.begin(), verdicts.remove.end(), std::back_inserter(candidates_));
  }

  void finish() {
    if (plan_.policy.free_bytes) choose_enough(*plan_.policy.free_bytes);
    engine::LayerUsage layers(snapshot_.images);
    for (PruneCandidate& candidate : candidates_) {
      candidate.item.bytes = freed(candidate, layers);
      plan_.bytes += candidate.item.bytes;
      plan_.remove.push_back(std::move(candidate.item));
    }
  }

 private:
  std::uint64_t freed(const PruneCandidate& candidate, engine::LayerUsage& layers) const {
    return candidate.item.kind == PruneKind::image ? layers.remove(snapshot_.images[candidate.index]) : candidate.item.bytes;
  }

  // The oldest of all kinds first, until it is enough; then without those that were of no use for it.
  void choose_enough(std::uint64_t bytes) {
    std::stable_sort(candidates_.begin(), candidates_.end(), [](const PruneCandidate& a, const PruneCandidate& b) { return a.used < b.used; });
    engine::LayerUsage layers(snapshot_.images);
    std::uint64_t sum = 0;
    std::size_t count = 0;
    while (count < candidates_.size() && sum < bytes) sum += freed(candidates_[count++], layers);
    std::vector<PruneCandidate> chosen(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<PruneCandidate> spared(candidates_.begin() + static_cast<std::ptrdiff_t>(count), candidates_.end());
    for (std::size_t i = chosen.size(); i-- > 0;) {
      if (chosen[i].item.bytes > 0 || is_of_use(chosen, i)) continue;
      spared.push_back(std::move(chosen[i]));
      chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (PruneCandidate& candidate : spared) {
      candidate.item.bytes = 0;
      candidate.item.reason = "not needed to free " + format_bytes(bytes);
      plan_.keep.push_back(std::move(candidate.item));
    }
    candidates_ = std::move(chosen);
  }

  // Whether the chosen ones free less without it, or one of them stands on it.
  bool is_of_use(const std::vector<PruneCandidate>& chosen, std::size_t index) const {
    const auto sum = [&](std::size_t without) {
      engine::LayerUsage layers(snapshot_.images);
      std::uint64_t bytes = 0;
      for (std::size_t i = 0; i < chosen.size(); ++i) bytes += i == without ? 0 : freed(chosen[i], layers);
      return bytes;
    };
    return chosen[index].item.kind == PruneKind::image && sum(index) < sum(chosen.size());
  }

  const engine::Snapshot& snapshot_;
  PrunePlan& plan_;
  std::vector<PruneCandidate> candidates_;
};

std::string line_of(std::string_view verb, const PruneItem& item) {
  std::string name = item.id;
  if (!item.names.empty()) name = join(item.names, ", ");
  if (item.kind == PruneKind::image && item.names.empty()) name = item.id.substr(0, 19);
  std::string line = std::string(verb) + " " + std::string(to_string(item.kind)) + " " + printable(name);
  if (verb == "remove") line += ", " + format_bytes(item.bytes);
  return line + ": " + printable(item.reason) + "\n";
}

}  // namespace

std::string_view to_string(PruneKind kind) {
  return std::find_if(kinds.begin(), kinds.end(), [&](const KindRow& row) { return row.kind == kind; })->name;
}

std::optional<PruneKind> parse_prune_kind(std::string_view text) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const KindRow& row) { return row.name == text; });
  return found == kinds.end() ? std::nullopt : std::optional(found->kind);
}

std::string age_text(std::chrono::system_clock::duration age) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
  if (seconds >= 172'800) return std::to_string(seconds / 86'400) + " days";
  if (seconds >= 7'200) return std::to_string(seconds / 3'600) + " hours";
  if (seconds >= 120) return std::to_string(seconds / 60) + " minutes";
  return std::to_string(seconds) + " s";
}

std::string youth_text(const PruneInput& input, std::optional<TimePoint> since, std::string_view what) {
  if (!since) return input.policy.min_age.count() == 0 ? std::string() : "of unknown age";
  const auto age = input.now - *since;
  if (age >= input.policy.min_age) return {};
  return "younger than " + age_text(input.policy.min_age) + ": " + std::string(what) + " for " + age_text(age);
}

const PruneItem* PrunePlan::find_removal(PruneKind kind, std::string_view id) const {
  const auto found = std::find_if(remove.begin(), remove.end(), [&](const PruneItem& item) { return item.kind == kind && item.id == id; });
  return found == remove.end() ? nullptr : &*found;
}

FreedBytes::FreedBytes(const PrunePlan& plan) : layers_(plan.images) {
  for (const engine::SnapshotImage& image : plan.images) images_.emplace(image.id.to_string(), &image);
}

std::uint64_t FreedBytes::remove(const PruneItem& item) {
  if (item.kind != PruneKind::image) return item.bytes;
  const auto found = images_.find(item.id);
  return found == images_.end() ? 0 : layers_.remove(*found->second);
}

std::vector<std::string> projects_down(const engine::Snapshot& snapshot, const Ledger& ledger) {
  std::set<std::string> up;
  for (const engine::SnapshotContainer& container : snapshot.containers) {
    if (!engine::is_stopped(container)) up.insert(project_of(container.labels));
  }
  std::vector<std::string> down;
  for (const auto& [name, project] : ledger.projects) {
    const bool was_here = project.last_seen != TimePoint();  // a project that never ran has nothing to lose
    if (was_here && !up.contains(name)) down.push_back(name);
  }
  return down;
}

PrunePlan plan_prune(const engine::Snapshot& snapshot, const Ledger& ledger, const PrunePolicy& policy, TimePoint now) {
  const Ledger observed = observe(ledger, snapshot, now);
  if (!policy.names_may_be_gone) require_known_names(snapshot, observed, policy);
  const PruneInput input{.snapshot = snapshot, .ledger = observed, .policy = policy, .now = now, .down = projects_down(snapshot, observed)};
  PrunePlan plan{.policy = policy, .engine = snapshot.engine, .keep = {}, .remove = {}, .refused = {}, .bytes = 0, .images = snapshot.images};
  Assembly assembly(snapshot, plan);
  for (const KindRow& row : kinds) {
    if (policy.kinds.contains(row.kind)) assembly.take(row.judge(input), row.kind);
  }
  assembly.finish();
  return plan;
}

std::string to_text(const PrunePlan& plan) {
  std::string text;
  for (const PruneItem& item : plan.keep) text += line_of("keep", item);
  for (const PruneItem& item : plan.remove) text += line_of("remove", item);
  for (const PruneItem& item : plan.refused) text += line_of("refuse", item);
  return text + "to remove: " + std::to_string(plan.remove.size()) + ", " + format_bytes(plan.bytes) + "\n";
}

}  // namespace drover::stack
