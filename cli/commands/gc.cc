#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"

#include "base/file.h"
#include "base/text.h"
#include "stack/project_words.h"
#include "stack/prune.h"
#include "stack/volume_helper.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

using stack::PruneKind;

constexpr std::uint64_t plan_bytes_max = 64U << 20U;  // as much as an engine's answer may have

stack::PrunePolicy choose_policy(const Session& session, std::set<PruneKind> kinds) {
  const Flags& flags = session.flags();
  if (flags.named && flags.project.empty()) throw Error(ErrorCode::usage, "--named takes the named volumes of one project: add --project NAME");
  if (!flags.named && !flags.project.empty()) throw Error(ErrorCode::usage, "--project alone removes nothing: add --named for the named volumes of " + printable(flags.project));
  stack::PrunePolicy policy{.kinds = std::move(kinds)};
  policy.keep = session.settings().keep.value_or(policy.keep);
  policy.min_age = session.settings().min_age.value_or(policy.min_age);
  policy.free_bytes = session.settings().free;
  policy.volumes = {flags.volumes.begin(), flags.volumes.end()};
  policy.named_of = flags.project;
  policy.force = flags.force;
  return policy;
}

std::optional<stack::PrunePlan> read_printed_plan(const Session& session, const std::set<PruneKind>& kinds) {
  if (session.flags().plan.empty()) return std::nullopt;
  stack::PrunePlan plan = parse_prune_plan(read_file(session.settings().compose.working_directory / session.flags().plan, plan_bytes_max));
  for (const PruneKind kind : plan.policy.kinds) {
    if (!kinds.contains(kind)) throw Error(ErrorCode::usage, "the plan is for more than that; use drover gc all --plan " + printable(session.flags().plan));
  }
  plan.policy.names_may_be_gone = true;
  return plan;
}

// Compose files that were given protect what they name.
std::vector<stack::ProjectWords> given_projects(Session& session) {
  if (session.flags().files.empty()) return {};
  return {stack::words_of(session.project())};
}

void require_engine(Session& session) {
  try {
    session.engine().api_version(session.ctx());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::usage) throw;
    throw Error(ErrorCode::refused, std::string("nothing was removed, the engine cannot be used: ") + error.what());
  }
}

std::optional<std::filesystem::path> archive_folder(const Session& session, const stack::StateFolder& state) {
  if (session.flags().no_archive) return std::nullopt;
  if (session.flags().archive.empty()) return state.archive_folder();
  return session.settings().compose.working_directory / session.flags().archive;
}

// IDs: of what would go, or of what went.
std::string quiet_text(const stack::PrunePlan& plan, const std::optional<stack::PruneReport>& report) {
  std::string text;
  if (!report) {
    for (const stack::PruneItem& item : plan.remove) text += printable(item.id) + "\n";
    return text;
  }
  for (const stack::PruneOutcome& outcome : report->outcomes) {
    if (outcome.state == stack::PruneOutcome::State::removed) text += printable(outcome.item.id) + "\n";
  }
  return text;
}

std::vector<Error> failures_of(const stack::PrunePlan& plan, const std::optional<stack::PruneReport>& report) {
  std::vector<Error> failures;
  if (report) {
    for (const stack::PruneOutcome& outcome : report->outcomes) {
      if (outcome.state == stack::PruneOutcome::State::failed) failures.emplace_back(ErrorCode::failed, outcome.why);
    }
    if (report->stopped) failures.push_back(*report->stopped);
  }
  if (!plan.refused.empty()) {
    const stack::PruneItem& first = plan.refused.front();
    failures.emplace_back(ErrorCode::data_safety, "refused: volume " + first.id + ": " + first.reason +
                                                      (plan.refused.size() == 1 ? "" : "; and " + std::to_string(plan.refused.size() - 1) + " more"));
  }
  return failures;
}

