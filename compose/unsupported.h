// Keys that docker compose's `up` acts on and drover does not: told, never ignored.
#pragma once

#include "compose/node.h"
#include "compose/project.h"

#include <set>
#include <string>
#include <vector>

namespace drover::compose {

// In a normalised project, in services of these names and in the resources that are in `model`'s sections. In the order of the
// files.
std::vector<UnsupportedKey> find_unsupported(const Node& project, const std::set<std::string>& services);

}  // namespace drover::compose
