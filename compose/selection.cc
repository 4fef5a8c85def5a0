#include "compose/selection.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace drover::compose {
namespace {

std::vector<std::string> profiles_of(const Node& service) {
  std::vector<std::string> profiles;
  if (const Node* list = service.find("profiles"))
    for (const Node& item : list->items) profiles.push_back(item.text);
  return profiles;
}

bool is_enabled(const Node& service, const std::vector<std::string>& profiles) {
  const std::vector<std::string> own = profiles_of(service);
  if (own.empty()) return true;
  return std::any_of(profiles.begin(), profiles.end(), [&](const std::string& profile) {
    return profile == "*" || std::find(own.begin(), own.end(), profile) != own.end();
  });
}

Error no_such_service(const Node& services, const std::string& name) {
  std::vector<std::string> known;
  for (const Member& service : services.members) known.push_back(service.key);
  const auto meant = did_you_mean(name, known);
  return Error(ErrorCode::usage, "no such service: " + printable(name, 80) + (meant ? "; did you mean " + *meant + "?" : ""));
}

// Adds the service and all that it depends on; without recursion, for chains may be long.
void add_with_dependencies(const Node& services,
                           const std::string& name,
                           const std::set<std::string>& enabled,
                           std::set<std::string>& selected) {
  std::vector<std::string> open = {name};
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    if (!selected.insert(next).second) continue;
    const Node* dependencies = services.find(next)->find("depends_on");
    if (!dependencies) continue;
    for (const Member& dependency : dependencies->members)
      if (enabled.contains(dependency.key)) open.push_back(dependency.key);
  }
}

}  // namespace

std::set<std::string> enabled_services(const Node& project, const std::vector<std::string>& profiles) {
  std::set<std::string> names;
  if (const Node* services = project.find("services"))
    for (const Member& service : services->members)
      if (is_enabled(service.value, profiles)) names.insert(service.key);
  return names;
}

std::set<std::string> select_services(Node& project, std::vector<std::string> profiles, const std::vector<std::string>& names) {
  if (names.empty()) return enabled_services(project, profiles);
  Node* services = project.find("services");
  if (!services) throw Error(ErrorCode::usage, "no such service: " + printable(names.front(), 80));
  for (const std::string& name : names) {
    const Node* service = services->find(name);
    if (!service) throw no_such_service(*services, name);
    const std::vector<std::string> own = profiles_of(*service);
    profiles.insert(profiles.end(), own.begin(), own.end());
  }
  const std::set<std::string> enabled = enabled_services(project, profiles);
  std::set<std::string> selected;
  for (const std::string& name : names) add_with_dependencies(*services, name, enabled, selected);
  for (Member& service : services->members)
    if (Node* dependencies = service.value.find("depends_on"))
      std::erase_if(dependencies->members, [&](const Member& dependency) { return !selected.contains(dependency.key); });
  return selected;
}

std::vector<std::string> all_profiles(const Node& project) {
  std::set<std::string> profiles;
  if (const Node* services = project.find("services"))
    for (const Member& service : services->members)
      for (std::string& profile : profiles_of(service.value)) profiles.insert(std::move(profile));
  return {profiles.begin(), profiles.end()};
}

}  // namespace drover::compose
