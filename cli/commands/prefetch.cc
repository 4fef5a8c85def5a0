#include "cli/command.h"
#include "cli/finish_plan.h"
#include "cli/pacing.h"
#include "cli/render.h"
#include "cli/scratch_store.h"
#include "cli/service_hint.h"
#include "cli/session.h"

#include "base/text.h"
#include "stack/forecast.h"
#include "stack/prefetch.h"

#include <nlohmann/json.hpp>

#include <future>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

std::vector<Error> failures_of(Session& session, const stack::PrefetchReport& report) {
  std::vector<Error> failures;
  for (const stack::PrefetchedImage& image : report.images) {
    if (image.error) failures.push_back(with_service_hint(session, image.wanted.reference, *image.error));
  }
  return failures;
}

std::string quiet_text(const stack::PrefetchReport& report) {
  std::string text;
  for (const stack::PrefetchedImage& image : report.images) {
    if (image.state == stack::PrefetchedImage::State::failed) continue;
    text += (image.image_id.empty() ? image.wanted.reference.to_string() : image.image_id) + "\n";
  }
  return text;
}

std::string closing_text(const stack::PrefetchReport& report) {
  std::size_t ready = 0;
  for (const stack::PrefetchedImage& image : report.images) ready += image.state == stack::PrefetchedImage::State::failed ? 0 : 1;
  if (ready == report.images.size()) return "ready: all " + std::to_string(ready) + " images\n";
  return "ready: " + std::to_string(ready) + " of " + std::to_string(report.images.size()) + " images\n";
}

ExitCode plan(Session& session, engine::Client* engine, const std::vector<stack::WantedImage>& wanted, const registry::PullOptions& options) {
  const ScratchStore scratch(session);
  const stack::Forecast forecast =
      stack::plan_prefetch(session.ctx(), session.registry(), scratch.store(), session.settings().store, engine, wanted, options);
  Json images = Json::array();
  for (const stack::WantedImage& image : wanted) images.push_back({{"reference", image.reference.to_string()}, {"services", image.services}});
  return finish_plan(session, forecast, {{"images", images}});
}

// So that drover gc keeps what an update will need; once a container uses it, it is no longer remembered.
void note(Session& session, const stack::PrefetchReport& report) {
  const std::string project = session.flags().references.empty() ? session.project().name : std::string();
  std::vector<stack::Ledger::Prefetched> records;
  for (const stack::PrefetchedImage& image : report.images) {
    if (image.image_id.empty() || image.state == stack::PrefetchedImage::State::failed) continue;
    records.push_back({.image_id = image.image_id, .reference = image.wanted.reference.familiar(), .project = project, .time = session.ctx().clock->system_now()});
  }
  session.note_prefetched(records);
}

ExitCode run_prefetch(Session& session) {
  const std::vector<stack::WantedImage> wanted = session.wanted_images();
  engine::Client* engine = session.flags().no_load ? nullptr : &session.engine();
  stack::PrefetchOptions options{.pull = session.pull_options({}),
                                 .load = {.settle = session.settings().settle, .registry_auth = {}},
                                 .keep_going = !session.flags().fail_fast};
  if (session.settings().dry_run) return plan(session, engine, wanted, options.pull);

  const std::optional<FileLock> lock = engine == nullptr ? std::nullopt : session.lock_for_loading();
  Pacing pacing(session);
  pacing.apply(options.pull);
  options.on_forecast = [&](const stack::Forecast& forecast) {
    stack::require_space(forecast, session.settings().min_free);
    if (const auto warning = stack::space_warning(forecast)) session.ctx().warn(*warning);
    pacing.expect(forecast);
  };
  store::BlobStore store = session.open_store(store::BlobStore::Access::write);
  // Before anything is loaded: an image that loses its tag now is remembered under it.
  std::future<void> looking = engine == nullptr ? std::future<void>() : session.begin_look();
  const stack::PrefetchReport report = stack::prefetch(pacing.ctx(), session.registry(), store, engine, wanted, options);
  session.end_look(std::move(looking));
  if (engine != nullptr) note(session, report);
  session.output().set_document(prefetch_json(report));
  session.output().write_text(session.settings().quiet ? quiet_text(report) : prefetch_text(report) + closing_text(report));
  return session.finish(failures_of(session, report));
}

}  // namespace

Command prefetch_command() {
  return {.path = "prefetch",
          .group = "Moving commands",
          .summary = "make every image of the compose project ready in the engine",
          .details = "Registry to store to engine, for the compose project or the given images, so that the later update needs no registry.\n"
                     "Without --platform: the engine's. With several or all, all of them go to the store and the engine's goes to the engine.\n"
                     "-q prints the image IDs.",
          .example = "  drover prefetch -f compose.yml --platform linux/amd64 --platform linux/arm64",
          .positionals = {{"REF", &Flags::references, "image references instead of the compose project's"}},
          .options = with_budget_options(
              {{"--no-load", &Flags::no_load, "into the store only, no engine is needed"},
               {"--keep-going", &Flags::keep_going, "try every image, report the failures at the end (default)"},
               {"--fail-fast", &Flags::fail_fast, "stop at the first failure"},
               {"--settle", &Flags::settle,
                "after a load into a classic store, let the engine fetch the manifest so that it knows the digest (default auto)", "WHEN",
                {"auto", "never"}}}),
          .run = run_prefetch};
}

}  // namespace drover::cli
