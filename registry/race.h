// Asks several sources for one document as a Hedge decides, each on a thread of its own.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "registry/hedge.h"

#include <chrono>
#include <cstddef>
#include <functional>

namespace drover::registry {

// What is asked, and who hears of it. `ask` runs on a source's own thread, with a context that stops when another source has answered;
// the others run on the caller's, while the race goes on.
struct Racers {
  std::function<void(const Context&, std::size_t)> ask;  // throws when it has no good answer
  std::function<void(std::size_t, const Error&)> failed;
  std::function<void(std::size_t, std::chrono::milliseconds)> answered;  // the winner, and how long it took
};

// Returns when one has answered or all have failed, and nobody is under way any more. Throws interrupted.
Hedge race(const Context& ctx, Hedge hedge, const Racers& racers);

}  // namespace drover::registry
