// Ports of the host that an engine would refuse once the old containers have been stopped: told before that.
#include "base/error.h"
#include "base/text.h"
#include "compose/host_ports.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"

#include <algorithm>
#include <iterator>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

// A container that has ports, or is to get them.
struct Publisher {
  std::string service;  // empty: not of this project
  std::string container;
  std::vector<HostPort> ports;
  // Somebody waits until it is over: it may have given its ports back by the time that another one starts.
  bool is_job = false;
};

using Publishers = std::vector<Publisher>;

bool is_job(const Project& project, const std::string& service) {
  return std::any_of(project.services.begin(), project.services.end(), [&](const Service& other) {
    return std::any_of(other.depends_on.begin(), other.depends_on.end(), [&](const Dependency& dependency) {
      return dependency.service == service && dependency.condition == Dependency::Condition::completed_successfully;
    });
  });
}

// What runs now, and runs in the end as well.
Publishers staying(const PlanDraft& draft) {
  Publishers publishers;
  for (const TakenPort& taken : draft.situation.state.ports_taken)
    publishers.push_back({.service = {}, .container = taken.container, .ports = {{taken.address, taken.port, taken.protocol}}});
  for (const ContainerDetails& container : draft.situation.state.containers) {
    const std::string service = label_of(container, service_label);
    const bool ends = draft.stop_of.contains(container.id) && !draft.start_of.contains(container.id);
    if (container.state.is_running && !ends)
      publishers.push_back({service, container.name, ports_held_by(container), is_job(*draft.situation.project, service)});
  }
  return publishers;
}

Publishers starting(const PlanDraft& draft) {
  Publishers publishers;
  for (const ServiceWork& work : draft.works) {
    const std::string& name = work.service->name;
    for (const SlotWork& slot : work.slots)
      if (slot.started != 0 && !(slot.made && slot.made->state.is_running))
        publishers.push_back(
            {name, slot.slot.name, fixed_ports_of(draft.situation, *work.service), is_job(*draft.situation.project, name)});
  }
  return publishers;
}

const HostPort* find_contested(const Publisher& one, const Publisher& other) {
  for (const HostPort& port : one.ports)
    for (const HostPort& taken : other.ports)
      if (exclude(port, taken)) return &port;
  return nullptr;
}

Error port_taken(const Publisher& one, const Publisher& holder, const HostPort& port) {
  return Error(ErrorCode::refused,
               "service " + one.service + " needs port " + to_string(port) + " of the host, which container " +
                   printable(holder.container, 120) + (holder.service.empty() ? ", not of this project," : "") +
                   " publishes; stop that one, or publish another port");
}

Error port_wanted_twice(const Publisher& one, const Publisher& other, const HostPort& port) {
  const std::string what = " cannot both publish port " + to_string(port) + " of the host; ";
  if (one.service == other.service)
    return Error(ErrorCode::refused,
                 "service " + one.service + ": " + one.container + " and " + other.container + what +
                     "give it a range of ports, or one container");
  return Error(ErrorCode::refused, "services " + one.service + " and " + other.service + what + "give one of them another");
}

}  // namespace

void check_ports(const PlanDraft& draft) {
  const Publishers starters = starting(draft);
  const Publishers holders = staying(draft);
  for (auto one = starters.begin(); one != starters.end(); ++one) {
    for (const Publisher& holder : holders) {
      const HostPort* port = find_contested(*one, holder);
      if (port && !holder.is_job) throw holder.service == one->service ? port_wanted_twice(holder, *one, *port) : port_taken(*one, holder, *port);
    }
    for (auto other = std::next(one); other != starters.end(); ++other) {
      const HostPort* port = find_contested(*one, *other);
      if (port && !one->is_job && !other->is_job) throw port_wanted_twice(*one, *other, *port);
    }
  }
}

}  // namespace drover::compose
