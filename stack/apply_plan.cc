#include "stack/apply_plan.h"

#include "base/text.h"
#include "compose/rollback.h"
#include "engine/containers.h"
#include "engine/system.h"
#include "stack/down_time.h"
#include "stack/event_watch.h"
#include "stack/gate.h"
#include "stack/last_words.h"
#include "stack/perform_step.h"
#include "stack/step_schedule.h"
#include "stack/teller.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace drover::stack {
namespace {

using compose::Step;
using compose::StepOutcome;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using State = StepOutcome::State;

constexpr int tries_max = 5;                // of a step whose answers get lost
constexpr std::size_t warm_max = 4;         // connections that are opened before the first step: swaps take no more at once
constexpr milliseconds late_events_max{2000};

template <typename Kind>
bool is(const Step& step) {
  return std::holds_alternative<Kind>(step.action);
}

std::string seconds_text(milliseconds time) { return format_seconds(std::chrono::duration<double>(time).count()); }

// A wait that is under way.
struct Waiting {
  std::string container;
  steady_clock::time_point begun;
  steady_clock::time_point baseline;      // what happened before does not count: begun, or the last gap in the events
  std::optional<steady_clock::time_point> due;  // to be looked at; nothing: when something happens
  int deaths_before = 0;
  std::optional<std::int64_t> restarts_before = {};
};

struct Verdict {
  State state = State::not_run;
  std::optional<Error> failure = {};
};

class Run {
 public:
  Run(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyOptions& options)
      : ctx_(ctx),
        client_(client),
        plan_(plan),
        options_(options),
        schedule_(plan, options.keeps_going ? StepSchedule::OnFailure::go_on : StepSchedule::OnFailure::halt),
        outages_(ctx, client, options.outage, [this] { assert_what_was_done(); }),
        events_(without_stop(), client, [this](const std::string& container, const std::string& action) { hear(container, action); }),
        on_stop_(ctx.stop, [this] { halt(); }) {
    report_.outcomes.resize(plan.steps.size());
    for (const Step& step : plan.steps) {
      outcome(step.id).id = step.id;
      if (step.is_done && !step.done_id.empty()) created_[step.id] = step.done_id;
    }
  }

  ApplyReport walk() {
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([this] { judge_waits(); });
      const auto calls = static_cast<std::size_t>(std::count_if(plan_.steps.begin(), plan_.steps.end(), [](const Step& step) { return !step.is_done && !is<compose::Await>(step); }));
      for (std::size_t i = 0; i < std::min(std::max<std::size_t>(options_.jobs, 1), calls); ++i) threads.emplace_back([this, i] { make_calls(i < warm_max); });
    }
    finish_report();
    return std::move(report_);
  }

 private:
  const Step& step(int id) const { return plan_.steps[static_cast<std::size_t>(id) - 1]; }
  StepOutcome& outcome(int id) { return report_.outcomes[static_cast<std::size_t>(id) - 1]; }
  Context without_stop() const {
    Context ctx = ctx_;
    ctx.stop = {};
    return ctx;
  }

  // ---- the threads that call the engine

  // The thread that ends a stop begins the start after it: nobody has to be woken up in between. As many wake up as there is work for.
  void make_calls(bool is_warm) {
    if (is_warm) warm_up();
    std::unique_lock lock(mutex_);
    while (true) {
      const auto id = schedule_.take_call();
      if (id) {
        call(lock, *id);
      } else if (schedule_.is_over()) {
        break;
      } else {
        calls_changed_.wait(lock);
      }
    }
    wake_all();
  }

  void call(std::unique_lock<std::mutex>& lock, int id) {
    const bool is_first_commit = step(id).is_commit && !std::exchange(report_.is_committed, report_.is_committed || step(id).is_commit);
    const auto begun = steady_clock::now();
    if (schedule_.is_swap(id)) {
      swap_begun_[id] = begun;
      waits_changed_.notify_one();
    }
    if (schedule_.has_call()) calls_changed_.notify_one();
    lock.unlock();
    if (is_first_commit && options_.journal != nullptr) options_.journal->note_commit();
    begin(id);
    Deed deed;
    Verdict verdict = perform(id, deed);
    lock.lock();
    if (deed.has_started) started_.insert(id);
    end(id, std::move(verdict), std::move(deed.created_id), begun);
  }

  // So that no swap begins with the opening of a connection.
  void warm_up() {
    try {
      const Outages::Try one(outages_);
      engine::ping(one.ctx(), client_);
    } catch (const Error& error) {
      ctx_.debug(std::string("before the first step: ") + error.what());
    }
  }

