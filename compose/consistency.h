// What no schema can say: that a service can be had at all, and that the names it refers to exist.
#pragma once

#include "compose/node.h"

#include <set>
#include <string>

namespace drover::compose {

// Checks the active services of a normalised project, as docker compose does before it acts. Throws invalid with place and path.
void check_consistency(const Node& project, const std::set<std::string>& active_services);

}  // namespace drover::compose
