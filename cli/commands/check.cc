#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"

#include "stack/check.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace drover::cli {
namespace {

// --platform names the one platform to look at; a service's own stays.
void apply_platform(const Settings& settings, std::vector<stack::WantedImage>& wanted) {
  if (!settings.platforms) return;
  if (settings.platforms->all || settings.platforms->wanted.size() > 1) {
    throw Error(ErrorCode::usage, "check compares one platform; give --platform once, and not all");
  }
  for (stack::WantedImage& image : wanted) {
    if (!image.platform) image.platform = settings.platforms->wanted.front();
  }
}

std::vector<Error> failures_of(const std::vector<stack::CheckedImage>& images) {
  std::vector<Error> failures;
  for (const stack::CheckedImage& image : images) {
    if (image.error) failures.push_back(*image.error);
    if (image.state == stack::UpdateState::no_platform) {
      failures.emplace_back(ErrorCode::platform_missing,
                            "no manifest of " + image.wanted.reference.familiar() + " for " + image.platform.to_string() + " at the registry");
    }
  }
  return failures;
}

bool has_update(const stack::CheckedImage& image) {
  return image.state == stack::UpdateState::update || image.state == stack::UpdateState::missing;
}

std::string quiet_text(const std::vector<stack::CheckedImage>& images) {
  std::string text;
  for (const stack::CheckedImage& image : images) {
    if (has_update(image)) text += image.wanted.reference.familiar() + "\n";
  }
  return text;
}

ExitCode run_check(Session& session) {
  std::vector<stack::WantedImage> wanted = session.wanted_images();
  apply_platform(session.settings(), wanted);
  const bool is_against_store = session.flags().against == "store";
  const std::string project_name = session.flags().references.empty() ? session.project_of_images().name : std::string();
  const auto store = session.try_open_store();
  const std::vector<stack::CheckedImage> images =
      stack::check(session.ctx(), session.registry(), store ? &*store : nullptr, is_against_store ? nullptr : &session.engine(), project_name,
                   wanted, session.settings().jobs);

  if (!is_against_store) session.look();
  session.output().set_document(check_json(images));
  session.output().write_text(session.settings().quiet ? quiet_text(images) : check_text(images));
  const ExitCode code = session.finish(failures_of(images));
  if (code != ExitCode::done) return code;
  return session.flags().exit_code && std::any_of(images.begin(), images.end(), has_update) ? ExitCode::updates_exist : ExitCode::done;
}

}  // namespace

Command check_command() {
  return {.path = "check",
          .group = "Reading commands",
          .summary = "are there updates for what runs?",
          .details = "Compares what the containers run, or else what the engine holds, with what the registry has now, for the images of\n"
                     "the compose project or the given ones. Nothing is pulled or written. States: current, update, missing (not in the\n"
                     "engine), no-platform, unknown. -q prints the references that have an update or are missing.",
          .example = "  drover check --exit-code || drover prefetch",
          .positionals = {{"REF", &Flags::references, "image references instead of the compose project's"}},
          .options = {{"--exit-code", &Flags::exit_code, "end with 10 when there are updates or missing images"},
                      {"--against", &Flags::against, "compare with the engine (default) or with the store's tags", "WHAT", {"engine", "store"}}},
          .run = run_check};
}

}  // namespace drover::cli
