// Plans that change a stack, and what became of them. Pure.
#pragma once

#include "cli/plan_rows.h"
#include "cli/render.h"
#include "compose/plan.h"
#include "stack/apply_plan.h"
#include "stack/change_project.h"
#include "stack/up.h"

#include <optional>
#include <string>

namespace drover::cli {

enum class PlanText {
  services,  // a row a service, network and volume: what and why
  steps      // a line a step
};
// Before anything is done: the plan and all its notes, or that there is nothing to do.
std::string change_plan_text(const compose::Plan& plan, PlanText text);
// "#3 container shop-web-1, stop: done (0.2s)", once it is over; the error of one that failed behind it.
std::string step_text(const compose::Step& step, const compose::StepOutcome& outcome);

// compose::to_json and, when it was applied, "outcomes":[{"id","state","seconds","error"}] and
// "services":[{"service","downSeconds","action"}].
Json change_json(const compose::Plan& plan, const std::optional<stack::ApplyReport>& applied);
// The same with "result", and after a way back "rollback" with the steps and outcomes of its own.
Json up_json(const stack::UpReport& report);
// --quiet: a line a container, see changed_containers().
std::string names_text(const compose::Plan& plan, const std::optional<stack::ApplyReport>& applied, Gone gone);
// A line a service that something was done to: "web: recreated, down 0.31s"; after a way back "web: as before, down 0.62s".
std::string services_text(const compose::Plan& plan, const stack::ApplyReport& applied, const stack::WayBackReport* way_back = nullptr);

}  // namespace drover::cli
