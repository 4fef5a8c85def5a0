#include "compose/drift.h"

#include "base/error.h"
#include "compose/container_recipe.h"
#include "compose/divergence.h"
#include "compose/labels.h"
#include "compose/situation.h"

#include <algorithm>

namespace drover::compose {
namespace {

FinalContainers containers_there(const Situation& situation, const std::set<std::string>& services) {
  FinalContainers there;
  for (const std::string& service : services) {
    const auto found = situation.containers.find(service);
    if (found == situation.containers.end()) continue;
    for (const engine::ContainerDetails* container : found->second) there[service].push_back({container->name, {.id = container->id}});
  }
  return there;
}

std::vector<Difference> look_at_one(const Situation& situation, const Service& service, const engine::ContainerDetails& container) {
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  if (facts == situation.state.images.end() || !container.raw) return {};
  const FinalContainers others = containers_there(situation, needed_services(service));
  const auto recipe = make_recipe(situation, service, {.number = container_number(container), .replaced = &container, .others = others});
  const auto id_of = [&](const std::string& name) {
    const auto found = others.find(name);
    return found == others.end() || found->second.empty() ? std::string() : found->second.front().target.id;
  };
  if (judge(situation, service, container, hashes_of(service, share(service, id_of))).divergence != Divergence::none) return {};
  return find_differences(recipe({}), facts->second.config, container, situation.state.networks);
}

}  // namespace

std::vector<ContainerDrift> find_drift(const Project& project, const ProjectState& state, const UpOptions& options) {
  const Situation situation = look_at(project, state, options);
  std::vector<ContainerDrift> drifts;
  for (const Service& service : situation.project->services) {
    const auto found = situation.containers.find(service.name);
    if (found == situation.containers.end()) continue;
    for (const engine::ContainerDetails* container : found->second)
      if (std::vector<Difference> differences = look_at_one(situation, service, *container); !differences.empty())
        drifts.push_back({service.name, container->name, std::move(differences)});
  }
  return drifts;
}

}  // namespace drover::compose
