// What reconcile looks at, put in order: whose container is whose, what of the networks is there, which labels are written.
// Internal.
//
// Points into the ProjectState that it was made of; what steps keep for later (project, options) is shared.
#pragma once

#include "compose/project_networks.h"
#include "compose/reconcile.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::compose {

using ContainerList = std::vector<const engine::ContainerDetails*>;

struct Situation {
  std::shared_ptr<const Project> project;
  std::shared_ptr<const UpOptions> options;
  const ProjectState& state;
  HashEpoch epoch = HashEpoch::compose_2_36;             // that labels are written in
  std::string version = {};                              // of docker compose, likewise
  std::vector<const Service*> services = {};             // each after those that it depends on
  std::vector<NetworkPlace> networks = {};               // of the project, by key
  std::map<std::string, ContainerList> containers = {};  // of each service, one-offs left out
  ContainerList orphans = {};                            // of services that the files know no more, and one-offs that are over

  const NetworkPlace* find_network(const std::string& key) const;

  bool is_target(const Service& service) const { return options->targets.empty() || options->targets.contains(service.name); }
};

// Throws refused for an external network that is not there.
Situation look_at(const Project& project, const ProjectState& state, const UpOptions& options);

// Networks that a container of the service joins.
std::vector<const NetworkPlace*> networks_of(const Situation& situation, const Service& service);

}  // namespace drover::compose
