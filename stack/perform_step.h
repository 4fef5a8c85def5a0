// One step of a plan as calls of the Engine API, and how to tell from what is there whether it was done.
#pragma once

#include "base/context.h"
#include "compose/plan.h"
#include "engine/client.h"

#include <string>

namespace drover::stack {

struct Deed {
  std::string created_id = {};  // of the container that it created
  bool has_started = false;     // a container that did not run
};

// Does it. What is so already is done. Throws what the client throws, and engine for a hook that ends with another code than 0. `created`:
// IDs of what earlier steps created. Not for waits.
Deed perform_step(const Context& ctx, engine::Client& client, const compose::Step& step, const compose::CreatedIds& created);

struct Aim {
  bool is_reached = false;
  std::string created_id = {};
};

// What is: an engine that restarted, or an answer that did not come, leaves open what a call did. After a refusal as well: libcurl sends a
// request once more when a kept connection ends before the answer, so that a "name is taken" may speak of our own container.
Aim look_for_aim(const Context& ctx, engine::Client& client, const compose::Step& step, const compose::CreatedIds& created);

// The container that is meant; empty when the step that creates it has not.
std::string resolve(const compose::ContainerTarget& target, const compose::CreatedIds& created);

}  // namespace drover::stack
