// What of a running project no config hash tells: containers that drifted from what they were made as, files that they see no more as they
// are. `drover up --check-drift`, `--fix-drift` and `--restart-stale`.
#pragma once

#include "base/context.h"
#include "compose/drift.h"
#include "engine/client.h"
#include "stack/stale_files.h"

#include <string>
#include <vector>

namespace drover::stack {

struct DriftReport {
  std::vector<compose::ContainerDrift> containers;
  StaleFiles stale;
};

// Reads only. Throws what the Client throws.
DriftReport look_for_drift(const Context& ctx, engine::Client& client, const compose::Project& project, const compose::ProjectState& state,
                           const compose::UpOptions& options);

// A line a difference and a stale file: "service web, container shop-web-1 drifted: mem_limit: 512 instead of 1024". Pure; so is repair.
std::vector<std::string> to_lines(const DriftReport& report);

struct RepairWishes {
  bool drift = false;  // what drifted is made again
  bool stale = false;  // services that see stale files are restarted; those with a copied file are made again
};
// Adds to recreate_causes and restart_causes.
void plan_repair(const DriftReport& report, const RepairWishes& wishes, compose::UpOptions& options);

}  // namespace drover::stack
