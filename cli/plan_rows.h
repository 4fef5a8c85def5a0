// A plan by what it is about: a row a service, network and volume, where the plan itself has a step for each call. Pure.
#pragma once

#include "compose/plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct PlanRow {
  std::string name;                             // "web", "network shop_default"
  std::string action;                           // as of compose::ServiceChange, else an operation
  std::vector<std::string> containers = {};     // names of those that something is done to, without those that only go
  std::vector<std::string> done_causes = {};  // of containers that an earlier run has made
  std::vector<const compose::Step*> steps = {};  // the plan's, which outlives this; without what is done already
};

// What a step is told under: its service, else the network or volume that it is done to.
std::string row_name(const compose::Step& step);
// In the order of their first steps.
std::vector<PlanRow> rows_of(const compose::Plan& plan);

// "recreate 2 containers", "scale +1".
std::string action_text(const PlanRow& row);
// Why, each once: of the steps that decide, not of those that follow from them.
std::vector<std::string> causes_of(const PlanRow& row);

enum class Gone { left_out, named };
// Names of containers that were created, replaced, started, restarted or stopped, in the plan's order; and, if wanted, of those that only
// went. `outcomes` has one a step; empty: what would be.
std::vector<std::string> changed_containers(const compose::Plan& plan, const std::vector<compose::StepOutcome>& outcomes, Gone gone);

// "recreated" of "recreate".
std::string_view past_of(std::string_view action);

}  // namespace drover::cli
