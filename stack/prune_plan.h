// What nobody needs any more, and why everything else stays: `drover gc`. Pure.
//
// Two things never happen, whatever the policy: an image that a container in any state uses goes, or a volume that a container in any state
// mounts. A volume that a compose project owns or ever owned goes only when a person named it and insisted.
#pragma once

#include "engine/layer_usage.h"
#include "engine/snapshot.h"
#include "stack/ledger.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

enum class PruneKind { container, image, network, volume, build_cache };
std::string_view to_string(PruneKind kind);  // "buildcache"
std::optional<PruneKind> parse_prune_kind(std::string_view text);

struct PrunePolicy {
  std::set<PruneKind> kinds = {};
  std::size_t keep = 2;                             // digests of each repository in use
  std::chrono::seconds min_age = std::chrono::hours(24);
  std::optional<std::uint64_t> free_bytes = {};     // no more than needed for that
  std::set<std::string> volumes = {};               // named ones that may go
  std::string named_of = {};                        // a project whose named volumes may go; empty: none
  bool force = false;                               // what is named may go although a project owns it or is down

  bool names_may_be_gone = false;                   // of an earlier plan, part of which was done

  friend bool operator==(const PrunePolicy&, const PrunePolicy&) = default;
};

struct PruneItem {
  PruneKind kind = PruneKind::image;
  std::string id;                                   // of images and containers in full; a volume's name
  std::vector<std::string> names = {};
  std::uint64_t bytes = 0;                          // that its removal frees, after those before it
  std::string reason = {};
  std::optional<TimePoint> created = {};            // of a volume: another one may get its name
  bool is_named = false;                            // a volume that is not anonymous, or that a person named: archived before it goes
};

struct PrunePlan {
  PrunePolicy policy;
  std::string engine;
  std::vector<PruneItem> keep;                      // by kind, then in the order of the snapshot
  std::vector<PruneItem> remove;                    // in the order of removal: children before their parents
  std::vector<PruneItem> refused;                   // for data safety; the reason ends with a remedy
  std::uint64_t bytes = 0;                          // of all that goes
  std::vector<engine::SnapshotImage> images = {};   // all of the engine's: what goes frees the layers that none of those that stay needs

  const PruneItem* find_removal(PruneKind kind, std::string_view id) const;
};

// Images that a compose file at hand names come in through the ledger (observe). The snapshot itself is looked at as well: the
// plan is the same whether or not the ledger saw it already. Throws usage for a policy that names a volume or project nobody knows.
PrunePlan plan_prune(const engine::Snapshot& snapshot, const Ledger& ledger, const PrunePolicy& policy, TimePoint now);

// What removals free, as they happen: of a planned one that stays, the layers stay as well. The plan must outlive it.
class FreedBytes {
 public:
  explicit FreedBytes(const PrunePlan& plan);
  // The item is gone; returns what that freed after those before it.
  std::uint64_t remove(const PruneItem& item);

 private:
  std::map<std::string, const engine::SnapshotImage*> images_;  // by ID
  engine::LayerUsage layers_;
};

// Known projects without a container that runs.
std::vector<std::string> projects_down(const engine::Snapshot& snapshot, const Ledger& ledger);

// A line each: "keep image redis:7 (…): used by container cache", then what goes, what is refused and the sum.
std::string to_text(const PrunePlan& plan);

}  // namespace drover::stack
