#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"

#include "store/gc.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace drover::cli {
namespace {

store::GcPolicy choose_policy(const Settings& settings) {
  store::GcPolicy policy;
  if (settings.min_age) policy.blob_grace = policy.leftover_grace = *settings.min_age;
  return policy;
}

std::string quiet_text(const store::GcPlan& plan) {
  std::string text;
  for (const store::GcItem& item : plan.remove) text += item.id + "\n";
  return text;
}

ExitCode run_store_gc(Session& session) {
  std::optional<store::BlobStore> store = session.open_store(store::BlobStore::Access::read);
  const std::filesystem::path root = store->root();
  const store::GcPlan plan = store::plan_gc(session.ctx(), *store, choose_policy(session.settings()));
  store.reset();  // its shared lock would keep the removal out

  session.output().write_text(session.settings().quiet ? quiet_text(plan) : store::to_text(plan));
  std::optional<store::GcReport> report;
  if (session.flags().apply && !session.settings().dry_run) {
    report = store::apply_gc(session.ctx(), root, plan);
    if (!session.settings().quiet) session.output().write_text(gc_report_text(*report));
  } else if (!plan.remove.empty() && !session.settings().quiet) {
    session.output().write_text("nothing was removed; add --apply to do it\n");
  }
  session.output().set_document(gc_json(plan, report));
  return ExitCode::done;
}

}  // namespace

Command store_gc_command() {
  return {.path = "store gc",
          .group = "Caring commands",
          .summary = "find blobs of the store that no tag needs, remove them with --apply",
          .details = "Prints the plan. Young blobs and leftovers of cut pulls are kept (1 hour and 24 hours), so that a pull can go on.",
          .example = "  drover store gc --apply",
          .positionals = {},
          .options = {{"--apply", &Flags::apply, "remove what the plan says"},
                      {"--min-age", &Flags::min_age, "keep what is younger: 30m, 24h, 7d (default 1h for blobs, 24h for leftovers)", "AGE"}},
          .run = run_store_gc};
}

}  // namespace drover::cli
