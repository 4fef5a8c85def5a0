// deploy.update_config.order: start-first. For a while two containers of one slot run side by side; where that could do harm or
// cannot work, it is not done.
#include "compose/plan_draft.h"
#include "compose/shared_containers.h"

#include <algorithm>

namespace drover::compose {
namespace {

// Another service, or another replica, works on the volume at the same time anyway.
bool is_shared_volume(const Project& project, const Service& service, const Mount& mount) {
  if (service.scale > 1) return true;
  return std::any_of(project.services.begin(), project.services.end(), [&](const Service& other) {
    return other.name != service.name && std::any_of(other.volumes.begin(), other.volumes.end(), [&](const Mount& each) {
             return each.type == "volume" && each.source == mount.source && !each.is_read_only;
           });
  });
}

std::string mount_refusal(const PlanDraft& draft, const Service& service) {
  for (const Mount& mount : service.volumes) {
    if (mount.is_read_only || (mount.type != "bind" && mount.type != "volume")) continue;
    if (mount.type == "bind") return "it may write to " + mount.source;
    if (mount.source.empty()) return "it has a volume of its own at " + mount.target;
    if (!is_shared_volume(*draft.situation.project, service, mount)) return "it alone may write to volume " + mount.source;
  }
  return {};
}

std::string carried_volume(const PlanDraft& draft, const ServiceWork& work) {
  for (const SlotWork& slot : work.slots) {
    if (!slot.old || draft.situation.options->renew_anonymous_volumes) continue;
    const TextMap volumes = anonymous_volumes(draft.situation, *work.service, *slot.old);
    if (!volumes.empty()) return "it has a volume of its own at " + volumes.begin()->first;
  }
  return {};
}

std::string network_refusal(const Service& service) {
  for (const Port& port : service.ports)
    if (!port.published.empty()) return "port " + port.published + " is published";
  if (!service.mac_address.empty()) return "it has a fixed MAC address";
  for (const ServiceNetwork& network : service.networks) {
    if (!network.ipv4_address.empty() || !network.ipv6_address.empty() || !network.link_local_ips.empty())
      return "it has a fixed address in " + network.network;
    if (!network.mac_address.empty()) return "it has a fixed MAC address in " + network.network;
  }
  return {};
}

bool is_own_namespace(const std::string& mode) {
  return mode.empty() || mode == "private" || mode == "none" || mode == "bridge";
}

std::string namespace_refusal(const PlanDraft& draft, const Service& service) {
  for (const std::string& mode : {service.network_mode, service.ipc, service.pid, service.uts})
    if (!is_own_namespace(mode)) return "it shares a namespace (" + mode + ")";
  for (const ServiceWork& other : draft.works)
    if (shared_services(*other.service).contains(service.name)) return other.service->name + " shares its container";
  return {};
}

}  // namespace

std::string start_first_refusal(const PlanDraft& draft, const ServiceWork& work) {
  const Service& service = *work.service;
  if (work.stops_early) return "something else waits for its old container to stop";
  if (!service.devices.empty() || !service.gpus.empty()) return "it has devices";
  for (const std::string& refusal :
       {network_refusal(service), namespace_refusal(draft, service), mount_refusal(draft, service), carried_volume(draft, work)})
    if (!refusal.empty()) return refusal;
  return {};
}

}  // namespace drover::compose
