// `drover gc` as a journey: look, plan, and walk the plan. What is decided is decided in prune_plan.h.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "engine/client.h"
#include "stack/ledger.h"
#include "stack/prune_plan.h"
#include "stack/state_folder.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::stack {

// Notes in the ledger what the engine holds now and what a compose file says: called by every command that looked. Returns the new ledger.
Ledger look(const Context& ctx, engine::Client& client, const StateFolder& state, const std::vector<ProjectWords>& projects = {});

// Looks, and plans. Reads of the engine what the policy's kinds need; the ledger is the only thing that is written.
PrunePlan read_prune_plan(const Context& ctx, engine::Client& client, const StateFolder& state, const PrunePolicy& policy,
                          const std::vector<ProjectWords>& projects, std::size_t jobs);

// Of a fresh plan what an earlier, printed one says. Pure. Throws refused, with the object and why, when one of the printed removals would
// not be planned any more; what is gone already is no reason.
PrunePlan restrict_to(const PrunePlan& fresh, const PrunePlan& printed);

enum class Forget { here, everywhere };

// Takes a project out of the ledger, as far as this engine goes; returns the other engines on which it was seen, for which the ledger still
// has it. With `everywhere` it has it no more: for engines that are gone. Throws usage for one that is not in the ledger, data_safety
// while this engine has anything of it or when it was seen on others alone.
std::set<std::string> forget_project(const Context& ctx, engine::Client& client, const StateFolder& state, const std::string& project,
                                     Forget scope = Forget::here);

struct PruneOutcome {
  PruneItem item;
  enum class State { removed, gone, kept, failed } state = State::failed;
  std::string why = {};                // it was kept or failed
  std::filesystem::path archive = {};  // of a volume
};
std::string_view to_string(PruneOutcome::State state);

struct PruneReport {
  std::vector<PruneOutcome> outcomes;           // one a removal of the plan, in order
  std::uint64_t bytes = 0;                      // that the removals freed: without layers that one that stayed needs
  std::optional<std::int64_t> measured_bytes;   // by the engine's own count (GET /system/df) before and after
  std::optional<Error> stopped = {};            // why the walk ended early; what is not in outcomes was not touched
};

struct PruneOptions {
  std::optional<std::filesystem::path> archive_folder = {};  // of volumes that are not anonymous; nothing: no archives
  std::function<void(const PruneOutcome&)> on_outcome = {};
};

// Each object is looked at again, then removed by its ID, without force; whatever somebody uses by then stays. The caller holds
// StateFolder::lock_for_removal from before the plan was made. One that fails does not stop the others; an engine that is gone does.
PruneReport apply_prune(const Context& ctx, engine::Client& client, const StateFolder& state, const PrunePlan& plan, const PruneOptions& options);

}  // namespace drover::stack
