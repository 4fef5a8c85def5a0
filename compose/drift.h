// Containers that are no longer what they were made as, although their labels say so: changed limits, restart policies, networks, or made by
// hand. Pure.
#pragma once

#include "compose/difference.h"
#include "compose/project.h"
#include "compose/project_state.h"
#include "compose/reconcile.h"

#include <string>
#include <vector>

namespace drover::compose {

struct ContainerDrift {
  std::string service;
  std::string container;                // its name
  std::vector<Difference> differences;  // at least one
};

// Of the project's containers that reconcile would leave alone by their labels; those that it replaces anyway are not looked at, nor are
// those whose image the engine has no more. By service, then container.
std::vector<ContainerDrift> find_drift(const Project& project, const ProjectState& state, const UpOptions& options);

}  // namespace drover::compose
