// Fixed ports of the host and addresses in networks: only one container at a time can have them, so one that starts waits for the
// stop of the one that had them. That one then stops early, whatever its own dependencies do, or the two could wait for each
// other.
#include "base/text.h"
#include "compose/plan_draft.h"
#include "compose/shared_containers.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

struct Claim {
  std::string what;        // "8080/tcp", or an address
  std::string where = {};  // the host's address, or the network
};

bool is_everywhere(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

bool is_one_port(const std::string& text) {
  return parse_uint(text).value_or(0) > 0;
}

std::vector<Claim> claims_of(const ContainerDetails& container) {
  std::vector<Claim> claims;
  for (const auto& [port, bindings] : container.host_config.port_bindings)
    for (const engine::PortBinding& binding : bindings)
      if (is_one_port(binding.host_port))
        claims.push_back({binding.host_port + port.substr(std::min(port.find('/'), port.size())), binding.host_ip});
  for (const auto& [network, endpoint] : container.network_settings.networks)
    for (const std::string& address :
         {endpoint.ipam.ipv4_address, endpoint.ipam.ipv6_address, endpoint.ip_address, endpoint.global_ipv6_address})
      if (!address.empty()) claims.push_back({address, network});
  return claims;
}

std::vector<Claim> claims_of(const Situation& situation, const Service& service) {
  std::vector<Claim> claims;
  for (const Port& port : service.ports)
    if (is_one_port(port.published)) claims.push_back({port.published + "/" + port.protocol, port.host_ip});
  if (!service.network_mode.empty()) return claims;
  for (const ServiceNetwork& network : service.networks) {
    const NetworkPlace* place = situation.find_network(network.network);
    for (const std::string& address : {network.ipv4_address, network.ipv6_address})
      if (place && !address.empty()) claims.push_back({address, place->model->name});
  }
  return claims;
}

bool collide(const std::vector<Claim>& first, const std::vector<Claim>& second) {
  return std::any_of(first.begin(), first.end(), [&](const Claim& a) {
    return std::any_of(second.begin(), second.end(), [&](const Claim& b) {
      const bool is_port = a.what.find('/') != std::string::npos;
      return a.what == b.what && (a.where == b.where || (is_port && (is_everywhere(a.where) || is_everywhere(b.where))));
    });
  });
}

bool will_start(const SlotWork& slot) {
  return slot.fate != Fate::remove && (!slot.made || !slot.made->state.is_running);
}

// Old containers of a slot that run.
ContainerList old_ones(const SlotWork& slot) {
  ContainerList list = slot.slot.surplus;
  if (slot.old) list.push_back(slot.old);
  std::erase_if(list, [](const ContainerDetails* each) { return !each->state.is_running; });
  return list;
}

// Calls `see` for each container that starts while one of another slot, or an orphan, has what it needs.
template <typename See> void for_each_collision(PlanDraft& draft, const See& see) {
  for (ServiceWork& work : draft.works) {
    const std::vector<Claim> needed = claims_of(draft.situation, *work.service);
    if (needed.empty()) continue;
    for (SlotWork& slot : work.slots) {
      if (!will_start(slot)) continue;
      for (const ContainerDetails* orphan : draft.orphans)
        if (collide(needed, claims_of(*orphan))) see(slot, nullptr, *orphan);
      for (ServiceWork& other : draft.works)
        for (SlotWork& other_slot : other.slots)
          for (const ContainerDetails* old : old_ones(other_slot))
            if (&other_slot != &slot && collide(needed, claims_of(*old))) see(slot, &other, *old);
    }
  }
}

bool has_member_of_changed_network(const Situation& situation, const ServiceWork& work) {
  return std::any_of(work.slots.begin(), work.slots.end(), [&](const SlotWork& slot) {
    return (slot.old && is_in_changed_network(situation, *slot.old)) ||
           (slot.made && is_in_changed_network(situation, *slot.made));
  });
}

}  // namespace

void mark_early_stops(PlanDraft& draft) {
  for_each_collision(draft, [](SlotWork&, ServiceWork* holder, const ContainerDetails&) {
    if (holder) holder->stops_early = true;
  });
  for (ServiceWork& work : draft.works) {
    if (has_member_of_changed_network(draft.situation, work)) work.stops_early = true;
    for (const std::string& shared : namespace_services(*work.service))
      if (const ServiceWork* owner = draft.find_work(shared); owner && owner->is_recreated()) work.stops_early = true;
  }
}

void order_claims(PlanDraft& draft) {
  for_each_collision(draft, [&](SlotWork& slot, ServiceWork*, const ContainerDetails& holder) {
    draft.builder.require(slot.started, draft.stop_of[holder.id]);
  });
}

}  // namespace drover::compose
