#include "compose/reconcile.h"

#include "compose/labels.h"
#include "compose/plan_draft.h"
#include "compose/project_volumes.h"

#include <algorithm>

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
  order_claims(draft);
  order_names(draft);
  write_removals(draft);
  return draft.builder.finish(project.name, changes(draft));
}

}  // namespace drover::compose
