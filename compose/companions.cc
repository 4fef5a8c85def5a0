#include "compose/companions.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/companion_steps.h"
#include "compose/container_recipe.h"

#include <algorithm>
#include <utility>

namespace drover::compose {
namespace {

// With what each depends on, as far as that is required or there.
void add_dependencies(const std::vector<Service>& services, std::set<std::string>& chosen) {
  for (auto service = services.rbegin(); service != services.rend(); ++service) {  // dependents come first
    if (!chosen.contains(service->name)) continue;
    for (const Dependency& dependency : service->depends_on) {
      const bool is_there =
          std::any_of(services.begin(), services.end(), [&](const Service& other) { return other.name == dependency.service; });
      if (is_there) chosen.insert(dependency.service);
    }
  }
}

void add_dependents(const std::vector<Service>& services, std::set<std::string>& chosen) {
  for (const Service& service : services) {  // dependencies come first
    for (const Dependency& dependency : service.depends_on) {
      if (dependency.is_restarted && chosen.contains(dependency.service)) chosen.insert(service.name);
    }
  }
}

// Waits of one run: a dependency is waited for once, however many depend on it.
class CompanionConditions {
 public:
  CompanionConditions(StepList& steps, const ProjectState& state, std::chrono::seconds timeout)
      : steps_(steps), state_(state), timeout_(timeout) {}

  std::vector<int> ids_of(const Dependency& dependency) {
    const std::vector<int> started = steps_.ends_of(dependency.service);
    if (dependency.condition == Dependency::Condition::started) return started;
    std::vector<int>& known = waits_[{dependency.service, dependency.condition, dependency.is_required}];
    if (known.empty()) {
      for (const Details* container : containers_of(state_, dependency.service))
        known.push_back(add(dependency, *container, started));
    }
    return known.empty() ? started : known;
  }

 private:
  int add(const Dependency& dependency, const Details& container, const std::vector<int>& after) {
    const bool is_healthy = dependency.condition == Dependency::Condition::healthy;
    return steps_.add({.action = Await{.container = {.id = container.id},
                                       .until = is_healthy ? Await::Until::healthy : Await::Until::completed,
                                       .is_required = dependency.is_required,
                                       .timeout = timeout_},
                       .resource = "container " + container.name,
                       .cause = std::string("a dependency that has to be ") + (is_healthy ? "healthy" : "completed"),
                       .depends_on = after,
                       .group = dependency.service});
  }

