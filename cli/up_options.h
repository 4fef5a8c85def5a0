// What the words of `drover up` mean for the plan. Pure but for files that the project names.
#pragma once

#include "cli/session.h"
#include "compose/project.h"
#include "compose/reconcile.h"

#include <optional>
#include <set>
#include <string>

namespace drover::cli {

// Throws usage for words that exclude each other, and for what drover does not do (--build), with what to do.
void check_up_flags(const Flags& flags);

// The project as `up` has it: --scale applied, and with --no-deps only the services that are named. Throws usage.
compose::Project project_of_up(const compose::Project& project, const Flags& flags);

// Reads the seccomp profiles that services name. Throws usage, io.
compose::UpOptions up_options(Session& session, const compose::Project& project);

// COMPOSE_REMOVE_ORPHANS and the like, of the process or of .env. As docker compose: 1, t, true, y, yes, on in any case.
bool is_switched_on(const compose::Project& project, const std::string& variable);

}  // namespace drover::cli
