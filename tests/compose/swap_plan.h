// Plans as reconcile makes them, of services that are all replaced, for tests that walk or undo them.
#pragma once

#include "compose/plan.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace drover::test {

class PlanBuilder {
 public:
  explicit PlanBuilder(std::string project = "shop") { plan_.project = std::move(project); }

  int add(compose::Action action, const std::string& resource, std::vector<int> depends_on = {}, const std::string& group = {}) {
    plan_.steps.push_back({.id = static_cast<int>(plan_.steps.size()) + 1,
                           .action = std::move(action),
                           .resource = resource,
                           .cause = {},
                           .depends_on = std::move(depends_on),
                           .group = group});
    return plan_.steps.back().id;
  }
  compose::Step& step(int id) { return plan_.steps.at(static_cast<std::size_t>(id) - 1); }
  compose::Plan take() { return std::move(plan_); }

 private:
  compose::Plan plan_;
};

inline compose::CreateContainer create_of(const std::string& name, const std::string& image, const std::string& service, nlohmann::json more = nlohmann::json::object()) {
  nlohmann::json body = std::move(more);
  body["Image"] = image;
  body["Labels"]["com.docker.compose.project"] = "shop";
  body["Labels"]["com.docker.compose.service"] = service;
  body["Labels"]["com.docker.compose.config-hash"] = image;
  return {name, [name, body](const compose::CreatedIds&) {
            return compose::CreateBody{.name = name, .platform = {}, .body = std::make_shared<const nlohmann::json>(body), .later_networks = {}};
          }};
}

struct SwappedService {
  std::string service;
  std::string old_id;
  std::string image;                  // of the new container
  std::vector<std::string> after = {};  // services whose new container has to be started first
  nlohmann::json body = nlohmann::json::object();
  compose::Await gate = {};           // its container is filled in
};

// "shop-web-1" of each is created as "<12 hex>_shop-web-1", swapped, passes its gate; then all the old ones are removed.
inline compose::Plan swap_plan(const std::vector<SwappedService>& services) {
  using namespace compose;
  PlanBuilder plan;
  const auto name_of = [](const SwappedService& s) { return "shop-" + s.service + "-1"; };
  std::map<std::string, int> starts;
  std::vector<int> creates;
  std::vector<int> gates;
  for (const SwappedService& s : services) {
    const std::string temporary = s.old_id.substr(0, 12) + "_" + name_of(s);
    creates.push_back(plan.add(create_of(temporary, s.image, s.service, s.body), "container " + name_of(s), {}, s.service));
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    const SwappedService& s = services[i];
    const std::string resource = "container " + name_of(s);
    const ContainerTarget created{.id = {}, .step = creates[i]};
    const ContainerTarget old{.id = s.old_id, .step = 0};
    std::vector<int> before = creates;
    for (const std::string& other : s.after) before.push_back(starts.at(other));
    const int stop = plan.add(StopContainer{.container = old}, resource, before, s.service);
    const int start = plan.add(StartContainer{created}, resource, {stop}, s.service);
    starts[s.service] = start;
    const int away = plan.add(RenameContainer{old, name_of(s), name_of(s) + "-old-" + s.old_id.substr(0, 12)}, resource, {start}, s.service);
    const int home = plan.add(RenameContainer{created, s.old_id.substr(0, 12) + "_" + name_of(s), name_of(s)}, resource, {away}, s.service);
    Await gate = s.gate;
    gate.container = created;
    gates.push_back(plan.add(gate, resource, {start}, s.service));
    gates.push_back(home);
  }
  for (const SwappedService& s : services) {
    const int remove = plan.add(RemoveContainer{.container = {.id = s.old_id, .step = 0}}, "container " + name_of(s), gates, s.service);
    plan.step(remove).is_commit = true;
    plan.step(remove).is_destructive = true;
  }
  return plan.take();
}

}  // namespace drover::test
