// The plan of reconcile while it is written, by one file a part. Internal.
#pragma once

#include "compose/plan_builder.h"
#include "compose/service_work.h"
#include "compose/situation.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace drover::compose {

// A container joins a network apart from its create and its start.
struct Join {
  const SlotWork* slot;
  const NetworkPlace* network;
  int step;
};

struct PlanDraft {
  const Situation& situation;
  Works& works;
  PlanBuilder builder = {};
  ContainerList orphans = {};                                 // that are removed
  std::map<std::string, int> stop_of = {};                    // by container ID
  std::map<std::string, int> start_of = {};                   // by container ID: what starts it again, or first
  std::map<std::string, int> release_of = {};                 // by name: the step from which on it is free
  std::set<std::string> names_needed = {};                    // by containers that do not have them yet
  std::vector<std::pair<int, std::string>> name_takers = {};  // steps, and the names that they give
  std::map<std::string, int> created_networks = {};           // by key: new ones, and changed ones that are made again
  std::vector<Join> joins = {};

  ServiceWork* find_work(const std::string& service);
  const engine::ContainerDetails* holder_of(const std::string& name) const;  // in the project
};

// "container shop-web-1": by the name that the slot's container has in the end.
std::string resource_of(const SlotWork& slot);

// IDs of what the steps so far create: for a look at bodies before there are any.
CreatedIds made_up_ids(const Works& works);
// What would be made there.
CreateBody body_of(const PlanDraft& draft, const Service& service, int number);

// The parts, in this order. Each throws refused for what would fail half-way.
void check_names(PlanDraft& draft);          // names.cc: whose names are needed, and whether they can be had
void mark_early_stops(PlanDraft& draft);     // claims.cc: old containers that something waits for
void write_create_steps(PlanDraft& draft);   // create_steps.cc: networks, volumes, containers, files
void write_orphan_steps(PlanDraft& draft);   // leftovers.cc
void write_service_steps(PlanDraft& draft);  // service_steps.cc: swaps, starts, restarts
void write_network_steps(PlanDraft& draft);  // network_steps.cc: changed networks
void check_ports(const PlanDraft& draft);    // port_conflicts.cc: ports of the host that cannot be had
void order_claims(PlanDraft& draft);         // claims.cc: who needs a port or address waits for who has it
void order_names(PlanDraft& draft);          // names.cc: likewise
void write_removals(PlanDraft& draft);       // leftovers.cc: the commit

// Why a service that asks for start-first cannot have it; empty: it can. (start_first.cc)
std::string start_first_refusal(const PlanDraft& draft, const ServiceWork& work);

// Whether the container is in a network that is made again.
bool is_in_changed_network(const Situation& situation, const engine::ContainerDetails& container);

}  // namespace drover::compose
