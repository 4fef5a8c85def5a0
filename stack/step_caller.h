// Makes a plan's steps come true on an engine that may restart or hang meanwhile.
#pragma once

#include "base/context.h"
#include "compose/plan.h"
#include "engine/client.h"
#include "stack/outage.h"
#include "stack/perform_step.h"

#include <string>
#include <utility>
#include <vector>

namespace drover::stack {

// Does a step. An answer that is lost is waited for in its stead: what the engine has, once it answers again, tells whether the step was done.
// A refusal of what is so already is none. Throws what perform_step throws; network when the engine did not come back.
Deed call_step(engine::Client& client, Outages& outages, const compose::Step& step, const compose::CreatedIds& created);

// An engine that restarts may start what was stopped (restart policy "always"), and not start what was started (none): makes it so again. The
// steps are those that were done, in order, with their containers; what fails is left to who waits for those containers.
using DoneSteps = std::vector<std::pair<const compose::Step*, std::string>>;
void assert_done(const Context& ctx, engine::Client& client, const DoneSteps& done);

}  // namespace drover::stack