ExitCode run_gc(Session& session, const std::set<PruneKind>& kinds) {
  const std::optional<stack::PrunePlan> printed = read_printed_plan(session, kinds);
  const stack::PrunePolicy policy = printed ? printed->policy : choose_policy(session, kinds);
  const bool applies = (session.flags().apply || printed) && !session.settings().dry_run;
  const stack::StateFolder state = session.state();
  require_engine(session);
  std::optional<FileLock> lock;  // from before the plan is made: nobody brings in, or pins, what is just being judged
  if (applies) {
    lock = state.lock_for_removal();
    stack::remove_stale_helpers(session.ctx(), session.engine(), state);
  }
  stack::PrunePlan plan = stack::read_prune_plan(session.ctx(), session.engine(), state, policy, given_projects(session), session.settings().jobs);
  if (printed) plan = stack::restrict_to(plan, *printed);

  std::optional<stack::PruneReport> report;
  const bool is_quiet = session.settings().quiet;
  if (!is_quiet) session.output().write_text(to_text(plan));
  if (applies) {
    report = stack::apply_prune(session.ctx(), session.engine(), state, plan, {.archive_folder = archive_folder(session, state)});
    if (!is_quiet) session.output().write_text(prune_report_text(*report));
  } else if (!plan.remove.empty() && !is_quiet) {
    session.output().write_text("nothing was removed; add --apply to do it\n");
  }
  if (is_quiet) session.output().write_text(quiet_text(plan, report));
  session.output().set_document(prune_json(plan, report));
  return session.finish(failures_of(plan, report));
}

ExitCode run_restore(Session& session) {
  if (session.flags().references.size() != 1) throw Error(ErrorCode::usage, "name one archive: drover gc restore FILE");
  if (session.settings().dry_run) throw Error(ErrorCode::usage, "there is no plan of a restore to print; leave out --dry-run");
  if (session.flags().volumes.size() > 1) throw Error(ErrorCode::usage, "one archive is one volume: give --volume once");
  const std::filesystem::path file = session.settings().compose.working_directory / session.flags().references.front();
  const std::string name = session.flags().volumes.empty() ? std::string() : session.flags().volumes.front();
  const stack::StateFolder state = session.state();
  require_engine(session);
  const FileLock lock = state.lock_for_removal();
  stack::remove_stale_helpers(session.ctx(), session.engine(), state);
  const stack::RestoredVolume restored = stack::restore_volume(session.ctx(), session.engine(), state, file, name);
  session.output().set_document({{"volume", restored.volume}, {"entries", restored.archive.entries}, {"tree", restored.archive.tree->to_string()}});
  session.output().write_text(session.settings().quiet ? restored.volume + "\n"
                                                       : "restored volume " + restored.volume + ": " + std::to_string(restored.archive.entries) +
                                                             (restored.archive.entries == 1 ? " entry, as it was archived\n" : " entries, as they were archived\n"));
  return ExitCode::done;
}

ExitCode run_forget(Session& session) {
  if (session.flags().references.size() != 1) throw Error(ErrorCode::usage, "name one project: drover gc forget PROJECT");
  if (session.settings().dry_run) throw Error(ErrorCode::usage, "there is no plan of forgetting to print; leave out --dry-run");
  const std::string project = session.flags().references.front();
  const stack::StateFolder state = session.state();
  require_engine(session);
  const auto scope = session.flags().force ? stack::Forget::everywhere : stack::Forget::here;
  const std::set<std::string> elsewhere = stack::forget_project(session.ctx(), session.engine(), state, project, scope);
  session.output().set_document({{"project", project}, {"forgotten", elsewhere.empty()}, {"engines", elsewhere}});
  session.output().write_text("forgot project " + printable(project) + (elsewhere.empty() ? "\n" : " on this engine; it was seen on others as well:\n"));
  for (const std::string& engine : elsewhere) session.output().write_text("  drover -H " + engine + " gc forget " + printable(project) + "\n");
  return ExitCode::done;
}

const std::vector<OptionRow> common_options = {
    {"--apply", &Flags::apply, "remove what the plan says"},
    {"--plan", &Flags::plan, "remove exactly what this plan (--json) says, or refuse when it is no longer true", "FILE"},
    {"--min-age", &Flags::min_age, "keep what is younger: 30m, 24h, 7d (default 24h)", "AGE"},
    {"--free", &Flags::free, "remove no more than frees so much, oldest unused first: 5G", "SIZE"}};

