// Is what the containers run, or the engine holds, what the registry has now? Reads only.
#pragma once

#include "base/context.h"
#include "engine/inventory.h"
#include "registry/resolve.h"
#include "stack/prefetch.h"

#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

enum class UpdateState { current, update, missing, no_platform, unknown };
std::string_view to_string(UpdateState state);  // "no-platform"

struct CheckedImage {
  WantedImage wanted;
  Platform platform;
  std::optional<std::string> running;    // digest the containers of these services run, as far as it is known
  std::optional<std::string> local;      // digest the engine holds under this tag
  std::optional<std::string> available;  // platform digest at the registry
  UpdateState state = UpdateState::unknown;
  std::optional<Error> error;
};

// Decides by platform digest, so that a change for another platform is no update. HEAD requests where they serve.
// `engine` null: against the store's tags only.
std::vector<CheckedImage> check(const Context& ctx, registry::Client& registry, const store::BlobStore* store, engine::Client* engine,
                                const std::string& project_name, const std::vector<WantedImage>& images, std::size_t jobs);

}  // namespace drover::stack
