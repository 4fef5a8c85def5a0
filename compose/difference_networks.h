// A container's places in networks, against what the model asks for. Pure; part of difference.h.
#pragma once

#include "compose/difference.h"

#include <vector>

namespace drover::compose {

// Nothing for a container that shares another's or the host's network. Aliases beyond those asked for are no difference: engines add
// their own.
std::vector<Difference> find_network_differences(const CreateBody& expected, const engine::ContainerDetails& actual,
                                                 const std::vector<engine::Network>& networks);

}  // namespace drover::compose
