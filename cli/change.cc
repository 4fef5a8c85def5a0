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

stack::RunListener ChangeView::listener() {
  using compose::Step;
  using compose::StepOutcome;
  return {.on_plan = [this](const compose::Plan& plan) { show_plan(plan); },
          .on_begin = [this](const Step& step) { begin(there_, step); },
          .on_step = [this](const Step& step, const StepOutcome& outcome) { end(there_, "apply", step, outcome); },
          .on_way_back = [this](const Error& failure) { show_way_back(failure); },
          .on_plan_back = [this](const compose::Plan& plan) { back_.emplace(plan, StepStates::Way::back); },
          .on_begin_back = [this](const Step& step) { begin(back_, step); },
          .on_step_back = [this](const Step& step, const StepOutcome& outcome) { end(back_, "rollback", step, outcome); }};
}

void ChangeView::show_plan(const compose::Plan& plan) {
  const Settings& settings = session_.settings();
  const PlanText text = settings.dry_run || settings.verbose ? PlanText::steps : PlanText::services;
  if (!session_.output().is_json() && !settings.quiet) session_.write_now(change_plan_text(plan, text));
  there_.emplace(plan, StepStates::Way::there);
  if (settings.dry_run) return;
  for (Task& task : there_->all()) session_.display().show(std::move(task));
}

// The failure has been shown where it happened, and ends the run; whoever reads events gets it whole.
void ChangeView::show_way_back(const Error& failure) {
  const bool is_json = session_.settings().progress == ProgressMode::json;
  const std::string why =
      is_json || failure.code() == ErrorCode::interrupted ? std::string(": ") + failure.what() : std::string();
  tell("rollback", "", "", "going back" + why);
}

void ChangeView::begin(std::optional<StepStates>& states, const compose::Step& step) {
  if (states) session_.display().show(states->begin(step));
}

void ChangeView::end(std::optional<StepStates>& states,
                     std::string_view phase,
                     const compose::Step& step,
                     const compose::StepOutcome& outcome) {
  const Settings& settings = session_.settings();
  if (settings.verbose || settings.progress == ProgressMode::json) {
    const std::string text = (&states == &back_ ? "back " : "") + step_text(step, outcome);
    tell(phase, "#" + std::to_string(step.id), step.resource, text);
  }
  if (states) session_.display().show(states->end(step, outcome));
}

void ChangeView::tell(std::string_view phase, std::string_view id, std::string_view label, std::string_view text) {
  session_.ctx().progress->on(
      {.kind = ProgressEvent::Kind::message, .phase = phase, .id = id, .label = label, .done = 0, .total = 0, .text = text});
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
  ChangeView view(session);
  const stack::ChangeReport report =
      stack::change_project(session.ctx(), session.engine(), state ? &*state : nullptr, request, view.listener());
  session.output().set_document(change_json(report.plan, report.applied));
  if (session.settings().quiet) session.output().write_text(names_text(report.plan, report.applied, Gone::named));
  if (!report.applied) return ExitCode::done;
  if (!session.settings().quiet) session.output().write_text(services_text(report.plan, *report.applied));
  std::vector<Error> failures;
  if (report.applied->failure) failures.push_back(*report.applied->failure);
  return session.finish(failures);
}

}  // namespace drover::cli
