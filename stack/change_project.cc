#include "stack/change_project.h"

#include "compose/labels.h"
#include "engine/containers.h"
#include "engine/networks.h"

#include <utility>

namespace drover::stack {
namespace {

// Lists of networks leave out who is in them (since API 1.28).
void read_members(const Context& ctx, engine::Client& client, const std::string& project, compose::ProjectState& state) {
  for (engine::Network& network : state.networks) {
    if (compose::label_of(network.labels, compose::project_label) != project) continue;
    if (auto found = engine::find_network(ctx, client, network.id)) network.members = std::move(found->members);
  }
}

}  // namespace

ChangeReport change_project(const Context& ctx,
                            engine::Client& client,
                            const StateFolder* state_folder,
                            const ChangeRequest& request,
                            const RunListener& listener) {
  std::optional<FileLock> lock;
  if (state_folder != nullptr && !request.plans_only) lock = state_folder->lock_for_run(request.project, to_string(client.endpoint()));
  compose::Project named;
  named.name = request.project;
  compose::ProjectState state = compose::read_project_state(ctx, client, named);  // no images are looked at
  if (request.takes_networks) read_members(ctx, client, request.project, state);
  const compose::Project project =
      request.files != nullptr ? *request.files : compose::project_from_labels(request.project, state);

  ChangeReport report{.plan = request.plan(project, state), .applied = {}};
  if (listener.on_plan) listener.on_plan(report.plan);
  if (request.plans_only || compose::is_empty(report.plan)) return report;
  report.applied = apply_plan(ctx, client, report.plan, {.on_begin = listener.on_begin, .on_end = listener.on_step});
  return report;
}

std::map<std::string, std::string> find_volume_users(const Context& ctx, engine::Client& client, const std::string& project) {
  std::map<std::string, std::string> users;
  for (const engine::ContainerSummary& container : engine::list_containers(ctx, client)) {
    if (compose::label_of(container.labels, compose::project_label) == project) continue;
    for (const engine::Mount& mount : container.mounts) {
      if (mount.type == "volume") users[mount.name] = container.name;
    }
  }
  return users;
}

}  // namespace drover::stack
