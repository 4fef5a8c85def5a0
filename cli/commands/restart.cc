#include "cli/change.h"
#include "cli/command.h"

namespace drover::cli {
namespace {

ExitCode run_restart(Session& session) {
  const compose::RestartOptions options{.services = asked_services(session),
                                        .with_dependents = !session.flags().no_deps,
                                        .timeout = session.settings().stop_timeout};
  return run_change(session, [&](const compose::Project& project, const compose::ProjectState& state) {
    return plan_restart(project, state, options);
  });
}

}  // namespace

Command restart_command() {
  return {.path = "restart",
          .group = "Stack commands",
          .summary = "restart the containers of the compose project",
          .details = "Also starts those that are stopped. Changes of the compose file play no part: drover up applies them.",
          .example = "  drover restart db",
          .positionals = {{"SERVICE", &Flags::services, "only these services, and those that depend on them with restart: true"}},
          .options = {{"-t,--timeout", &Flags::stop_timeout, "then a container is killed (default: its own)", "SECONDS"},
                      {"--no-deps", &Flags::no_deps, "not those that depend on them"}},
          .run = run_restart};
}

}  // namespace drover::cli
