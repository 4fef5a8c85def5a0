#include "compose/companion_steps.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"

#include <algorithm>

namespace drover::compose {
namespace {

// "db:service_healthy:true,cache:service_started:false", as compose_labels writes it; older releases of docker compose leave the
// end away.
std::vector<Dependency> parse_dependencies(std::string_view label) {
  std::vector<Dependency> dependencies;
  for (const std::string_view entry : split(label, ',')) {
    const std::vector<std::string_view> parts = split(entry, ':');
    if (parts.empty() || trim(parts[0]).empty()) continue;
    Dependency dependency;
    dependency.service = std::string(trim(parts[0]));
    if (parts.size() > 1 && parts[1] == "service_healthy") dependency.condition = Dependency::Condition::healthy;
    if (parts.size() > 1 && parts[1] == "service_completed_successfully") {
      dependency.condition = Dependency::Condition::completed_successfully;
    }
    dependency.is_restarted = parts.size() > 2 && parts[2] == "true";
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

std::map<std::string, Service> services_by_label(const ProjectState& state) {
  std::map<std::string, Service> services;
  for (const Details& container : state.containers) {
    const std::string name = service_of(container);
    if (name.empty() || is_one_off(container)) continue;
    Service& service = services[name];
    service.name = name;
    service.depends_on = parse_dependencies(label_of(container, dependencies_label));
  }
  return services;
}

void visit(const std::string& name, std::map<std::string, Service>& left, std::vector<Service>& ordered) {
  const auto found = left.find(name);
  if (found == left.end()) return;
  Service service = std::move(found->second);
  left.erase(found);  // before the descent: a cycle ends here
  for (const Dependency& dependency : service.depends_on) visit(dependency.service, left, ordered);
  ordered.push_back(std::move(service));
}

}  // namespace

std::string service_of(const Details& container) { return label_of(container, service_label); }

bool is_active(const Details& container) {
  return container.state.is_running || container.state.is_paused || container.state.is_restarting;
}

std::vector<const Details*> containers_of(const ProjectState& state, const std::string& service) {
  std::vector<const Details*> containers;
  for (const Details& container : state.containers) {
    if (service_of(container) == service && !is_one_off(container)) containers.push_back(&container);
  }
  std::stable_sort(
      containers.begin(), containers.end(), [](const Details* a, const Details* b) { return container_number(*a) < container_number(*b); });
  return containers;
}

std::vector<Service> services_in_order(const Project& project, const ProjectState& state) {
  std::map<std::string, Service> left = services_by_label(state);
  for (const Service& service : project.services) left[service.name] = service;
  std::vector<Service> ordered;
  while (!left.empty()) visit(std::string(left.begin()->first), left, ordered);
  return ordered;
}

std::set<std::string> chosen_services(const Project& project, const ProjectState& state, const std::set<std::string>& asked) {
  std::set<std::string> known;
  for (const Service& service : project.services) known.insert(service.name);
  if (asked.empty()) return known;
  for (const Details& container : state.containers) known.insert(service_of(container));
  for (const std::string& service : asked) {
    if (known.contains(service) && !service.empty()) continue;
    const std::vector<std::string> candidates(known.begin(), known.end());
    const std::optional<std::string> meant = did_you_mean(service, candidates);
    throw Error(ErrorCode::usage, "no such service: " + printable(service, 80) + (meant ? "; did you mean " + *meant + "?" : ""));
  }
  return asked;
}

Project project_from_labels(const std::string& name, const ProjectState& state) {
  Project project;
  project.name = name;
  for (auto& [key, service] : services_by_label(state)) project.services.push_back(std::move(service));
  return project;
}

std::vector<int> merged(std::vector<int> ids, const std::vector<int>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<int> StepList::ends_of(const std::string& service) const {
  const auto found = ends_.find(service);
  return found == ends_.end() ? std::vector<int>() : found->second;
}

std::vector<int> StepList::ends_of_dependents(const std::vector<Service>& services, const std::string& service) const {
  std::vector<int> ends;
  for (const Service& other : services) {
    for (const Dependency& dependency : other.depends_on) {
      if (dependency.service == service) ends = merged(std::move(ends), ends_of(other.name));
    }
  }
  return ends;
}

int StepList::add(Step step) {
  step.id = static_cast<int>(plan_.steps.size()) + 1;
  plan_.steps.push_back(std::move(step));
  return plan_.steps.back().id;
}

std::vector<int>
StepList::add_hooks(const std::vector<Hook>& hooks, const Details& container, std::string_view cause, std::vector<int> after) {
  for (const Hook& hook : hooks) {
    after = {add({.action = RunHook{.container = {.id = container.id}, .hook = hook},
                  .resource = "container " + container.name,
                  .cause = std::string(cause),
                  .depends_on = std::move(after),
                  .group = service_of(container)})};
  }
  return after;
}

int StepList::add_stop(const Service& service,
                       const Details& container,
                       std::optional<std::chrono::seconds> timeout,
                       std::string cause,
                       std::vector<int> after) {
  const bool can_run_hooks = container.state.is_running && !container.state.is_paused && !container.state.is_restarting;
  if (can_run_hooks) after = add_hooks(service.pre_stop, container, "services." + service.name + ".pre_stop", std::move(after));
  return add({.action = StopContainer{.container = {.id = container.id}, .timeout = timeout},
              .resource = "container " + container.name,
              .cause = std::move(cause),
              .depends_on = std::move(after),
              .group = service_of(container)});
}

Plan StepList::take() {
  std::sort(plan_.services.begin(), plan_.services.end(), [](const ServiceChange& a, const ServiceChange& b) {
    return a.service < b.service;
  });
  return std::move(plan_);
}

}  // namespace drover::compose
