// What is to become of each container of each service: the decisions, before there are steps. Pure.
#pragma once

#include "compose/container_recipe.h"
#include "compose/situation.h"
#include "compose/slots.h"

#include <string>
#include <vector>

namespace drover::compose {

enum class Fate {
  create,  // where there was none
  swap,    // a new one for an old one
  keep,
  remove,  // one more than the service's scale
};

struct SlotWork {
  Slot slot;
  Fate fate = Fate::keep;
  std::string cause = {};
  const engine::ContainerDetails* old = nullptr;   // swap and remove: what goes
  const engine::ContainerDetails* made = nullptr;  // keep; swap and create: what an earlier run made, taken up as it stands
  ContainerTarget target = {};                     // what is there in the end; its step is known once it has one
  // Steps, 0 where there is none.
  int created = 0;
  int stopped = 0;  // of `old`, or of `made` when it stops for a while
  int started = 0;
  int ready = 0;  // started, and its post_start hooks are over: what dependents wait for
  int gate = 0;
};

struct ServiceWork {
  const Service* service = nullptr;
  std::vector<SlotWork> slots = {};  // by number
  // Its old containers stop as soon as everything has been created, whatever its dependencies do: something waits for that stop.
  bool stops_early = false;
  bool is_start_first = false;

  bool is_recreated() const;
};

// In the situation's order of services: what a service shares is decided before it.
using Works = std::vector<ServiceWork>;
Works decide(const Situation& situation);

// Of the services decided so far, and of containers of services that are left out.
FinalContainers final_containers(const Situation& situation, const Works& works, const std::set<std::string>& services);

}  // namespace drover::compose
