#include "cli/change.h"
#include "cli/command.h"

namespace drover::cli {
namespace {

ExitCode run_start(Session& session) {
  compose::StartOptions options{.services = asked_services(session), .waits = session.flags().wait};
  options.wait_timeout = session.settings().gate_timeout.value_or(options.wait_timeout);
  return run_change(session, [&](const compose::Project& project, const compose::ProjectState& state) {
    return plan_start(project, state, options);
  });
}

}  // namespace

Command start_command() {
  return {
      .path = "start",
      .group = "Stack commands",
      .summary = "start the containers of the compose project that are there",
      .details =
          "What a service depends on is started before it, and waited for as the compose file says; post_start hooks run after.\n"
          "drover up makes what is not there.",
      .example = "  drover start --wait web",
      .positionals = {{"SERVICE", &Flags::services, "only these services, and what they depend on"}},
      .options = {{"--wait", &Flags::wait, "until all of them run, or are healthy where they have a health check"},
                  {"--wait-timeout", &Flags::gate_timeout, "give up waiting then (default 300)", "SECONDS"}},
      .run = run_start};
}

}  // namespace drover::cli
