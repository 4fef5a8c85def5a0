// Which platform of an image goes to the engine, and which ones go to the store. Pure.
#pragma once

#include "manifest/platform.h"
#include "registry/resolve.h"
#include "stack/prefetch.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace drover::stack {

struct LoadTarget {
  Platform platform;
  bool is_for_engine = true;  // false: several platforms were asked for and none runs on the engine; they stay in the store
  bool is_own = false;        // a service's own: it runs nowhere as another
};

// A service's own platform first; then the best of the asked ones that runs on the engine; a single asked one is loaded as it is
// (`docker pull --platform` does the same, emulation may run it); nothing asked, or all: the engine's. `engine` empty: the first
// asked one, else this machine's.
LoadTarget choose_load_target(const std::optional<Platform>& own, const std::optional<Platform>& engine, const registry::PlatformChoice& asked);

// What the store gets: a service's own platform alone, as docker compose has it (there is none that `--platform` could stand for), unless
// all are asked for; else what was asked, and what is to be loaded.
registry::PlatformChoice choose_pulled(const LoadTarget& target, const registry::PlatformChoice& asked);

// Images whose blobs are asked for with the same platforms go through one pull, so that they share its queue.
struct PullGroup {
  registry::PlatformChoice platforms;
  std::vector<std::size_t> images;  // indexes into the wanted ones
};
std::vector<PullGroup> group_by_platforms(const std::vector<LoadTarget>& targets, const registry::PlatformChoice& asked);

}  // namespace drover::stack