  Verdict perform(int id, Deed& deed) {
    try {
      deed = persist(step(id));
      return {.state = State::done};
    } catch (Error& error) {
      error.add_frame(failing_text(step(id)));
      return {.state = State::failed, .failure = error};
    } catch (const std::exception& error) {
      return {.state = State::failed, .failure = Error(ErrorCode::failed, failing_text(step(id)) + ": " + error.what())};
    }
  }

  compose::CreatedIds created() {
    const std::lock_guard lock(mutex_);
    return created_;
  }

  // An answer that is lost, because the engine restarts or hangs, is waited for in its stead: what the engine has then tells whether the
  // step was done.
  Deed persist(const Step& step) {
    const compose::CreatedIds ids = created();
    if (outages_.is_given_up() && !outages_.wait_until_back()) throw Error(ErrorCode::network, "the engine does not answer any more");
    for (int tries = 1;; ++tries) {
      const After after = tries == 1 ? After::refusal : After::lost_answer;
      try {
        const Outages::Try one(outages_);
        if (after == After::lost_answer) {
          const Aim aim = look_for_aim(one.ctx(), client_, step, ids, after);
          if (aim.is_reached) return {.created_id = aim.created_id};
        }
        return try_once(one.ctx(), step, ids, after);
      } catch (const Error& error) {
        if (!outages_.is_loss(error)) throw;
        if (is<compose::RunHook>(step)) throw Error(ErrorCode::network, "the engine went away meanwhile, so what became of it is not known");
        if (tries == tries_max) throw;
      }
      if (!outages_.wait_until_back()) throw Error(ErrorCode::network, "the engine did not come back within " + seconds_text(options_.outage.patience));
    }
  }

  // A refusal of what is so already is none.
  Deed try_once(const Context& ctx, const Step& step, const compose::CreatedIds& ids, After after) {
    try {
      return perform_step(ctx, client_, step, ids);
    } catch (const Error& error) {
      if (outages_.is_loss(error)) throw;
      const Aim aim = look_for_aim(ctx, client_, step, ids, after);
      if (aim.is_reached) return {.created_id = aim.created_id};
      throw;
    }
  }

  // An engine that restarts may start what was stopped (restart policy "always"), and not start what was started (none).
  void assert_what_was_done() {
    std::vector<std::pair<const Step*, std::string>> done;
    {
      const std::lock_guard lock(mutex_);
      for (const Step& step : plan_.steps) {
        if (outcome(step.id).state != State::done) continue;
        if (const auto* const stop = std::get_if<compose::StopContainer>(&step.action)) done.emplace_back(&step, resolve(stop->container, created_));
        if (const auto* const start = std::get_if<compose::StartContainer>(&step.action)) done.emplace_back(&step, resolve(start->container, created_));
      }
    }
    std::map<std::string, const Step*> last;  // by container
    for (const auto& [step, container] : done) last[container] = step;
    for (const bool stops : {true, false}) {
      for (const auto& [container, step] : last) {
        if (is<compose::StopContainer>(*step) == stops) assert_done(*step, container);
      }
    }
  }

  void assert_done(const Step& step, const std::string& container) {
    try {
      const Context ctx = without_stop().within(options_.outage.patience);
      const auto details = engine::find_container(ctx, client_, container);
      if (!details) return;
      if (const auto* const stop = std::get_if<compose::StopContainer>(&step.action); stop != nullptr && details->state.is_running) {
        engine::stop_container(ctx, client_, container, {.timeout = stop->timeout});
      } else if (is<compose::StartContainer>(step) && !details->state.is_running && details->state.exit_code != 0) {
        engine::start_container(ctx, client_, container);
      }
    } catch (const Error& error) {
      ctx_.debug("after the engine came back, " + step.resource + ": " + error.what());
    }
  }

  // ---- beginning and ending

  void begin(int id) {
    if (options_.journal != nullptr) options_.journal->note_begin(id);
    if (options_.on_begin) teller_.tell([this, id] { options_.on_begin(step(id)); });
  }

  // Under the mutex.
  void end(int id, Verdict verdict, std::string created, steady_clock::time_point begun) {
    StepOutcome& out = outcome(id);
    out.state = verdict.state;
    out.seconds = std::chrono::duration<double>(steady_clock::now() - begun).count();
    if (!created.empty()) created_[id] = created;
    out.created_id = std::move(created);
    if (verdict.failure) {
      out.error = verdict.failure->what();
      if (verdict.state == State::warned) ctx_.warn(out.error);
      if (verdict.state == State::failed && !report_.failure) {
        report_.failure = std::move(verdict.failure);
        report_.failed_step = id;
      }
    }
    swap_begun_.erase(id);
    schedule_.finish(id, verdict.state);
    if (options_.journal != nullptr) options_.journal->note_end(out);
    if (options_.on_end) teller_.tell([this, id, copy = out] { options_.on_end(step(id), copy); });
    if (schedule_.has_wait() || schedule_.is_halted() || schedule_.is_over()) waits_changed_.notify_one();
  }

