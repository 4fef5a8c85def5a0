#include "stack/up.h"

#include "compose/rollback.h"
#include "stack/project_containers.h"
#include "stack/remedies.h"
#include "stack/run_journal.h"

#include <chrono>
#include <filesystem>
#include <utility>

namespace drover::stack {
namespace {

// What a run that was cut off left swapped has by then run for so long that going back could cost more than going on.
constexpr std::chrono::hours cut_off_run_age_max{1};
// Stands for the ID of an image that only a run that is no dry run fetches.
constexpr const char* unknown_image_id = "sha256:to-be-fetched";

class Up {
 public:
  Up(const Context& ctx,
     engine::Client& client,
     const StateFolder* state_folder,
     const UpRequest& request,
     const RunListener& listener)
      : ctx_(ctx), client_(client), state_folder_(state_folder), request_(request), listener_(listener),
        engine_(to_string(client.endpoint())) {}

  UpReport run() {
    std::optional<FileLock> lock;
    if (state_folder_ != nullptr && !request_.plans_only) lock = state_folder_->lock_for_run(request_.project.name, engine_);
    note_cut_off_run();
    plan(look());
    if (listener_.on_plan) listener_.on_plan(report_.plan);
    if (request_.plans_only) return std::move(report_);
    if (compose::is_empty(report_.plan)) {
      forget_cut_off_run();
      report_.end = UpReport::End::unchanged;
      return std::move(report_);
    }
    apply();
    return std::move(report_);
  }

 private:
  void note_cut_off_run() {
    if (state_folder_ == nullptr) return;
    const std::optional<CutOffRun> earlier = find_cut_off_run(*state_folder_, request_.project.name, engine_);
    was_cut_off_ = earlier.has_value();
    const bool is_fresh = earlier && ctx_.clock->system_now() - earlier->header.started < cut_off_run_age_max;
    continues_cut_off_run_ = is_fresh && !earlier->is_committed;
    if (earlier) report_.notes.push_back(to_text(*earlier));
  }

  void forget_cut_off_run() const {
    if (state_folder_ == nullptr || !was_cut_off_) return;
    std::error_code ignored;  // the next run says it once more
    std::filesystem::remove(state_folder_->run_journal_file(request_.project.name, engine_), ignored);
  }

  compose::ProjectState look() {
    compose::ProjectState state = compose::read_project_state(ctx_, client_, request_.project);
    const TagTimes tagged = read_tag_times(ctx_, client_, names_to_date(request_.project, request_.pull));
    const std::vector<ImageNeed> needs =
        plan_images(request_.project, state.images, tagged, request_.pull, ctx_.clock->system_now());
    if (needs.empty()) return state;
    if (request_.plans_only) {
      if (request_.ask) request_.ask(needs);
      for (const ImageNeed& need : needs) report_.notes.push_back(to_text(need));
      pretend_images(state);
      return state;
    }
    request_.fetch(needs);
    return compose::read_project_state(ctx_, client_, request_.project);
  }

  void pretend_images(compose::ProjectState& state) const {
    for (const compose::Service& service : request_.project.services) {
      state.images.try_emplace(compose::image_of(request_.project, service), compose::ImageFacts{.id = unknown_image_id});
    }
  }

  void plan(const compose::ProjectState& state) {
    compose::UpOptions options = request_.options;
    options.continues_cut_off_run = continues_cut_off_run_;
    if (request_.checks_drift || request_.repairs.drift || request_.repairs.stale) look_for_drift(state, options);
    report_.plan = compose::reconcile(request_.project, state, options);
    report_.plan.notes.insert(report_.plan.notes.begin(), report_.notes.begin(), report_.notes.end());
  }

  void look_for_drift(const compose::ProjectState& state, compose::UpOptions& options) {
    const DriftReport drift = stack::look_for_drift(ctx_, client_, request_.project, state, options);
    const std::vector<std::string> lines = to_lines(drift);
    report_.notes.insert(report_.notes.end(), lines.begin(), lines.end());
    plan_repair(drift, request_.repairs, options);
  }

  void apply() {
    std::optional<RunJournal> journal;
    if (state_folder_ != nullptr) journal.emplace(ctx_, *state_folder_, header_of(ctx_, report_.plan, engine_));
    const ApplyOptions options{.on_begin = listener_.on_begin,
                               .on_end = listener_.on_step,
                               .journal = journal ? &*journal : nullptr};
    report_.applied = apply_plan(ctx_, client_, report_.plan, options);
    report_.end = UpReport::End::done;
    if (report_.applied->failure) {
      report_.failure = report_.applied->failure;
      end_after_failure(options);
    }
    if (journal) journal->remove();
  }

  void end_after_failure(const ApplyOptions& options) {
    report_.end = UpReport::End::failed;
    if (report_.applied->is_committed) return;  // the new ones have passed; what is left of the old ones goes with the next run
    if (!request_.rolls_back) {
      report_.remedies = remedies_of_kept(report_.plan, report_.applied->outcomes);
      return;
    }
    if (listener_.on_way_back) listener_.on_way_back(*report_.failure);
    ApplyOptions back = options;
    back.on_way_back = listener_.on_plan_back;
    back.on_begin = listener_.on_begin_back;
    back.on_end = listener_.on_step_back;
    report_.way_back = go_back(ctx_, client_, report_.plan, *report_.applied, back);
    if (report_.way_back->report.failure) {
      report_.end = UpReport::End::rollback_failed;
      report_.remedies = remedies_of_way_back(report_.way_back->plan, report_.way_back->report.outcomes, find_running());
    } else if (compose::has_touched_running(report_.plan, report_.applied->outcomes)) {
      report_.end = UpReport::End::rolled_back;
    }
  }

  // For a person who has to put things right: the more that is known the better, and an engine that is gone is no further
  // failure.
  std::vector<engine::ContainerSummary> find_running() const {
    try {
      return list_project_containers(ctx_.without_stop(), client_, {.project = request_.project.name, .with_stopped = true});
    } catch (const Error&) {
      return {};
    }
  }

  const Context& ctx_;
  engine::Client& client_;
  const StateFolder* state_folder_;
  const UpRequest& request_;
  const RunListener& listener_;
  std::string engine_;
  bool continues_cut_off_run_ = false;
  bool was_cut_off_ = false;  // an earlier run
  UpReport report_;
};

}  // namespace

std::string_view to_string(UpReport::End end) {
  switch (end) {
  case UpReport::End::planned:
    return "planned";
  case UpReport::End::unchanged:
    return "unchanged";
  case UpReport::End::done:
    return "done";
  case UpReport::End::failed:
    return "failed";
  case UpReport::End::rolled_back:
    return "rolled-back";
  case UpReport::End::rollback_failed:
    return "rollback-failed";
  }
  return {};
}

UpReport up(const Context& ctx,
            engine::Client& client,
            const StateFolder* state_folder,
            const UpRequest& request,
            const RunListener& listener) {
  return Up(ctx, client, state_folder, request, listener).run();
}

}  // namespace drover::stack
