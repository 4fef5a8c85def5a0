#include "stack/project_containers.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"
#include "stack/ledger.h"

#include <algorithm>

namespace drover::stack {
namespace {

bool is_active(const engine::ContainerSummary& container) {
  return container.state == "running" || container.state == "paused" || container.state == "restarting";
}

void require_known(const std::vector<engine::ContainerSummary>& containers,
                   const ContainerChoice& choice,
                   std::set<std::string> known) {
  for (const engine::ContainerSummary& container : containers) known.insert(service_of(container.labels));
  for (const std::string& service : choice.services) {
    if (!known.contains(service)) throw Error(ErrorCode::usage, "no such service: " + printable(service, 80));
  }
}

}  // namespace

std::vector<engine::ContainerSummary> list_project_containers(const Context& ctx,
                                                              engine::Client& client,
                                                              const ContainerChoice& choice,
                                                              const std::set<std::string>& known_services) {
  std::vector<engine::ContainerSummary> containers =
      engine::list_containers(ctx, client, {.filters = {{"label", {compose::label_filter(compose::project_label, choice.project)}}}});
  require_known(containers, choice, known_services);
  std::erase_if(containers, [&](const engine::ContainerSummary& container) {
    const std::string service = service_of(container.labels);
    return service.empty() || (!choice.services.empty() && !choice.services.contains(service)) ||
           (!choice.with_stopped && !is_active(container)) || (!choice.with_one_offs && compose::is_one_off(container.labels));
  });
  std::sort(containers.begin(), containers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return containers;
}

std::string short_name_of(const std::string& container, const std::string& project) {
  return container.starts_with(project + "-") || container.starts_with(project + "_") ? container.substr(project.size() + 1)
                                                                                      : container;
}

}  // namespace drover::stack
