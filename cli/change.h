// What the commands that change a stack have in common: the plan first, a line a step while it goes on, the answer at the end.
#pragma once

#include "cli/session.h"
#include "compose/companions.h"
#include "stack/change_project.h"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace drover::cli {

std::set<std::string> asked_services(const Session& session);

// The state folder for locks and journals; nothing, with a warning, where there is no place for one.
std::optional<stack::StateFolder> find_state(Session& session);

// Prints the plan at once, steps as progress.
stack::RunListener listener_of(Session& session);

// One of down, stop, start, restart: plans by `plan`, acts unless it is a dry run, prints.
ExitCode run_change(Session& session,
                    const std::function<compose::Plan(const compose::Project&, const compose::ProjectState&)>& plan,
                    bool takes_networks = false);

}  // namespace drover::cli
