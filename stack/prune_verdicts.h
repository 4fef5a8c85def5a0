// The parts that a prune plan is put together from, one a kind of object. Pure.
#pragma once

#include "stack/prune_plan.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

struct PruneInput {
  const engine::Snapshot& snapshot;
  const Ledger& ledger;              // that has seen the snapshot
  const PrunePolicy& policy;
  TimePoint now;
  std::vector<std::string> down;     // projects
};

struct PruneCandidate {
  PruneItem item;
  TimePoint used = {};               // last; the oldest goes first
  std::size_t index = 0;             // in the snapshot's list of its kind
};

struct PruneVerdicts {
  std::vector<PruneItem> keep;
  std::vector<PruneCandidate> remove;  // children before their parents
  std::vector<PruneItem> refused;
};

PruneVerdicts judge_containers(const PruneInput& input);
PruneVerdicts judge_images(const PruneInput& input);
PruneVerdicts judge_networks(const PruneInput& input);
PruneVerdicts judge_volumes(const PruneInput& input);
PruneVerdicts judge_build_cache(const PruneInput& input);

// "younger than 24h: here for 35m"; empty when it is older. What has no known time is taken for new.
std::string youth_text(const PruneInput& input, std::optional<TimePoint> since, std::string_view what);
// "3 d", "5 h", "12 min", "40 s": the largest unit that gives one at least.
std::string age_text(std::chrono::system_clock::duration age);

}  // namespace drover::stack
