#include "cli/change.h"

#include "cli/render_plan.h"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace drover::cli {

std::set<std::string> asked_services(const Session& session) {
  return {session.flags().services.begin(), session.flags().services.end()};
}

std::optional<stack::StateFolder> find_state(Session& session) {
  if (!session.settings().state.empty()) return session.state();
  session.ctx().warn("two runs at once will not know of each other: neither --state-dir nor DROVER_STATE nor HOME is set");
  return std::nullopt;
}

stack::RunListener listener_of(Session& session) {
  stack::RunListener listener;
  listener.on_plan = [&session](const compose::Plan& plan) {
    if (!session.output().is_json() && !session.settings().quiet) session.output().write_now(change_plan_text(plan));
  };
  const auto tell = [&session](const std::string& phase, const std::string& id, const std::string& label, const std::string& text) {
    session.ctx().progress->on(
        {.kind = ProgressEvent::Kind::message, .phase = phase, .id = id, .label = label, .done = 0, .total = 0, .text = text});
  };
  listener.on_step = [tell](const compose::Step& step, const compose::StepOutcome& outcome) {
    tell("apply", "#" + std::to_string(step.id), step.resource, step_text(step, outcome));
  };
  listener.on_way_back = [tell](const Error& failure) { tell("rollback", "", "", std::string("going back: ") + failure.what()); };
  listener.on_step_back = [tell](const compose::Step& step, const compose::StepOutcome& outcome) {
    tell("rollback", "#" + std::to_string(step.id), step.resource, "back " + step_text(step, outcome));
  };
  return listener;
}

ExitCode run_change(Session& session,
                    const std::function<compose::Plan(const compose::Project&, const compose::ProjectState&)>& plan,
                    bool takes_networks) {
  const Session::KnownProject project = session.known_project();
  const std::optional<stack::StateFolder> state = find_state(session);
  const stack::ChangeRequest request{.project = project.name,
                                     .files = project.files,
                                     .plan = plan,
                                     .takes_networks = takes_networks,
                                     .plans_only = session.settings().dry_run};
  const stack::ChangeReport report =
      stack::change_project(session.ctx(), session.engine(), state ? &*state : nullptr, request, listener_of(session));
  session.output().set_document(change_json(report.plan, report.applied));
  if (!report.applied) return ExitCode::done;
  if (!session.settings().quiet) session.output().write_text(services_text(report.plan, *report.applied));
  std::vector<Error> failures;
  if (report.applied->failure) failures.push_back(*report.applied->failure);
  return session.finish(failures);
}

}  // namespace drover::cli
