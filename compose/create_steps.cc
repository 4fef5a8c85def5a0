// The part of a plan that touches nothing that runs: networks, volumes, containers under their first names, files copied into
// them.
#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"
#include "compose/project_volumes.h"
#include "compose/shared_containers.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

class CreateSteps {
 public:
  explicit CreateSteps(PlanDraft& draft) : draft_(draft), situation_(draft.situation) {}

  void write() {
    write_networks();
    write_volumes();
    for (ServiceWork& work : draft_.works)
      for (SlotWork& slot : work.slots) write_slot(work, slot);
  }

 private:
  int add(Step step) { return draft_.builder.add(Phase::create, std::move(step)); }

  void write_networks() {
    for (const NetworkPlace& place : situation_.networks) {
      if (!place.note.empty()) draft_.builder.note(place.note);
      if (place.found) continue;
      draft_.created_networks[place.model->key] = add({.action = CreateNetwork{place.request},
                                                       .resource = "network " + place.model->name,
                                                       .cause = "networks." + place.model->key + ": not there"});
    }
  }

  void write_volumes() {
    const VolumePlan volumes = plan_volumes(*situation_.project, situation_.state, situation_.version);
    for (const std::string& note : volumes.notes) draft_.builder.note(note);
    for (const auto& [key, request] : volumes.missing)
      created_volumes_[key] =
          add({.action = CreateVolume{request}, .resource = "volume " + request.name, .cause = "volumes." + key + ": not there"});
  }

  void write_slot(const ServiceWork& work, SlotWork& slot) {
    const std::vector<int> removed = write_debris(work, slot);
    const bool is_new = slot.fate == Fate::create || slot.fate == Fate::swap;
    if (is_new) write_container(work, slot, removed);
    if (is_new || is_started(slot)) write_files(work, slot);
  }

  bool is_started(const SlotWork& slot) const {
    return slot.fate == Fate::keep && !slot.made->state.is_running && situation_.options->starts;
  }

  std::vector<int> write_debris(const ServiceWork& work, const SlotWork& slot) {
    std::vector<int> removed;
    for (const ContainerDetails* each : slot.slot.debris) {
      removed.push_back(add({.action = RemoveContainer{.container = {.id = each->id}},
                             .resource = "container " + each->name,
                             .cause = "left by a run that was cut off",
                             .group = work.service->name,
                             .is_destructive = each->state.started.has_value()}));
      draft_.release_of[each->name] = removed.back();
    }
    return removed;
  }

  void write_container(const ServiceWork& work, SlotWork& slot, const std::vector<int>& removed) {
    const Service& service = *work.service;
    const FinalContainers others = final_containers(situation_, draft_.works, needed_services(service));
    Step step{.action = {}, .resource = resource_of(slot), .cause = slot.cause, .group = service.name};
    CreateContainer create;
    create.name = first_name(slot);
    create.body = make_recipe(situation_, service, {.number = slot.slot.number, .replaced = slot.old, .others = others});
    step.depends_on = needs_of(service, others);
    step.depends_on.insert(step.depends_on.end(), removed.begin(), removed.end());
    if (slot.made) {
      step.is_done = true;
      step.done_id = slot.made->id;
    } else {
      require_image(service);
    }
    const CreateBody body = create.body(made_up_ids(draft_.works));
    step.action = std::move(create);
    slot.created = add(std::move(step));
    if (!slot.made) slot.target.step = slot.created;
    write_connects(work, slot, body);
  }

  void require_image(const Service& service) const {
    const std::string image = image_of(*situation_.project, service);
    if (situation_.state.images.contains(image)) return;
    throw Error(ErrorCode::refused, "service " + service.name + ": the engine does not have its image " + printable(image, 200));
  }

