// What is being done to each service, told from the steps of a plan as they begin and end. Pure.
#pragma once

#include "cli/plan_rows.h"
#include "cli/tasks.h"
#include "compose/plan.h"

#include <string>
#include <vector>

namespace drover::cli {

// Not thread-safe. The news have no time.
class StepStates {
 public:
  enum class Way { there, back };

  // The plan outlives this.
  StepStates(const compose::Plan& plan, Way way);

  // Of everything that something will be done to.
  std::vector<Task> all() const;
  // Of the step's row, also when it says the same as before. Each step of the plan that is not done begins, and ends, at most
  // once.
  Task begin(const compose::Step& step);
  Task end(const compose::Step& step, const compose::StepOutcome& outcome);

 private:
  struct Row {
    PlanRow row;
    std::size_t left = 0;  // steps that it is not over without
    std::vector<const compose::Step*> under_way = {};
    std::string last = {};  // what was done last: "stopped"
    double gate_seconds = -1;
    std::string failure = {};
  };

  Row& row_of(const compose::Step& step);
  Task state_of(const Row& row) const;
  std::string ending_of(const Row& row) const;

  const Way way_;
  std::vector<Row> rows_;
};

}  // namespace drover::cli
