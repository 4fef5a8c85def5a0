// The way back: what undoes the steps of a plan that were done before one failed. Pure.
#pragma once

#include "compose/plan.h"

#include <vector>

namespace drover::compose {

// In reverse: new containers stop, names go back, old containers that ran start, new ones are removed, networks become what they were.
// Volumes stay: they may hold data by now. Steps that failed are undone as if they had been done, which does no harm to what was not. The
// result is empty when nothing was done. No step with is_commit may have been begun.
Plan plan_rollback(const Plan& plan, const std::vector<StepOutcome>& outcomes);

// Something that ran has been stopped, or something new has been started: a failure now is one of a running stack. What an earlier run did
// counts as soon as a step of this one was tried.
bool has_touched_running(const Plan& plan, const std::vector<StepOutcome>& outcomes);

}  // namespace drover::compose
