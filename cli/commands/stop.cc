#include "cli/change.h"
#include "cli/command.h"

namespace drover::cli {
namespace {

ExitCode run_stop(Session& session) {
  const compose::StopOptions options{.services = asked_services(session), .timeout = session.settings().stop_timeout};
  return run_change(session, [&](const compose::Project& project, const compose::ProjectState& state) {
    return plan_stop(project, state, options);
  });
}

}  // namespace

Command stop_command() {
  return {.path = "stop",
          .group = "Stack commands",
          .summary = "stop the containers of the compose project",
          .details = "Dependents before what they depend on; pre_stop hooks run first. Without a compose file: -p NAME.",
          .example = "  drover stop -t 30 web",
          .positionals = {{"SERVICE", &Flags::services, "only these services"}},
          .options = {{"-t,--timeout", &Flags::stop_timeout, "then a container is killed (default: its own)", "SECONDS"}},
          .run = run_stop};
}

}  // namespace drover::cli
