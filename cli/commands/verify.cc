#include "cli/command.h"
#include "cli/render.h"
#include "cli/repair.h"
#include "cli/session.h"

#include "store/verify.h"
#include "store/verify_layers.h"

#include <nlohmann/json.hpp>

#include <sched.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace drover::cli {
namespace {

// A repaired index shows what its manifests miss, a repaired manifest what its layers miss: index, manifest, layers, what no tag needs, and
// one to see that all is well.
constexpr int rounds_max = 5;
// Somebody is waiting: a registry that is down has some three seconds to come back.
constexpr RetryPolicy patience{.attempts_max = 5};

// CPUs that this process may run on: fewer than the machine has under taskset(1) or in a container.
std::size_t count_cpus() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) == 0) return static_cast<std::size_t>(CPU_COUNT(&cpus));
  return std::max(1U, std::thread::hardware_concurrency());
}

store::VerifyReport verify(Session& session, const store::BlobStore& store) {
  return store::verify(session.ctx(), store, {.jobs = count_cpus()});
}

std::string remedy(const store::VerifyReport& report, bool has_tried) {
  std::string text;
  if (!report.damaged.empty() || !report.missing.empty()) {
    text += has_tried ? "; not all could be repaired" : "; run drover verify --repair";
  }
  if (!report.unusable.empty()) text += "; no repair helps an unusable tag: drover store rm removes it";
  return text;
}

Error damage_error(const store::VerifyReport& report, bool has_tried) {
  return Error(ErrorCode::failed, "the store is damaged: " + std::to_string(report.damaged.size()) + " blobs damaged, " +
                                      std::to_string(report.missing.size()) + " missing, " + std::to_string(report.unusable.size()) +
                                      " tags unusable" + remedy(report, has_tried));
}

ExitCode run_verify(Session& session) {
  const bool is_repair = session.flags().repair && !session.settings().dry_run;
  store::BlobStore store = session.open_store(is_repair ? store::BlobStore::Access::write : store::BlobStore::Access::read);
  store::VerifyReport found = verify(session, store);
  store::VerifyReport left = found;
  std::vector<Error> failures;
  std::vector<Digest> removed;
  if (is_repair) {
    const registry::PullOptions options = session.pull_options({.all = false, .wanted = {Platform::host()}});
    for (int round = 1; round < rounds_max && failures.empty() && !(left.damaged.empty() && left.missing.empty()); ++round) {
      const RepairRound done = repair(session.ctx(), session.registry(patience), store, left, options);
      failures = done.failures;
      removed.insert(removed.end(), done.removed.begin(), done.removed.end());
      left = verify(session, store);
    }
  }
  if (session.flags().deep) {
    const std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
    const std::vector<store::TagFault> faults = store::verify_layers(session.ctx(), store, jobs);
    for (store::VerifyReport* const report : {&found, &left}) report->unusable.insert(report->unusable.end(), faults.begin(), faults.end());
  }
  if (!left.is_sound()) failures.push_back(damage_error(left, is_repair));

  session.output().set_document(verify_json(found, left, removed));
  session.output().write_text(session.settings().quiet ? faults_text(left) : store::to_text(found) + repaired_text(found, left, removed));
  return session.finish(failures);
}

}  // namespace

Command verify_command() {
  return {.path = "verify",
          .group = "Caring commands",
          .summary = "hash the whole store again, list damage, repair it",
          .details = "Ends with 1 when something is damaged. --repair fetches what is damaged or missing from the registries that the tags name,\n"
                     "in the versions that the store has; a damaged blob stays until its like is there. -q prints what is (still) wrong.",
          .example = "  drover verify --repair",
          .positionals = {},
          .options = {{"--repair", &Flags::repair, "fetch again what is damaged or missing"},
                      {"--deep", &Flags::deep, "inflate every layer too: does it unpack to what its image says?"}},
          .run = run_verify};
}

}  // namespace drover::cli