  StepList& steps_;
  const ProjectState& state_;
  std::chrono::seconds timeout_;
  std::map<std::tuple<std::string, Dependency::Condition, bool>, std::vector<int>> waits_;
};

std::vector<int> conditions_of(CompanionConditions& conditions, const Service& service) {
  std::vector<int> ids;
  for (const Dependency& dependency : service.depends_on) ids = merged(std::move(ids), conditions.ids_of(dependency));
  return ids;
}

void require_startable(const Service& service, const std::vector<const Details*>& containers) {
  if (containers.empty() && service.scale != 0) {
    throw Error(ErrorCode::refused, "service " + service.name + " has no container to start; drover up creates it");
  }
  for (const Details* container : containers) {
    if (container->state.is_paused) {
      throw Error(ErrorCode::refused,
                  "container " + container->name + " is paused; docker unpause " + container->name + " lets it go on");
    }
  }
}

bool is_required_by(const std::vector<Service>& services, const std::set<std::string>& asked, const std::string& name) {
  if (asked.contains(name)) return true;
  return std::any_of(services.begin(), services.end(), [&](const Service& service) {
    return std::any_of(service.depends_on.begin(), service.depends_on.end(), [&](const Dependency& dependency) {
      return dependency.service == name && dependency.is_required;
    });
  });
}

// Configs and secrets with content come from the files as they are now, as with docker compose.
std::vector<int> write_files(
    StepList& steps, const Project& project, const Service& service, const Details& container, const std::vector<int>& after) {
  std::vector<int> ids;
  for (WriteFile& file : files_of(project, service)) {
    file.container.id = container.id;
    ids.push_back(steps.add({.action = std::move(file),
                             .resource = "container " + container.name,
                             .cause = "config or secret",
                             .depends_on = after,
                             .group = service.name}));
  }
  return ids.empty() ? after : ids;
}

std::vector<int> start_service(StepList& steps,
                               const Project& project,
                               const Service& service,
                               const std::vector<const Details*>& stopped,
                               std::vector<int> after) {
  for (const Details* container : stopped) {  // replicas one after the other, as docker compose does
    const int started = steps.add({.action = StartContainer{{.id = container->id}},
                                   .resource = "container " + container->name,
                                   .cause = "it is " + container->state.status,
                                   .depends_on = write_files(steps, project, service, *container, after),
                                   .group = service.name});
    after = steps.add_hooks(service.post_start, *container, "services." + service.name + ".post_start", {started});
  }
  return after;
}

void add_gates(StepList& steps, const ProjectState& state, const std::set<std::string>& services, std::chrono::seconds timeout) {
  for (const std::string& service : services) {
    for (const Details* container : containers_of(state, service)) {
      steps.add({.action = Await{.container = {.id = container->id},
                                 .until = Await::Until::gate,
                                 .may_complete = !container->host_config.restart_policy.restarts(),
                                 .timeout = timeout,
                                 .settle = std::chrono::milliseconds(0)},
                 .resource = "container " + container->name,
                 .cause = "--wait",
                 .depends_on = steps.ends_of(service),
                 .group = service});
    }
  }
}

}  // namespace

Plan plan_stop(const Project& project, const ProjectState& state, const StopOptions& options) {
  const std::set<std::string> chosen = chosen_services(project, state, options.services);
  const std::vector<Service> services = services_in_order(project, state);
  StepList steps(project);
  for (auto service = services.rbegin(); service != services.rend(); ++service) {
    const std::vector<int> before = steps.ends_of_dependents(services, service->name);
    std::vector<int> ends;
    if (chosen.contains(service->name)) {
      for (const Details* container : containers_of(state, service->name)) {
        if (is_active(*container)) ends.push_back(steps.add_stop(*service, *container, options.timeout, "asked to stop", before));
      }
      steps.tell(service->name, ends.empty() ? "none" : "stop");
    }
    steps.set_ends(service->name, ends.empty() ? before : ends);
  }
  return steps.take();
}

Plan plan_start(const Project& project, const ProjectState& state, const StartOptions& options) {
  const std::vector<Service> services = services_in_order(project, state);
  const std::set<std::string> asked = chosen_services(project, state, options.services);
  std::set<std::string> chosen = asked;
  add_dependencies(services, chosen);
  StepList steps(project);
  CompanionConditions conditions(steps, state, options.wait_timeout);
  for (const Service& service : services) {
    if (!chosen.contains(service.name)) continue;
    std::vector<const Details*> containers = containers_of(state, service.name);
    if (!containers.empty() || is_required_by(services, asked, service.name)) require_startable(service, containers);
    std::erase_if(containers, [](const Details* container) { return is_active(*container); });
    steps.tell(service.name, containers.empty() ? "none" : "start");
    if (!containers.empty())
      steps.set_ends(service.name, start_service(steps, project, service, containers, conditions_of(conditions, service)));
  }
  if (options.waits) add_gates(steps, state, chosen, options.wait_timeout);
  return steps.take();
}

Plan plan_restart(const Project& project, const ProjectState& state, const RestartOptions& options) {
  constexpr std::chrono::seconds wait_max{300};  // for a dependency's health: as long as `up` gives one
  std::vector<Service> services = services_in_order(project, state);
  const std::set<std::string> asked = chosen_services(project, state, options.services);
  std::set<std::string> chosen = asked;
  for (Service& service : services)
    std::erase_if(service.depends_on, [](const Dependency& dependency) { return !dependency.is_restarted; });
  if (options.with_dependents) add_dependents(services, chosen);
  StepList steps(project);
  CompanionConditions conditions(steps, state, wait_max);
  for (const Service& service : services) {
    if (!chosen.contains(service.name)) continue;
    const std::string cause =
        asked.contains(service.name) ? "asked to restart" : "services." + service.name + ".depends_on: restart";
    std::vector<int> ends;
    std::vector<int> before;
    for (const Dependency& dependency : service.depends_on) {
      if (chosen.contains(dependency.service)) before = merged(std::move(before), conditions.ids_of(dependency));
    }
    for (const Details* container : containers_of(state, service.name)) {
      std::vector<int> after = before;
      if (is_active(*container))
        after = steps.add_hooks(service.pre_stop, *container, "services." + service.name + ".pre_stop", after);
      const int restarted = steps.add({.action = RestartContainer{.container = {.id = container->id}, .timeout = options.timeout},
                                       .resource = "container " + container->name,
                                       .cause = cause,
                                       .depends_on = after,
                                       .group = service.name});
      ends = merged(std::move(ends),
                    steps.add_hooks(service.post_start, *container, "services." + service.name + ".post_start", {restarted}));
    }
    steps.tell(service.name, ends.empty() ? "none" : "restart");
    if (!ends.empty()) steps.set_ends(service.name, ends);
  }
  return steps.take();
}

}  // namespace drover::compose
