#include "compose/reconcile.h"

#include "compose/labels.h"
#include "compose/plan_draft.h"
#include "compose/project_volumes.h"

#include <algorithm>
#include <set>
#include <variant>

namespace drover::compose {
namespace {

std::string action_of(const ServiceWork& work) {
  const auto has = [&](Fate fate) {
    return std::any_of(work.slots.begin(), work.slots.end(), [&](const SlotWork& slot) { return slot.fate == fate; });
  };
  const bool creates = has(Fate::create);
  const bool removes = has(Fate::remove);
  if (has(Fate::swap)) return "recreate";
  if (removes || (creates && has(Fate::keep))) return "scale";
  if (creates) return "create";
  for (const SlotWork& slot : work.slots)
    if (slot.started != 0) return slot.made->state.is_running ? "restart" : "start";
  return "none";
}

std::vector<ServiceChange> changes(const PlanDraft& draft) {
  std::map<std::string, std::string> actions;
  for (const engine::ContainerDetails* orphan : draft.orphans)
    if (!is_one_off(*orphan)) actions[label_of(*orphan, service_label)] = "remove";
  for (const ServiceWork& work : draft.works) actions[work.service->name] = action_of(work);
  std::vector<ServiceChange> changes;
  for (const auto& [service, action] : actions) changes.push_back({service, action});
  return changes;
}

// The container that a step acts on; empty for the others.
std::string container_of(const Action& action) {
  return std::visit([](const auto& each) {
    if constexpr (requires { each.container; }) return each.container.id;
    else return std::string();
  }, action);
}

// Of the swaps that were done before, those whose new container runs: it may have done so for days.
void settle_done_swaps(Plan& plan) {
  std::set<std::string> containers;
  for (const Step& start : plan.steps) {
    if (!start.is_done || !std::holds_alternative<StartContainer>(start.action)) continue;
    containers.insert(std::get<StartContainer>(start.action).container.id);
    for (const int before : start.depends_on) {
      const Step& step = plan.steps[static_cast<std::size_t>(before) - 1];
      if (const auto* const stop = std::get_if<StopContainer>(&step.action); stop && step.is_done) containers.insert(stop->container.id);
    }
  }
  for (Step& step : plan.steps) {
    if (!step.is_done) continue;
    const std::string container = container_of(step.action);
    step.is_settled = containers.contains(container.empty() ? step.done_id : container);
  }
}

}  // namespace

Plan reconcile(const Project& project, const ProjectState& state, const UpOptions& options) {
  if (!options.allows_new_volumes) refuse_lost_volumes(project, state);
  const Situation situation = look_at(project, state, options);
  Works works = decide(situation);
  PlanDraft draft{.situation = situation, .works = works};
  if (options.remove_orphans) draft.orphans = situation.orphans;
  check_names(draft);
  mark_early_stops(draft);
  write_create_steps(draft);
  write_orphan_steps(draft);
  write_service_steps(draft);
  write_network_steps(draft);
  check_ports(draft);
  order_claims(draft);
  order_names(draft);
  write_removals(draft);
  Plan plan = draft.builder.finish(project.name, changes(draft));
  if (!options.continues_cut_off_run) settle_done_swaps(plan);
  return plan;
}

}  // namespace drover::compose
