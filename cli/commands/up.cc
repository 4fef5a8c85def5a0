#include "stack/up.h"

#include "cli/change.h"
#include "cli/command.h"
#include "cli/render_plan.h"
#include "cli/scratch_store.h"
#include "cli/session.h"
#include "cli/up_options.h"
#include "engine/inventory.h"
#include "stack/up_images.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

using End = stack::UpReport::End;

// Into the engine, by the store, and noted so that drover gc keeps them until a container uses them.
void fetch(Session& session, const compose::Project& project, const std::vector<stack::ImageNeed>& needs) {
  const std::optional<FileLock> lock = session.lock_for_loading();
  Context ctx = session.ctx();
  if (session.flags().quiet_pull) ctx.progress = &Progress::none();
  store::BlobStore store = session.open_store(store::BlobStore::Access::write);
  const stack::PrefetchOptions options{
      .pull = session.pull_options({}), .load = {.settle = session.settings().settle, .registry_auth = {}}, .keep_going = false};
  const std::vector<stack::PrefetchedImage> images =
      stack::fetch_images(ctx, session.registry(), store, session.engine(), needs, options);
  std::vector<stack::Ledger::Prefetched> records;
  for (const stack::PrefetchedImage& image : images) {
    records.push_back({.image_id = image.image_id,
                       .reference = image.wanted.reference.familiar(),
                       .project = project.name,
                       .time = session.ctx().clock->system_now()});
  }
  session.note_prefetched(records);
}

// What a dry run does in its place.
void ask_registries(Session& session, const std::vector<stack::ImageNeed>& needs) {
  const ScratchStore scratch(session);
  const Platform platform = engine::find_platform(session.ctx(), session.engine());
  stack::ask_for_images(session.ctx(), session.registry(), scratch.store(), platform, needs, session.pull_options({}));
}

bool has_replaced(const compose::Plan& plan) {
  return std::any_of(plan.services.begin(), plan.services.end(), [](const compose::ServiceChange& change) { return change.action == "recreate"; });
}

// What a run that did not go as it should have ends with.
Error ending_error(const stack::UpReport& report) {
  Error error = *report.failure;
  const std::string what = error.what();
  switch (report.end) {
  case End::rolled_back:
    return Error(error.code(), what + (has_replaced(report.plan) ? "; rolled back: what was replaced runs as before"
                                                                 : "; rolled back: the new containers were removed (--no-rollback keeps them)"));
  case End::rollback_failed:
    return Error(error.code(), what + "; the way back failed too: " + report.way_back->report.failure->what());
  case End::failed:
    break;
  default:
    return error;
  }
  if (report.applied->is_committed)
    return Error(error.code(), what + "; the new containers run, the next drover up removes what is left");
  if (report.way_back) return Error(error.code(), what + "; nothing that ran was touched");
  return Error(error.code(), what + "; the new containers are kept (--no-rollback)");
}

ExitCode ending_code(const stack::UpReport& report, const Error& error) {
  if (report.end == End::rollback_failed) return ExitCode::rollback_failed;
  if (error.code() == ErrorCode::interrupted) return ExitCode::interrupted;
  return report.end == End::rolled_back ? ExitCode::rolled_back : exit_code(error);
}

ExitCode finish(Session& session, const stack::UpReport& report) {
  Json document = up_json(report);
  if (session.settings().quiet) {
    // Of what went back nothing is another than before.
    if (!report.way_back) session.output().write_text(names_text(report.plan, report.applied, Gone::left_out));
  } else if (report.applied) {
    session.output().write_text(services_text(report.plan, *report.applied, report.way_back ? &*report.way_back : nullptr));
  }
  session.output().set_document(document);
  if (!report.failure) return ExitCode::done;
  const Error error = ending_error(report);
  document["error"] = error_json(error);
  session.output().set_document(document);
  session.report(error);
  for (const std::string& remedy : report.remedies) session.report(Error(error.code(), remedy));
  return ending_code(report, error);
}

// Drover gc learns what the project owns, and that what was prefetched is in use: beside the run's own look at the engine, which is all that
// most runs do, and once more when something was changed.
stack::UpReport up_and_look(Session& session, const stack::UpRequest& request, const stack::StateFolder* state) {
  std::future<void> looking;
  if (!request.plans_only) looking = session.begin_look();
  ChangeView view(session);
  stack::UpReport report = stack::up(session.ctx(), session.engine(), state, request, view.listener());
  session.end_look(std::move(looking));
  if (report.applied && !session.ctx().stop.stop_requested()) session.look();
  return report;
}

