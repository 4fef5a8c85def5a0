// Puts a plan together: steps come in any order within their phase, and what waits for what may be said later. Internal.
//
// Three phases. Create: nothing that runs is touched. Swap: every step of it waits for all of create. Commit: every step of it
// waits for all of the other two.
#pragma once

#include "base/error.h"
#include "compose/plan.h"

#include <string>
#include <utility>
#include <vector>

namespace drover::compose {

enum class Phase { create, swap, commit };

class PlanBuilder {
 public:
  // The step's number so far; numbers of create steps, added before any other, stay. 0 among `step.depends_on` is nothing.
  int add(Phase phase, Step step);

  Step& at(int number) { return entries_.at(static_cast<std::size_t>(number) - 1).step; }

  // `step` waits for `needed`; 0 is nothing, for both.
  void require(int step, int needed);
  void require(int step, const std::vector<int>& needed);
  // Unless `needed` waits for `step` already.
  void prefer(int step, int needed);

  void note(std::string text) { notes_.push_back(std::move(text)); }

  // Numbered so that each step comes after those that it waits for, those that another one implies left out.
  Plan finish(std::string project, std::vector<ServiceChange> services);

 private:
  struct Entry {
    Phase phase;
    Step step;
  };

  bool waits_for(int step, int needed) const;
  std::vector<int> ends(Phase last) const;
  void separate_phases();
  std::vector<int> order() const;
  Error in_a_circle(const std::vector<int>& placed) const;
  void see_through_done(const std::vector<int>& order);
  void leave_out_implied(const std::vector<int>& order);

  std::vector<Entry> entries_;
  std::vector<std::string> notes_;
};

}  // namespace drover::compose
