// What a service waits for before it starts: depends_on, as steps. Internal.
#pragma once

#include "compose/plan_draft.h"

#include <map>
#include <tuple>
#include <vector>

namespace drover::compose {

class Conditions {
 public:
  explicit Conditions(PlanDraft& draft) : draft_(draft) {}

  // Steps of dependencies: starts, and waits, which it adds where there is none yet. What holds already needs none. The steps of
  // the dependencies themselves have been written. Throws refused where a dependency has no health check to wait for.
  std::vector<int> of(const Service& service);

 private:
  void add(std::vector<int>& steps, const Service& service, const Dependency& dependency);
  int wait(
      const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot, Await::Until until);
  bool has_health_check(const ServiceWork& work, const SlotWork& slot) const;
  int healthy(const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot);
  int completed(const Service& service, const Dependency& dependency, const ServiceWork& work, const SlotWork& slot);

  PlanDraft& draft_;
  std::map<std::tuple<const SlotWork*, Await::Until, bool>, int> waits_;
};

}  // namespace drover::compose
