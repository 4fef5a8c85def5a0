#include "cli/command.h"
#include "cli/finish_plan.h"
#include "cli/pacing.h"
#include "cli/render.h"
#include "cli/scratch_store.h"
#include "cli/service_hint.h"
#include "cli/session.h"

#include "registry/pull.h"
#include "stack/forecast.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

constexpr std::string_view remedy_without_project = "e.g. drover pull redis:7";
constexpr std::string_view remedy_with_project = "name images, or use drover prefetch for all of the compose project";

std::vector<Error> failures_of(Session& session, const registry::PullReport& report) {
  std::vector<Error> failures;
  for (const registry::PulledImage& image : report.images) {
    if (image.error) failures.push_back(with_service_hint(session, image.reference, *image.error));
  }
  return failures;
}

stack::Forecast forecast(Session& session, const registry::Resolutions& resolutions, const store::BlobStore& store) {
  registry::PullPlan plan = registry::plan_pull(resolutions, store);
  stack::DiskNeed need = stack::store_need(plan, store, session.settings().store);
  return stack::make_forecast(std::move(plan), session.registry(), resolutions.spent.requests, std::move(need), std::nullopt);
}

ExitCode plan(Session& session, const std::vector<Reference>& references, const registry::PullOptions& options) {
  const ScratchStore scratch(session);
  const registry::Resolutions resolutions = registry::resolve_all(session.ctx(), session.registry(), scratch.store(), references, options);
  for (const registry::Resolutions::One& one : resolutions.list) {
    if (one.error) throw with_service_hint(session, one.reference, *one.error);
  }
  return finish_plan(session, forecast(session, resolutions, scratch.store()), Json::object());
}

registry::PullReport pull(Session& session, store::BlobStore& store, const std::vector<Reference>& references, registry::PullOptions options) {
  Pacing pacing(session);
  pacing.apply(options);
  registry::Resolutions resolutions = registry::resolve_all(pacing.ctx(), session.registry(), store, references, options);
  const stack::Forecast expected = forecast(session, resolutions, store);
  stack::require_space(expected, session.settings().min_free);
  pacing.expect(expected);
  return registry::pull(pacing.ctx(), session.registry(), store, std::move(resolutions), options);
}

ExitCode run_pull(Session& session) {
  if (session.flags().references.empty()) {
    throw Error(ErrorCode::usage,
                "no image is named; " + std::string(session.has_project() ? remedy_with_project : remedy_without_project));
  }
  const std::vector<Reference> references = session.references();
  const registry::PullOptions options = session.pull_options({.all = false, .wanted = {Platform::host()}});
  if (session.settings().dry_run) return plan(session, references, options);

  store::BlobStore store = session.open_store(store::BlobStore::Access::write);
  const registry::PullReport report = pull(session, store, references, options);
  session.output().set_document(pull_json(report));
  if (session.settings().quiet) {
    for (const registry::PulledImage& image : report.images) {
      if (image.complete) session.output().write_text(image.reference.to_string() + "\n");
    }
  } else {
    session.output().write_text(pull_text(report));
  }
  return session.finish(failures_of(session, report));
}

}  // namespace

Command pull_command() {
  return {.path = "pull",
          .group = "Moving commands",
          .summary = "registry to store: resumable, verified, shared layers once",
          .details = "Without --platform: for this machine's. What is fetched stays when the run is interrupted; the same command continues.\n"
                     "-q prints the references that are complete.",
          .example = "  drover pull --platform linux/amd64 --platform linux/arm64 redis:7 nginx:1.27",
          .positionals = {{"REF", &Flags::references, "image references"}},
          .options = with_budget_options({}),
          .run = run_pull};
}

}  // namespace drover::cli
