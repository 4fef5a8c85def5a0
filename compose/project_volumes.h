// The volumes of a project at an engine. No volume is ever made again or removed: where that would be needed, the user is told
// how. Pure.
#pragma once

#include "compose/project.h"
#include "compose/project_state.h"
#include "engine/volumes.h"

#include <map>
#include <string>
#include <vector>

namespace drover::compose {

struct VolumePlan {
  std::map<std::string, engine::VolumeRequest> missing = {};  // by key: to be made
  std::vector<std::string> notes = {};                        // of volumes that are used although they are not the project's
};

// Throws data_safety for a volume that was made from another definition, refused for an external one that is not there.
VolumePlan plan_volumes(const Project& project, const ProjectState& state, const std::string& version);

// Volumes of other projects that hold what this project's containers would expect in theirs: none of its own is there, those have
// the same keys, and their project has no containers, or has them for this directory. Whether they are empty is not asked.
std::vector<const engine::Volume*> find_twins(const Project& project, const ProjectState& state);

// Throws data_safety when one of the twins is not empty, as far as state knows: the project would start with new, empty volumes.
void refuse_lost_volumes(const Project& project, const ProjectState& state);

}  // namespace drover::compose
