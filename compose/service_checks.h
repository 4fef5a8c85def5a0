// What a single service may not say at the same time: limits that differ from those of `deploy`, two mounts on one target, a
// container name for several containers.
#pragma once

#include "compose/node.h"

#include <string_view>

namespace drover::compose {

// Takes a service of a normalised project. Throws invalid with place and path.
void check_service(std::string_view name, const Node& service);

}  // namespace drover::compose
