// Names of containers: an engine has each only once, so who needs one that is taken gets it after the other one has given it up.
#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

bool needs_name(const SlotWork& slot) {
  if (slot.fate == Fate::remove) return false;
  if (slot.fate == Fate::keep) return is_temporary_name(slot.made->name, slot.slot.name);
  return !slot.made || slot.made->name != slot.slot.name;
}

// Containers that give their names up: replaced, of no use, one too many.
std::set<std::string> leaving(const PlanDraft& draft) {
  std::set<std::string> ids;
  for (const ContainerDetails* orphan : draft.orphans) ids.insert(orphan->id);
  for (const ServiceWork& work : draft.works) {
    for (const SlotWork& slot : work.slots) {
      if (slot.old) ids.insert(slot.old->id);
      for (const ContainerDetails* each : slot.slot.surplus) ids.insert(each->id);
      for (const ContainerDetails* each : slot.slot.debris) ids.insert(each->id);
      if (slot.made && is_temporary_name(slot.made->name, slot.slot.name)) ids.insert(slot.made->id);
    }
  }
  return ids;
}

Error taken(const std::string& service, const std::string& name, const std::string& by, const std::string& remedy) {
  return Error(ErrorCode::refused,
               "service " + service + " needs the name " + printable(name, 120) + ", which " + by + " has; " + remedy);
}

void check_name(PlanDraft& draft, const ServiceWork& work, const SlotWork& slot, const std::set<std::string>& leaving) {
  const std::string& name = slot.slot.name;
  const std::string& service = work.service->name;
  if (const auto foreign = draft.situation.state.names_taken.find(name); foreign != draft.situation.state.names_taken.end())
    throw taken(service,
                name,
                "a container that is not of this project (" + short_id(foreign->second) + ")",
                "rename or remove that one");
  draft.names_needed.insert(name);
  const ContainerDetails* holder = draft.holder_of(name);
  if (!holder || leaving.contains(holder->id)) return;
  const std::string owner = label_of(*holder, service_label);
  const auto& orphans = draft.situation.orphans;
  const bool is_orphan = std::find(orphans.begin(), orphans.end(), holder) != orphans.end();
  throw taken(service,
              name,
              owner.empty() ? "another container of the project" : "a container of service " + printable(owner, 120),
              is_orphan ? "--remove-orphans removes that one" : "rename or remove that one");
}

}  // namespace

ServiceWork* PlanDraft::find_work(const std::string& service) {
  const auto found =
      std::find_if(works.begin(), works.end(), [&](const ServiceWork& work) { return work.service->name == service; });
  return found == works.end() ? nullptr : &*found;
}

const ContainerDetails* PlanDraft::holder_of(const std::string& name) const {
  const auto& containers = situation.state.containers;
  const auto found =
      std::find_if(containers.begin(), containers.end(), [&](const ContainerDetails& each) { return each.name == name; });
  return found == containers.end() ? nullptr : &*found;
}

std::string resource_of(const SlotWork& slot) {
  return "container " + slot.slot.name;
}

void check_names(PlanDraft& draft) {
  const std::set<std::string> leavers = leaving(draft);
  for (const ServiceWork& work : draft.works)
    for (const SlotWork& slot : work.slots)
      if (needs_name(slot)) check_name(draft, work, slot, leavers);
}

void order_names(PlanDraft& draft) {
  for (const auto& [step, name] : draft.name_takers)
    if (const auto released = draft.release_of.find(name); released != draft.release_of.end())
      draft.builder.require(step, released->second);
}

}  // namespace drover::compose
