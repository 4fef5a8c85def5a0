#include "compose/conditions.h"

#include "base/error.h"

namespace drover::compose {
namespace {

bool is_check(const std::vector<std::string>& test) {
  return !test.empty() && test.front() != "NONE";
}

}  // namespace

std::vector<int> Conditions::of(const Service& service) {
  std::vector<int> steps;
  if (!draft_.situation.options->starts) return steps;
  for (const Dependency& dependency : service.depends_on) add(steps, service, dependency);
  return steps;
}

void Conditions::add(std::vector<int>& steps, const Service& service, const Dependency& dependency) {
  const ServiceWork* work = draft_.find_work(dependency.service);
  if (!work) return;  // left out by the user, or by its profile
  for (const SlotWork& slot : work->slots) {
    if (slot.fate == Fate::remove) continue;
    switch (dependency.condition) {
    case Dependency::Condition::started:
      steps.push_back(slot.ready);
      break;
    case Dependency::Condition::healthy:
      steps.push_back(healthy(service, dependency, *work, slot));
      break;
    case Dependency::Condition::completed_successfully:
      steps.push_back(completed(service, dependency, *work, slot));
      break;
    }
  }
}

// Of the container that is there, or of the model and its image for one that is not.
bool Conditions::has_health_check(const ServiceWork& work, const SlotWork& slot) const {
  if (slot.made) return slot.made->config.healthcheck && is_check(slot.made->config.healthcheck->test);
  const Service& service = *work.service;
  if (service.healthcheck && service.healthcheck->is_disabled) return false;
  if (service.healthcheck && !service.healthcheck->test.empty()) return is_check(service.healthcheck->test);
  const auto facts = draft_.situation.state.images.find(image_of(*draft_.situation.project, service));
  return facts != draft_.situation.state.images.end() && facts->second.config.healthcheck &&
         is_check(facts->second.config.healthcheck->test);
}

int Conditions::healthy(const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot) {
  if (slot.made && slot.ready == 0 && slot.made->state.health && slot.made->state.health->status == "healthy") return 0;
  if (has_health_check(work, slot)) return wait(service, dependency, work, slot, Await::Until::healthy);
  const std::string what =
      "service " + service.name + " waits until " + dependency.service + " is healthy, and that has no health check";
  if (dependency.is_required) throw Error(ErrorCode::refused, what + "; give it one, or say `condition: service_started`");
  draft_.builder.note(what + ": not waited for");
  return slot.ready;
}

int Conditions::completed(const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot) {
  if (slot.ready == 0 && !(slot.made && slot.made->state.is_running)) return 0;
  return wait(service, dependency, work, slot, Await::Until::completed);
}

int Conditions::wait(
    const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot, Await::Until until) {
  int& step = waits_[{&slot, until, dependency.is_required}];
  if (step != 0) return step;
  const char* condition = until == Await::Until::healthy ? "service_healthy" : "service_completed_successfully";
  step = draft_.builder.add(Phase::swap,
                            {.action = Await{.container = slot.target,
                                             .until = until,
                                             .is_required = dependency.is_required,
                                             .timeout = draft_.situation.options->gate_timeout},
                             .resource = resource_of(slot),
                             .cause = "services." + service.name + ".depends_on." + dependency.service + ": " + condition,
                             .depends_on = {slot.ready},
                             .group = work.service->name});
  return step;
}

}  // namespace drover::compose
