#include "cli/change.h"
#include "cli/command.h"

namespace drover::cli {
namespace {

ExitCode run_down(Session& session) {
  const Flags& flags = session.flags();
  const Session::KnownProject project = session.known_project();
  compose::DownOptions options{.services = asked_services(session),
                               .timeout = session.settings().stop_timeout,
                               .remove_orphans = flags.remove_orphans,
                               .remove_volumes = flags.remove_volumes};
  if (options.remove_volumes) options.volume_users = stack::find_volume_users(session.ctx(), session.engine(), project.name);
  if (!session.settings().dry_run) session.look();  // once it is down, only the state folder knows what the project owns
  return run_change(
      session,
      [&](const compose::Project& files, const compose::ProjectState& state) { return plan_down(files, state, options); },
      true);
}

}  // namespace

Command down_command() {
  return {.path = "down",
          .group = "Stack commands",
          .summary = "stop and remove the containers and networks of the compose project",
          .details = "Volumes stay unless --volumes is given (-v is --verbose), and then each is named in the plan and in the "
                     "answer; images, what\n"
                     "is external and what somebody else uses stay in any case. Without a compose file: -p NAME.\n"
                     "An update needs no down: drover up replaces what has changed.",
          .example = "  drover down --dry-run --volumes\n  drover -p mail down",
          .positionals = {{"SERVICE", &Flags::services, "only these services"}},
          .options = {{"--remove-orphans", &Flags::remove_orphans, "also containers of services that the files know no more"},
                      {"--volumes", &Flags::remove_volumes, "also the project's volumes, with their data"},
                      {"-t,--timeout", &Flags::stop_timeout, "then a container is killed (default: its own)", "SECONDS"}},
          .run = run_down};
}

}  // namespace drover::cli
