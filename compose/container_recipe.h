// How a container of a service is made: its create body as a function of the IDs of the containers that it shares, and the files
// that are copied into it. Pure.
#pragma once

#include "compose/plan.h"
#include "compose/situation.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::compose {

// A container as it is once the plan has been applied.
struct FinalContainer {
  std::string name;
  ContainerTarget target;
};

// Of each service, by name of the container.
using FinalContainers = std::map<std::string, std::vector<FinalContainer>>;

struct RecipeRequest {
  int number = 1;
  const engine::ContainerDetails* replaced = nullptr;  // whose anonymous volumes go on
  FinalContainers others = {};                         // of the services that this one shares or links
};

// Keeps nothing of the situation but what is shared. Throws what create_body throws, when called.
std::function<CreateBody(const CreatedIds&)>
make_recipe(const Situation& situation, const Service& service, const RecipeRequest& request);

// What a body asks for in a network, at create or later; nothing when it does not join it.
std::optional<engine::EndpointSettings> endpoint_of(const CreateBody& body, const std::string& network);

// Services whose containers have to be known for it.
std::set<std::string> needed_services(const Service& service);

// Configs and secrets with content; the container is left empty. Throws invalid for an owner that is no number.
std::vector<WriteFile> files_of(const Project& project, const Service& service);

// Volumes of a container that its service's next one mounts again, by target.
TextMap anonymous_volumes(const Situation& situation, const Service& service, const engine::ContainerDetails& container);

}  // namespace drover::compose
