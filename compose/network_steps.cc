// A network that is made again: all of its members stop, leave, and join the new one with everything that they had asked for.
// docker compose reconnects them without: aliases and fixed addresses are lost there.
#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace drover::compose {
namespace {

using engine::ContainerDetails;
using engine::EndpointSettings;

// Its place in the network; nothing for one that is not in it, or was never started: that joins by name.
const EndpointSettings* endpoint_in(const ContainerDetails& container, const engine::Network& network) {
  for (const auto& [name, endpoint] : container.network_settings.networks)
    if (endpoint.network_id == network.id) return &endpoint;
  return nullptr;
}

class NetworkSteps {
 public:
  NetworkSteps(PlanDraft& draft, const NetworkPlace& place) : draft_(draft), place_(place), found_(*place.found) {
    for (const ServiceWork& work : draft.works) {
      for (const SlotWork& slot : work.slots) {
        if (slot.old) leavers_.insert(slot.old->id);
        for (const ContainerDetails* each : slot.slot.surplus) leavers_.insert(each->id);
        for (const ContainerDetails* each : slot.slot.debris) removed_.insert(each->id);
      }
    }
    for (const ContainerDetails* orphan : draft.orphans) leavers_.insert(orphan->id);
  }

  void write() {
    refuse_strangers();
    removed_step_ = add({.action = RemoveNetwork{found_.id, request_of(found_, draft_.situation.state.api)},
                         .resource = resource(),
                         .cause = place_.cause});
    created_step_ = add(
        {.action = CreateNetwork{place_.request}, .resource = resource(), .cause = place_.cause, .depends_on = {removed_step_}});
    draft_.created_networks[place_.model->key] = created_step_;
    for (const ContainerDetails& container : draft_.situation.state.containers)
      if (const EndpointSettings* endpoint = endpoint_in(container, found_); endpoint && !removed_.contains(container.id))
        write_member(container, *endpoint);
    for (ServiceWork& work : draft_.works)
      for (SlotWork& slot : work.slots) write_new_member(work, slot);
    for (const Join& join : draft_.joins)
      if (join.network == &place_) draft_.builder.require(join.step, created_step_);
  }

 private:
  int add(Step step) { return draft_.builder.add(Phase::swap, std::move(step)); }

  std::string resource() const { return "network " + found_.name; }

  void refuse_strangers() const {
    std::vector<std::string> names;
    for (const engine::NetworkMember& member : found_.members) {
      const auto& own = draft_.situation.state.containers;
      const bool is_own =
          std::any_of(own.begin(), own.end(), [&](const ContainerDetails& each) { return each.id == member.container_id; });
      if (!is_own) names.push_back(printable(member.name.empty() ? short_id(member.container_id) : member.name, 120));
    }
    if (names.empty()) return;
    throw Error(ErrorCode::refused,
                place_.cause + ": it has to be made again, and " + join(names, ", ") +
                    ", not of this project, would lose it; disconnect " + (names.size() == 1 ? "that one" : "those") +
                    " first (docker network disconnect)");
  }

  void write_member(const ContainerDetails& container, const EndpointSettings& endpoint) {
    SlotWork* slot = slot_of(container);
    const std::string group = label_of(container, service_label);
    const std::string resource = "container " + (slot ? slot->slot.name : container.name);
    if (container.state.is_running && !draft_.stop_of.contains(container.id)) write_bystander(container, group, resource);
    const EndpointSettings had = asked_of(endpoint, container.id);
    const int left = add({.action = DisconnectNetwork{found_.name, {.id = container.id}, had},
                          .resource = resource,
                          .cause = place_.cause,
                          .depends_on = {draft_.stop_of[container.id]},
                          .group = group});
    draft_.builder.require(removed_step_, left);
    if (leavers_.contains(container.id)) return;
    const int joined = add({.action = ConnectNetwork{found_.name, {.id = container.id}, asked_by_model(slot).value_or(had)},
                            .resource = resource,
                            .cause = place_.cause,
                            .depends_on = {created_step_},
                            .group = group});
    draft_.builder.require(draft_.start_of[container.id], joined);
  }

  SlotWork* slot_of(const ContainerDetails& container) {
    for (ServiceWork& work : draft_.works)
      for (SlotWork& slot : work.slots)
        if (slot.made == &container || slot.old == &container) return &slot;
    return nullptr;
  }

  // Of no service of this run: an orphan that stays, a one-off, a disabled service's.
  void write_bystander(const ContainerDetails& container, const std::string& group, const std::string& resource) {
    const StopContainer stop{.container = {.id = container.id}, .timeout = draft_.situation.options->stop_timeout};
    draft_.stop_of[container.id] =
        add({.action = stop, .resource = resource, .cause = "its network is made again", .group = group});
    draft_.start_of[container.id] = add({.action = StartContainer{{.id = container.id}},
                                         .resource = resource,
                                         .depends_on = {draft_.stop_of[container.id]},
                                         .group = group});
  }

  const ServiceWork& work_of(const SlotWork& slot) const {
    return *std::find_if(draft_.works.begin(), draft_.works.end(), [&](const ServiceWork& work) {
      return !work.slots.empty() && &slot >= &work.slots.front() && &slot <= &work.slots.back();
    });
  }

  std::optional<EndpointSettings> asked_by_model(const SlotWork* slot) const {
    if (!slot || !slot->made) return std::nullopt;
    const Service& service = *work_of(*slot).service;
    return endpoint_of(body_of(draft_, service, slot->slot.number), found_.name);
  }

  // Made in this run: it joins the network by its name, at its start; what create could not give it has to be joined before.
  void write_new_member(const ServiceWork& work, SlotWork& slot) {
    if (slot.created == 0 || (slot.made && endpoint_in(*slot.made, found_))) return;
    const auto places = networks_of(draft_.situation, *work.service);
    if (std::find(places.begin(), places.end(), &place_) == places.end()) return;
    draft_.builder.require(slot.started, created_step_);
    const CreateBody body = std::get<CreateContainer>(draft_.builder.at(slot.created).action).body(made_up_ids(draft_.works));
    for (const LaterNetwork& later : body.later_networks) {
      if (later.network != found_.name || is_joining(slot)) continue;
      const ConnectNetwork connect{later.network, slot.target, engine::parse_endpoint_settings(*later.endpoint)};
      draft_.builder.require(slot.started,
                             add({.action = connect,
                                  .resource = resource_of(slot),
                                  .cause = later.is_left_first ? place_.cause : "a further network",
                                  .depends_on = {created_step_, slot.created},
                                  .group = work.service->name}));
    }
  }

  bool is_joining(const SlotWork& slot) const {
    return std::any_of(draft_.joins.begin(), draft_.joins.end(), [&](const Join& join) {
      return join.slot == &slot && join.network == &place_;
    });
  }

  PlanDraft& draft_;
  const NetworkPlace& place_;
  const engine::Network& found_;
  std::set<std::string> leavers_;  // IDs: they do not come back
  std::set<std::string> removed_;  // before anything stops
  int removed_step_ = 0;
  int created_step_ = 0;
};

}  // namespace

bool is_in_changed_network(const Situation& situation, const ContainerDetails& container) {
  return std::any_of(situation.networks.begin(), situation.networks.end(), [&](const NetworkPlace& place) {
    return place.is_changed && endpoint_in(container, *place.found);
  });
}

void write_network_steps(PlanDraft& draft) {
  for (const NetworkPlace& place : draft.situation.networks)
    if (place.is_changed) NetworkSteps(draft, place).write();
}

}  // namespace drover::compose
