// What compose fills in after merging: dependencies that other keys imply, the default network, names of resources, values from
// the environment, older words for newer ones.
#pragma once

#include "compose/dotenv.h"
#include "compose/node.h"

#include <string_view>

namespace drover::compose {

// Takes a canonical project. Sets its name; adds the dependencies that links, shared namespaces and volumes_from imply; gives a
// service without any network the default one and every resource its name; fills build, and variables without value from
// `environment`; makes pull_policy if_not_present its newer name (missing).
void normalise(Node& project, std::string_view name, const Environment& environment);

}  // namespace drover::compose
