// Which containers of an engine are a compose project's, by their labels.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/containers.h"

#include <set>
#include <string>
#include <vector>

namespace drover::stack {

struct ContainerChoice {
  std::string project;
  std::set<std::string> services = {};  // none: all
  bool with_stopped = false;
  bool with_one_offs = false;  // of `docker compose run`
};

// By name. Throws what the Client throws; usage when one of the services has no container and `known_services` has not got it
// either.
std::vector<engine::ContainerSummary> list_project_containers(const Context& ctx,
                                                              engine::Client& client,
                                                              const ContainerChoice& choice,
                                                              const std::set<std::string>& known_services = {});

// "web-1" of "shop-web-1": how the project's own output names it. Another name stays whole.
std::string short_name_of(const std::string& container, const std::string& project);

}  // namespace drover::stack
