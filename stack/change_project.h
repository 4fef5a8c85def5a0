// The journeys of `drover down`, `stop`, `start` and `restart`: lock, look, plan, walk the plan. What is decided is decided in
// compose/companions.h.
#pragma once

#include "base/context.h"
#include "compose/companions.h"
#include "engine/client.h"
#include "stack/apply_plan.h"
#include "stack/state_folder.h"

#include <functional>
#include <optional>
#include <string>

namespace drover::stack {

// What a run tells while it goes on; each may be empty. Called one at a time.
struct RunListener {
  using OnStep = std::function<void(const compose::Step&, const compose::StepOutcome&)>;

  using OnPlan = std::function<void(const compose::Plan&)>;
  using OnBegin = std::function<void(const compose::Step&)>;

  OnPlan on_plan = {};  // before anything is done; of a plan that stays where it is until the last step is over
  OnBegin on_begin = {};
  OnStep on_step = {};                                         // once it is over
  std::function<void(const Error& failure)> on_way_back = {};  // before anything is undone
  OnPlan on_plan_back = {};                                    // a plan of its own, which begins at #1
  OnBegin on_begin_back = {};
  OnStep on_step_back = {};
};

struct ChangeRequest {
  std::string project;
  const compose::Project* files = nullptr;  // null: the containers' labels alone tell what there is
  // compose::plan_down and so on, with what the caller asks for.
  std::function<compose::Plan(const compose::Project&, const compose::ProjectState&)> plan;
  bool takes_networks = false;  // down: who is in them is read as well
  bool plans_only = false;
};

struct ChangeReport {
  compose::Plan plan;
  std::optional<ApplyReport> applied;  // nothing: only planned, or nothing to do
};

// `state_folder` null: no lock is held. Throws locked when another run changes the project, what the plan throws, and what the
// Client throws before anything was done; never for what a step did.
ChangeReport change_project(const Context& ctx,
                            engine::Client& client,
                            const StateFolder* state_folder,
                            const ChangeRequest& request,
                            const RunListener& listener);

// Containers outside the project, by the volume that they mount: anonymous volumes have no label of a project.
std::map<std::string, std::string> find_volume_users(const Context& ctx, engine::Client& client, const std::string& project);

}  // namespace drover::stack
