// The canonical model as `config` prints it: what docker compose config prints, "$" doubled so that it can be read in again.
#pragma once

#include "compose/project.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::compose {

// Equal to `docker compose config --format json`, member for member and in its order.
nlohmann::ordered_json canonical_json(const Project& project);

// As `docker compose config`: the same in YAML, with "x-" keys and models.
std::string canonical_yaml(const Project& project);

}  // namespace drover::compose
