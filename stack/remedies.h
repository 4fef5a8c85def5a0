// What a person has to type after a run that could not be ended as it should have been. Pure.
#pragma once

#include "compose/plan.h"
#include "engine/containers.h"

#include <string>
#include <vector>

namespace drover::stack {

// After a way back that failed: per service one line, what its containers are now, and the commands that the way back still owes.
// "web: shop-web-1 (created), shop-web-1-old-0123456789ab (exited); to go back: docker rename … && docker start …"
std::vector<std::string> remedies_of_way_back(const compose::Plan& way_back,
                                              const std::vector<compose::StepOutcome>& outcomes,
                                              const std::vector<engine::ContainerSummary>& containers);

// Without a way back: where the old containers are kept, a line each.
std::vector<std::string> remedies_of_kept(const compose::Plan& plan, const std::vector<compose::StepOutcome>& outcomes);

}  // namespace drover::stack
