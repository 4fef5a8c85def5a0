// What the companions of `drover up` have in common: whose container is whose, in which order services come, and steps put in a
// row.
#pragma once

#include "compose/companions.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

using Details = engine::ContainerDetails;

std::string service_of(const Details& container);
// Also while it is paused or restarts over and over.
bool is_active(const Details& container);
// Of a service, one-offs aside, by number.
std::vector<const Details*> containers_of(const ProjectState& state, const std::string& service);

// The project's services and those that only containers tell of, each after what it depends on; a cycle, which only labels can
// have, is cut.
std::vector<Service> services_in_order(const Project& project, const ProjectState& state);

// `asked`, or all of the project's; throws usage for one that neither project nor containers know.
std::set<std::string> chosen_services(const Project& project, const ProjectState& state, const std::set<std::string>& asked);

// A plan under construction.
class StepList {
 public:
  explicit StepList(const Project& project) { plan_.project = project.name; }

  // What has to be over before something is done to a service: the last steps of those that come before it.
  std::vector<int> ends_of(const std::string& service) const;
  // Of everything that depends on the service: what has to be over before it stops.
  std::vector<int> ends_of_dependents(const std::vector<Service>& services, const std::string& service) const;

  void set_ends(const std::string& service, std::vector<int> ends) { ends_[service] = std::move(ends); }

  int add(Step step);
  // The hooks, one after the other, then the id to wait for: `after` when there are none.
  std::vector<int>
  add_hooks(const std::vector<Hook>& hooks, const Details& container, std::string_view cause, std::vector<int> after);
  int add_stop(const Service& service,
               const Details& container,
               std::optional<std::chrono::seconds> timeout,
               std::string cause,
               std::vector<int> after);

  void note(std::string text) { plan_.notes.push_back(std::move(text)); }

  void tell(std::string service, std::string action) { plan_.services.push_back({std::move(service), std::move(action)}); }

  // With services by name.
  Plan take();

 private:
  Plan plan_;
  std::map<std::string, std::vector<int>> ends_;
};

// Each once, ascending.
std::vector<int> merged(std::vector<int> ids, const std::vector<int>& more);

}  // namespace drover::compose