  void wake_all() {
    calls_changed_.notify_all();
    waits_changed_.notify_all();
  }

  void halt() {
    const std::lock_guard lock(mutex_);
    schedule_.halt();
    wake_all();
  }

  // ---- waits

  // The events' thread.
  void hear(const std::string& container, const std::string& action) {
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    for (auto& [id, waiting] : waits_) {
      if (!container.empty() && waiting.container != container) continue;
      waiting.due = now;
      if (container.empty()) forget_before(waiting, now);
    }
    if (action == "die") note_death(container);
    waits_changed_.notify_all();
  }

  // An engine that restarts ends what runs: that is nobody's fault.
  void forget_before(Waiting& waiting, steady_clock::time_point now) const {
    waiting.baseline = now;
    waiting.deaths_before = events_.find(waiting.container).deaths;
    waiting.restarts_before.reset();
  }

  // It has stopped; the engine only tidies up: nobody else's turn yet.
  void note_death(const std::string& container) {
    for (auto it = swap_begun_.begin(); it != swap_begun_.end();) {
      const auto& stop = std::get<compose::StopContainer>(step(it->first).action);
      it = resolve(stop.container, created_) == container ? swap_begun_.erase(it) : std::next(it);
    }
  }

  void judge_waits() {
    std::unique_lock lock(mutex_);
    while (true) {
      while (const auto id = schedule_.take_wait()) begin_wait(*id);
      if (schedule_.is_halted() && !options_.keeps_going) end_waits();
      if (schedule_.is_over()) break;
      give_turns_away();
      const int id = find_due();
      if (id != 0) {
        judge_one(lock, id);
        continue;
      }
      if (const auto next = find_next_look()) {
        waits_changed_.wait_until(lock, *next);
      } else {
        waits_changed_.wait(lock);
      }
    }
    wake_all();
  }

  // Of a container of this run every death counts, also one that came before anybody waited.
  void begin_wait(int id) {
    const auto now = steady_clock::now();
    const compose::ContainerTarget& target = std::get<compose::Await>(step(id).action).container;
    Waiting waiting{.container = resolve(target, created_), .begun = now, .baseline = now, .due = now};
    if (target.step != 0) {
      waiting.restarts_before = 0;
    } else {
      waiting.deaths_before = events_.find(waiting.container).deaths;
    }
    waits_[id] = std::move(waiting);
    begin(id);
  }

  // Another step failed, or the user asked to stop: nothing was touched by these.
  void end_waits() {
    for (const auto& [id, waiting] : std::exchange(waits_, {})) end(id, {}, {}, waiting.begun);
  }

  void give_turns_away() {
    const auto now = steady_clock::now();
    for (auto it = swap_begun_.begin(); it != swap_begun_.end();) {
      if (now - it->second < options_.swap_patience) {
        ++it;
        continue;
      }
      schedule_.give_turn_away(it->first);
      it = swap_begun_.erase(it);
      calls_changed_.notify_one();
    }
  }

  int find_due() const {
    const auto now = steady_clock::now();
    for (const auto& [id, waiting] : waits_) {
      if (waiting.due && *waiting.due <= now) return id;
    }
    return 0;
  }

  std::optional<steady_clock::time_point> find_next_look() const {
    std::optional<steady_clock::time_point> next;
    const auto consider = [&](steady_clock::time_point time) { next = next ? std::min(*next, time) : time; };
    for (const auto& [id, waiting] : waits_) {
      if (waiting.due) consider(*waiting.due);
    }
    for (const auto& [id, begun] : swap_begun_) consider(begun + options_.swap_patience);
    return next;
  }

  void judge_one(std::unique_lock<std::mutex>& lock, int id) {
    Waiting& noted = waits_.at(id);
    noted.due.reset();
    Waiting waiting = noted;
    lock.unlock();
    Verdict verdict = look(id, waiting);
    lock.lock();
    const auto found = waits_.find(id);
    if (found == waits_.end()) return;
    if (verdict.state == State::not_run) {  // it waits on
      found->second.restarts_before = waiting.restarts_before;
      if (waiting.due) found->second.due = found->second.due ? std::min(*found->second.due, *waiting.due) : *waiting.due;
      return;
    }
    waits_.erase(found);
    end(id, std::move(verdict), {}, waiting.begun);
    calls_changed_.notify_one();
  }