ExitCode run_up(Session& session) {
  check_up_flags(session.flags());
  compose::require_supported(session.project());
  const compose::Project project = project_of_up(session.project(), session.flags());
  const std::optional<stack::StateFolder> state = find_state(session);
  stack::UpRequest request{.project = project,
                           .options = up_options(session, project),
                           .fetch = [&](const auto& needs) { fetch(session, project, needs); },
                           .ask = [&](const auto& needs) { ask_registries(session, needs); },
                           .checks_drift = session.flags().check_drift,
                           .repairs = {.drift = session.flags().fix_drift, .stale = session.flags().restart_stale},
                           .rolls_back = !session.flags().no_rollback,
                           .plans_only = session.settings().dry_run};
  if (!session.flags().pull.empty()) request.pull = stack::PullPolicy::parse(session.flags().pull);
  const stack::UpReport report = up_and_look(session, request, state ? &*state : nullptr);
  return finish(session, report);
}

}  // namespace

Command up_command() {
  return {
      .path = "up",
      .group = "Stack commands",
      .summary = "make the running containers what the compose files say",
      .details =
          "Everything is fetched and created before anything stops; then each service is swapped as soon as what it depends on "
          "allows:\n"
          "the old container is stopped and kept until the new one has passed its gate: it runs, or is healthy where it has a "
          "health\n"
          "check, within --timeout. When one fails, it and what was swapped with it go back to the old containers (exit code 11; "
          "12 when\n"
          "that fails too). Ctrl-C goes back as well, a second one ends at once. The plan is printed first: what is done to each "
          "service\n"
          "and why; --dry-run prints every step, asks registries whether they have the images that would be fetched, and changes "
          "nothing.\n"
          "What docker compose made is taken over, and the other way round.",
      .example = "  drover up --remove-orphans --dry-run\n  drover up --timeout 120 web",
      .positionals = {{"SERVICE", &Flags::services, "only these services, and what they depend on"}},
      .options = {{"--remove-orphans",
                   &Flags::remove_orphans,
                   "remove containers of services that the files know no more [COMPOSE_REMOVE_ORPHANS]"},
                  {"--timeout,--wait-timeout",
                   &Flags::gate_timeout,
                   "within which a new container has to pass its gate (default 300)",
                   "SECONDS"},
                  {"-t,--stop-timeout",
                   &Flags::stop_timeout,
                   "then a container that does not stop is killed (default: its own)",
                   "SECONDS"},
                  {"--wait", &Flags::wait, "until all containers run or are healthy, also those that are left alone"},
                  {"--rollback", &Flags::rollback, "go back to the old containers when a new one fails (default)"},
                  {"--no-rollback", &Flags::no_rollback, "keep the new containers when one fails, and the old ones beside them"},
                  {"--force-recreate", &Flags::force_recreate, "replace containers that are as the files say as well"},
                  {"--no-recreate", &Flags::no_recreate, "leave containers that are there as they are"},
                  {"--no-deps", &Flags::no_deps, "not what the named services depend on"},
                  {"--always-recreate-deps", &Flags::always_recreate_deps, "replace what the named services depend on as well"},
                  {"-V,--renew-anon-volumes",
                   &Flags::renew_anonymous_volumes,
                   "new anonymous volumes instead of those of the old containers"},
                  {"--no-start", &Flags::no_start, "create what is missing and replace what changed, start nothing"},
                  {"--scale", &Flags::scales, "so many containers of a service, repeatable", "SERVICE=NUMBER"},
                  {"--pull",
                   &Flags::pull,
                   "when to ask the registry for images: always, missing, never, daily, weekly, every_12h",
                   "POLICY"},
                  {"--quiet-pull", &Flags::quiet_pull, "fetch images without a word"},
                  {"--check-drift",
                   &Flags::check_drift,
                   "tell of containers that are not what they were made as, and of files that they see no more as they are"},
                  {"--fix-drift", &Flags::fix_drift, "replace containers that are not what they were made as"},
                  {"--restart-stale",
                   &Flags::restart_stale,
                   "restart services that see old files, or replace them where only that helps"},
                  {"--compose-epoch",
                   &Flags::compose_epoch,
                   "the release of docker compose that has to agree (default: the one that made what is there)",
                   "VERSION"},
                  {"--allow-new-volumes",
                   &Flags::allow_new_volumes,
                   "begin with empty volumes although another project has full ones of the same names"},
                  {"-d,--detach", &Flags::detach, "accepted: drover up always is"},
                  {"--build", &Flags::build, "refused: drover does not build"},
                  {"--no-build", &Flags::no_build, "accepted: drover does not build"}},
      .run = run_up};
}

}  // namespace drover::cli
