// What the commands that change a stack have in common: the plan first, what is being done while it goes on, the answer at the
// end.
#pragma once

#include "cli/session.h"
#include "cli/step_states.h"
#include "compose/companions.h"
#include "stack/change_project.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace drover::cli {

std::set<std::string> asked_services(const Session& session);

// The state folder for locks and journals; nothing, with a warning, where there is no place for one.
std::optional<stack::StateFolder> find_state(Session& session);

// Shows a run while it goes on: the plan at once, then what is being done to each service; with --verbose, and to programs, each
// step.
class ChangeView {
 public:
  // The session outlives this, and this the listener.
  explicit ChangeView(Session& session) : session_(session) {}
  stack::RunListener listener();

 private:
  void show_plan(const compose::Plan& plan);
  void show_way_back(const Error& failure);
  void begin(std::optional<StepStates>& states, const compose::Step& step);
  void
  end(std::optional<StepStates>& states, std::string_view phase, const compose::Step& step, const compose::StepOutcome& outcome);
  void tell(std::string_view phase, std::string_view id, std::string_view label, std::string_view text);

  Session& session_;
  std::optional<StepStates> there_;
  std::optional<StepStates> back_;
};

// One of down, stop, start, restart: plans by `plan`, acts unless it is a dry run, prints.
ExitCode run_change(Session& session,
                    const std::function<compose::Plan(const compose::Project&, const compose::ProjectState&)>& plan,
                    bool takes_networks = false);

}  // namespace drover::cli