const std::vector<OptionRow> image_options = {{"--keep", &Flags::keep, "digests of each repository in use to keep (default 2)", "N"}};

const std::vector<OptionRow> volume_options = {
    {"--volume", &Flags::volumes, "a named volume that may go, repeatable", "NAME"},
    {"--named", &Flags::named, "the named volumes of the project that --project names"},
    {"--project", &Flags::project, "whose named volumes may go", "NAME"},
    {"--force", &Flags::force, "what is named may go although a project owns it, or one is down"},
    {"--archive", &Flags::archive, "where named volumes are saved before they go (default: archive in the state folder)", "DIR"},
    {"--no-archive", &Flags::no_archive, "remove named volumes without saving them"}};

Command gc_command(std::string_view path, std::string_view summary, std::string_view details, std::string_view example,
                   const std::vector<std::vector<OptionRow>>& options, ExitCode (*run)(Session&)) {
  Command command{.path = path, .group = "Caring commands", .summary = summary, .details = details, .example = example, .positionals = {}, .options = {}, .run = run};
  for (const std::vector<OptionRow>& rows : options) command.options.insert(command.options.end(), rows.begin(), rows.end());
  return command;
}

}  // namespace

std::vector<Command> gc_commands() {
  std::vector<Command> commands{
      gc_command("gc images", "images that nobody uses",
                 "Kept: what a container in any state uses, what a known compose project names, the last --keep of each repository in use,\n"
                 "what is pinned, prefetched and not applied yet, or young.",
                 "  drover gc images --keep 2 --apply", {common_options, image_options}, [](Session& s) { return run_gc(s, {PruneKind::image}); }),
      gc_command("gc volumes", "anonymous volumes that nobody uses or owns",
                 "A volume that a compose project owns, or ever owned, goes only by name and with --force; nothing goes while a known project\n"
                 "is down.",
                 "  drover gc volumes --apply\n  drover gc volumes --volume old_data --apply", {common_options, volume_options},
                 [](Session& s) { return run_gc(s, {PruneKind::volume}); }),
      gc_command("gc networks", "networks without a container or project", "", "  drover gc networks --apply", {common_options},
                 [](Session& s) { return run_gc(s, {PruneKind::network}); }),
      gc_command("gc containers", "stopped containers of no project", "Their anonymous volumes stay, and are judged by drover gc volumes.",
                 "  drover gc containers --min-age 7d --apply", {common_options}, [](Session& s) { return run_gc(s, {PruneKind::container}); }),
      gc_command("gc buildcache", "the builder's cache", "", "  drover gc buildcache --free 10G --apply", {common_options},
                 [](Session& s) { return run_gc(s, {PruneKind::build_cache}); }),
      gc_command("gc all", "all of these", "", "  drover gc all --json > plan.json && drover gc all --plan plan.json",
                 {common_options, image_options, volume_options},
                 [](Session& s) {
                   return run_gc(s, {PruneKind::container, PruneKind::image, PruneKind::network, PruneKind::volume, PruneKind::build_cache});
                 }),
      gc_command("gc restore", "bring an archived volume back", "Its owner, mode, extended attributes and content are compared with the archive's.",
                 "  drover gc restore /var/lib/drover/state/archive/mail_data-20260131T030000Z.tar.zst",
                 {{{"--volume", &Flags::volumes, "another name than its old one", "NAME"}}}, run_restore),
      gc_command("gc forget", "forget a project that is gone for good", "Refused while the engine has anything of it: volumes, containers, networks. What was seen of it on other engines is\n"
                 "forgotten there.",
                 "  drover gc forget oldproject", {{{"--force", &Flags::force, "also for engines on which it was seen and that are gone"}}}, run_forget)};
  commands[6].positionals = {{"FILE", &Flags::references, "an archive that drover gc made"}};
  commands[7].positionals = {{"PROJECT", &Flags::references, "a compose project's name"}};
  return commands;
}

}  // namespace drover::cli
