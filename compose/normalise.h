// What compose fills in after merging: dependencies that other keys imply, the default network, older words for newer ones, text where
// numbers and booleans stand for text.
#pragma once

#include "compose/node.h"

#include <string_view>

namespace drover::compose {

// Sets the project's name, turns every `depends_on` into its mapping form, adds the dependencies that links, shared namespaces and volumes_from
// imply, gives a service without any network the default one, pull_policy if_not_present its newer name (missing), and makes values of
// environment, labels, options and their like strings.
void normalise(Node& project, std::string_view name);

}  // namespace drover::compose