  // One inspect. Where nothing is decided, `waiting` gets the time of the next.
  Verdict look(int id, Waiting& waiting) {
    const auto& await = std::get<compose::Await>(step(id).action);
    Watched watched;
    try {
      if (const std::exception_ptr ended = events_.failure()) std::rethrow_exception(ended);
      if (waiting.container.empty()) throw Error(ErrorCode::failed, "it was not created");
      const Outages::Try one(outages_);
      watched.details = engine::find_container(one.ctx(), client_, waiting.container);
    } catch (const Error& error) {
      if (outages_.is_loss(error) && !events_.failure() && outages_.wait_until_back()) {
        waiting.due = steady_clock::now();
        return {};
      }
      return failed_wait(await, step(id).resource + ": cannot tell whether it runs: " + error.what());
    }
    if (watched.details && !waiting.restarts_before) waiting.restarts_before = watched.details->restart_count;
    describe(watched, waiting);
    const Judgement judgement = judge(await, watched);
    switch (judgement.verdict) {
      case Judgement::Verdict::passed: return {.state = State::done};
      case Judgement::Verdict::failed: return failed_wait(await, explain(id, waiting, judgement.why));
      case Judgement::Verdict::waiting: break;
    }
    if (judgement.look_again) waiting.due = steady_clock::now() + *judgement.look_again;
    return {};
  }

  void describe(Watched& watched, const Waiting& waiting) const {
    const EventWatch::Record record = events_.find(waiting.container);
    const auto now = steady_clock::now();
    const auto last = std::max(record.seen.value_or(waiting.baseline), waiting.baseline);
    watched.deaths = record.deaths - waiting.deaths_before;
    watched.last_exit_code = record.exit_code;
    watched.waited = std::chrono::duration_cast<milliseconds>(now - waiting.begun);
    watched.undisturbed = std::chrono::duration_cast<milliseconds>(now - last);
    watched.restarts = waiting.restarts_before.value_or(0);
  }

  std::string explain(int id, const Waiting& waiting, const std::string& why) {
    const Outages::Try one(outages_);
    const std::string words = read_last_words(one.ctx(), client_, waiting.container);
    return step(id).resource + " " + why + (words.empty() ? "" : "; " + words);
  }

  static Verdict failed_wait(const compose::Await& await, std::string why) {
    const bool counts = await.is_required && !await.was_bad_before;
    return {.state = counts ? State::failed : State::warned, .failure = Error(ErrorCode::engine, std::move(why))};
  }

  // ---- the end

  void finish_report() {
    if (!report_.failure && ctx_.stop.stop_requested() && has_left_out()) report_.failure = Error(ErrorCode::interrupted, "interrupted");
    LifeTimes times{.died = options_.deaths};
    const auto latest = steady_clock::now() + late_events_max;
    for (const int id : started_) events_.wait_for_start(resolve(std::get<compose::StartContainer>(step(id).action).container, created_), latest);
    for (const auto& [container, record] : events_.records()) {
      if (record.died) times.died.try_emplace(container, *record.died);
      if (record.started) times.started[container] = *record.started;
    }
    report_.down_seconds = measure_down_seconds(plan_, created_, times);
    report_.deaths = std::move(times.died);
  }

  bool has_left_out() const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
      return !step.is_done && report_.outcomes[static_cast<std::size_t>(step.id) - 1].state == State::not_run;
    });
  }

  const Context& ctx_;
  engine::Client& client_;
  const compose::Plan& plan_;
  const ApplyOptions& options_;

  std::mutex mutex_;  // of what follows
  std::condition_variable calls_changed_;
  std::condition_variable waits_changed_;
  StepSchedule schedule_;
  ApplyReport report_;
  compose::CreatedIds created_;
  std::set<int> started_;                               // steps that started what did not run: there is an event of it
  std::map<int, Waiting> waits_;
  std::map<int, steady_clock::time_point> swap_begun_;  // stops under way whose container has not died yet

  Teller teller_;
  Outages outages_;
  EventWatch events_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace

ApplyReport apply_plan(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyOptions& options) {
  try {
    return Run(ctx, client, plan, options).walk();
  } catch (const Error& error) {  // before the first step: no events, a plan that is none
    ApplyReport report{.failure = error, .deaths = options.deaths};
    for (const Step& step : plan.steps) report.outcomes.push_back({.id = step.id});
    return report;
  }
}

WayBackReport go_back(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyReport& applied, const ApplyOptions& options) {
  Context own = ctx;
  own.stop = {};
  own.deadline.reset();
  own = own.within(way_back_max);
  WayBackReport back{.plan = compose::plan_rollback(plan, applied.outcomes), .report = {}};
  if (back.plan.steps.empty()) return back;
  if (options.journal != nullptr) options.journal->note_rollback(back.plan);
  ApplyOptions going_back = options;
  going_back.keeps_going = true;
  going_back.deaths = applied.deaths;
  back.report = apply_plan(own, client, back.plan, going_back);
  return back;
}

}  // namespace drover::stack
