// Volumes, tmpfs, configs and secrets of a service in the two forms that the Engine API has for them: HostConfig.Binds and
// HostConfig.Mounts.
#pragma once

#include "compose/project.h"

#include <nlohmann/json_fwd.hpp>

namespace drover::compose {

struct MountContext {
  int api_minor = 44;              // of the engine's API version 1.x
  TextMap anonymous_volumes = {};  // by target: volumes of an earlier container that are kept
};

// Sets Binds, Mounts and Tmpfs. A bind that may create its folder and a plain named volume are Binds, as docker compose has them.
// Configs and secrets with content are none: they are copied into the container before its start. Throws unsupported and invalid.
void put_mounts(const Project& project, const Service& service, const MountContext& context, nlohmann::json& host_config);

}  // namespace drover::compose
