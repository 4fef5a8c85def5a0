#include "cli/command.h"
#include "cli/render_containers.h"
#include "cli/session.h"
#include "stack/project_containers.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

std::string quiet_text(const std::vector<engine::ContainerSummary>& containers) {
  std::string text;
  for (const engine::ContainerSummary& container : containers) text += container.id + "\n";
  return text;
}

std::string service_names(const std::vector<engine::ContainerSummary>& containers) {
  std::set<std::string> names;
  for (const engine::ContainerSummary& container : containers) names.insert(stack::service_of(container.labels));
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

ExitCode run_ps(Session& session) {
  const Flags& flags = session.flags();
  const Session::KnownProject project = session.known_project();
  const stack::ContainerChoice choice{.project = project.name,
                                      .services = {flags.services.begin(), flags.services.end()},
                                      .with_stopped = flags.all || !flags.statuses.empty(),
                                      .with_one_offs = flags.all};
  ContainersView view{.project = project.name,
                      .containers = stack::list_project_containers(session.ctx(), session.engine(), choice, project.services()),
                      .now = session.ctx().clock->system_now(),
                      .is_truncated = !flags.no_trunc};
  std::erase_if(view.containers, [&](const engine::ContainerSummary& container) {
    return !flags.statuses.empty() &&
           std::find(flags.statuses.begin(), flags.statuses.end(), container.state) == flags.statuses.end();
  });
  session.output().set_document(containers_json(view));
  session.output().write_text(session.settings().quiet ? quiet_text(view.containers)
                              : flags.show_services    ? service_names(view.containers)
                                                       : containers_text(view));
  return ExitCode::done;
}

}  // namespace

Command ps_command() {
  return {.path = "ps",
          .group = "Stack commands",
          .summary = "list the containers of the compose project",
          .details = "Those that run; with --all stopped ones and one-off containers too. Without a compose file: -p NAME. -q "
                     "prints the IDs.",
          .example =
              "  drover ps --all\n  drover -p mail ps --json | jq -r '.containers[] | select(.health == \"unhealthy\").service'",
          .positionals = {{"SERVICE", &Flags::services, "only the containers of these services"}},
          .options = {{"-a,--all", &Flags::all, "also those that do not run"},
                      {"--services", &Flags::show_services, "print the services' names"},
                      {"--status",
                       &Flags::statuses,
                       "only those in this state, repeatable",
                       "STATE",
                       {"created", "running", "paused", "restarting", "removing", "exited", "dead"}},
                      {"--no-trunc", &Flags::no_trunc, "long commands whole"}},
          .run = run_ps};
}

}  // namespace drover::cli