  // What the body names: an engine would make a volume that is not there without its labels.
  std::vector<int> needs_of(const Service& service, const FinalContainers& others) {
    std::vector<int> needs;
    for (const NetworkPlace* place : networks_of(situation_, service))
      if (const auto created = draft_.created_networks.find(place->model->key); created != draft_.created_networks.end())
        needs.push_back(created->second);
    for (const Mount& mount : service.volumes)
      if (const auto created = created_volumes_.find(mount.source); mount.type == "volume" && created != created_volumes_.end())
        needs.push_back(created->second);
    for (const auto& [name, containers] : others)
      for (const FinalContainer& container : containers)
        if (container.target.step != 0) needs.push_back(container.target.step);
    return needs;
  }

  std::string first_name(const SlotWork& slot) const {
    const std::string& name = slot.slot.name;
    if (slot.made && is_replacement_name(slot.made->name, name)) return slot.made->name;
    const ContainerDetails* holder = slot.old ? slot.old : draft_.holder_of(name);
    if (!holder || (!slot.old && draft_.release_of.contains(name))) return name;
    const std::string first = replacement_name(name, *holder);
    if (slot.made || !draft_.holder_of(first) || draft_.release_of.contains(first)) return first;
    return holder->id.substr(std::min<std::size_t>(12, holder->id.size()), 12) + "_" + name;  // the other one still runs
  }

  // Of what create could not give it: see LaterNetwork.
  void write_connects(const ServiceWork& work, SlotWork& slot, const CreateBody& body) {
    for (const LaterNetwork& later : body.later_networks) {
      const NetworkPlace* place = nullptr;
      for (const NetworkPlace& each : situation_.networks)
        if (each.model->name == later.network) place = &each;
      Step step{.action = ConnectNetwork{later.network, slot.target, engine::parse_endpoint_settings(*later.endpoint)},
                .resource = resource_of(slot),
                .cause = "a further network",
                .depends_on = {slot.created},
                .group = work.service->name};
      step.is_done = slot.made && slot.made->network_settings.networks.contains(later.network);
      if (later.is_left_first && !slot.made) write_leave(work, slot, later);
      if (place && place->is_changed && !step.is_done) continue;  // once it has been made again: network_steps.cc
      if (place && draft_.created_networks.contains(place->model->key))
        step.depends_on.push_back(draft_.created_networks[place->model->key]);
      draft_.joins.push_back({&slot, place, add(std::move(step))});
    }
  }

  void write_leave(const ServiceWork& work, const SlotWork& slot, const LaterNetwork& later) {
    engine::EndpointSettings had = engine::parse_endpoint_settings(*later.endpoint);
    had.ipam = {};
    add({.action = DisconnectNetwork{later.network, slot.target, had},
         .resource = resource_of(slot),
         .cause = "its network is made again",
         .depends_on = {slot.created},
         .group = work.service->name});
  }

  void write_files(const ServiceWork& work, const SlotWork& slot) {
    if (slot.made && slot.made->state.is_running) return;
    for (WriteFile& file : files_of(*situation_.project, *work.service)) {
      file.container = slot.target;
      add({.action = std::move(file),
           .resource = resource_of(slot),
           .cause = "config or secret",
           .depends_on = {slot.created},
           .group = work.service->name});
    }
  }

  PlanDraft& draft_;
  const Situation& situation_;
  std::map<std::string, int> created_volumes_;  // by key
};

}  // namespace

CreatedIds made_up_ids(const Works& works) {
  CreatedIds ids;
  for (const ServiceWork& work : works)
    for (const SlotWork& slot : work.slots)
      if (slot.created != 0) ids[slot.created] = slot.made ? slot.made->id : std::string(64, '0');
  return ids;
}

CreateBody body_of(const PlanDraft& draft, const Service& service, int number) {
  const FinalContainers others = final_containers(draft.situation, draft.works, needed_services(service));
  return make_recipe(draft.situation, service, {.number = number, .others = others})(made_up_ids(draft.works));
}

void write_create_steps(PlanDraft& draft) {
  CreateSteps(draft).write();
}

}  // namespace drover::compose
