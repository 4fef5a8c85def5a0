// The networks of a project at an engine: which are there, which differ from the files, and what would make each of them. Pure.
#pragma once

#include "compose/project.h"
#include "compose/project_state.h"
#include "engine/networks.h"

#include <string>
#include <vector>

namespace drover::compose {

struct NetworkPlace {
  const Network* model = nullptr;
  const engine::Network* found = nullptr;  // nothing: to be made
  bool is_changed = false;                 // it was made from another definition: to be made again
  std::string cause = {};                  // "network cow_default: enable_ipv6"
  engine::NetworkRequest request = {};     // nothing of it for an external one
  std::string note = {};                   // for the user: it is not the project's
};

// By key. `version` of docker compose goes into the labels. Throws refused for an external network that is not there.
std::vector<NetworkPlace> find_networks(const Project& project, const ProjectState& state, const std::string& version);

// What would make a network that is there once more.
engine::NetworkRequest request_of(const engine::Network& network, engine::ApiVersion api);

// What a container has asked for there: without what the engine chose.
engine::EndpointSettings asked_of(const engine::EndpointSettings& endpoint, const std::string& container_id);

}  // namespace drover::compose
