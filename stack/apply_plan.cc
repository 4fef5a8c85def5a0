#include "stack/apply_plan.h"

#include "compose/rollback.h"
#include "engine/system.h"
#include "stack/down_time.h"
#include "stack/event_watch.h"
#include "stack/failure_text.h"
#include "stack/perform_step.h"
#include "stack/step_caller.h"
#include "stack/step_schedule.h"
#include "stack/teller.h"
#include "stack/waits.h"

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
using Ending = Waits::Ending;
using State = StepOutcome::State;

constexpr std::size_t warm_max = 4;  // connections that are opened before the first step: swaps take no more at once
constexpr milliseconds late_events_max{2000};
constexpr std::int64_t killed_code = 128 + 9;       // SIGKILL, SIGTERM: by somebody else
constexpr std::int64_t terminated_code = 128 + 15;

template <typename Kind>
bool is(const Step& step) {
  return std::holds_alternative<Kind>(step.action);
}

// Empty for steps that are about none.
std::string container_of(const Step& step, const compose::CreatedIds& created) {
  return std::visit(
      [&](const auto& action) {
        if constexpr (requires { action.container; }) return resolve(action.container, created);
        return std::string();
      },
      step.action);
}

class Run {
 public:
  Run(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyOptions& options)
      : ctx_(ctx),
        client_(client),
        plan_(plan),
        options_(options),
        schedule_(plan, options.keeps_going ? StepSchedule::OnFailure::go_on : StepSchedule::OnFailure::halt),
        teller_([this](const std::string& why) { ctx_.debug("a listener failed: " + why); }),
        outages_(
            ctx, client, options.outage, [this] { assert_what_was_done(); }, [this] { return options_.keeps_going || has_unexplained_death(); }),
        waits_(ctx.without_stop(), client, outages_, events_, options.journal, [this](int id, Ending ending) { end_wait(id, std::move(ending)); }),
        events_(ctx.without_stop(), client, [this](const std::string& container, const std::string& action) { hear(container, action); }),
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
      const std::size_t width = std::min(std::max<std::size_t>(options_.jobs, 1), std::max<std::size_t>(plan_.steps.size(), 1));
      for (std::size_t i = 0; i < width; ++i) threads.emplace_back([this, i] { work(i < warm_max); });
    }
    finish_report();
    return std::move(report_);
  }

 private:
  const Step& step(int id) const { return plan_.steps[static_cast<std::size_t>(id) - 1]; }
  StepOutcome& outcome(int id) { return report_.outcomes[static_cast<std::size_t>(id) - 1]; }

  // The thread that ends a stop begins the start after it: nobody has to be woken up in between. As many wake up as there is work for.
  void work(bool is_warm) {
    if (is_warm) warm_up();
    std::unique_lock lock(mutex_);
    while (!schedule_.is_over() || gap_) {
      begin_waits();
      if (gap_) {
        see_to_gap(lock);
      } else if (const auto id = is_asserting_ ? std::nullopt : schedule_.take_call()) {
        call(lock, *id);
      } else if (const auto latest = find_patience()) {
        changed_.wait_until(lock, *latest);
        give_turns_away();
      } else {
        changed_.wait(lock);
      }
    }
    changed_.notify_all();
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

  void begin_waits() {
    while (const auto id = schedule_.take_wait()) {
      begun_[*id] = steady_clock::now();
      tell_begin(*id);
      waits_.begin(step(*id), resolve(std::get<compose::Await>(step(*id).action).container, created_));
    }
  }

  // An engine that restarted while nothing but waits was under way has lost no answer.
  void see_to_gap(std::unique_lock<std::mutex>& lock) {
    const auto since = *std::exchange(gap_, std::nullopt);
    lock.unlock();
    outages_.see_to_return(since);
    lock.lock();
  }

  void call(std::unique_lock<std::mutex>& lock, int id) {
    const bool is_first_removal = step(id).is_commit && !report_.is_committed;
    report_.is_committed = report_.is_committed || step(id).is_commit;
    if (is_first_removal) look_since_ = steady_clock::now();
    const bool has_to_look = step(id).is_commit && was_disturbed_;
    const auto look_since = look_since_;
    begun_[id] = steady_clock::now();
    if (schedule_.is_swap(id)) stopping_[id] = begun_[id] + options_.swap_patience;
    if (schedule_.has_call() || !stopping_.empty()) changed_.notify_one();  // somebody has to do it, or to look at the time
    const compose::CreatedIds created = created_;
    lock.unlock();
    if (has_to_look) outages_.see_to_return(look_since);  // what goes must not run again, nor what stays be down
    if (is_first_removal && options_.journal != nullptr) options_.journal->note_commit();
    tell_begin(id);
    Deed deed;
    Ending ending = make_call(step(id), created, deed);
    lock.lock();
    if (deed.has_started) started_.insert(id);
    if (!deed.created_id.empty()) created_[id] = deed.created_id;
    outcome(id).created_id = std::move(deed.created_id);
    end(id, std::move(ending));
  }

  Ending make_call(const Step& step, const compose::CreatedIds& created, Deed& deed) {
    try {
      deed = call_step(client_, outages_, step, created);
      return {.state = State::done};
    } catch (const Error& error) {
      return {.state = State::failed, .failure = Error(error.code(), failing_text(step) + ": " + shorten_ids(error.what()))};
    } catch (const std::exception& error) {
      return {.state = State::failed, .failure = Error(ErrorCode::failed, failing_text(step) + ": " + error.what())};
    }
  }

  void tell_begin(int id) {
    if (options_.journal != nullptr) options_.journal->note_begin(id);
    if (options_.on_begin) teller_.tell([this, id] { options_.on_begin(step(id)); });
  }

  // Under the mutex.
  void end(int id, Ending ending) {
    StepOutcome& out = outcome(id);
    out.state = ending.state;
    out.seconds = std::chrono::duration<double>(steady_clock::now() - begun_[id]).count();
    if (ending.failure) {
      out.error = ending.failure->what();
      if (ending.state == State::warned) ctx_.warn(out.error);
      if (ending.state == State::failed && !report_.failure) {
        report_.failure = std::move(ending.failure);
        report_.failed_step = id;
      }
    }
    stopping_.erase(id);
    schedule_.finish(id, ending.state);
    if (schedule_.is_halted()) waits_.break_off();
    if (options_.journal != nullptr) options_.journal->note_end(out);
    if (options_.on_end) teller_.tell([this, id, copy = out] { options_.on_end(step(id), copy); });
  }

  // The waits' thread.
  void end_wait(int id, Ending ending) {
    const std::lock_guard lock(mutex_);
    end(id, std::move(ending));
    changed_.notify_one();
  }

  void halt() {
    const std::lock_guard lock(mutex_);
    schedule_.halt();
    waits_.break_off();
    changed_.notify_all();
  }

  // The events' thread. A container that has died is only tidied up after: nobody else's turn yet.
  void hear(const std::string& container, const std::string& action) {
    waits_.hear(container, action);
    const bool is_gap = container.empty();
    if (!is_gap && action != "die") return;
    const std::lock_guard lock(mutex_);
    if (is_gap) {
      gap_ = look_since_ = steady_clock::now();
      was_disturbed_ = true;
      changed_.notify_all();
      return;
    }
    std::erase_if(stopping_, [&](const auto& entry) {
      return resolve(std::get<compose::StopContainer>(step(entry.first).action).container, created_) == container;
    });
  }

  std::optional<steady_clock::time_point> find_patience() const {
    std::optional<steady_clock::time_point> first;
    for (const auto& [id, latest] : stopping_) {
      if (!first || latest < *first) first = latest;
    }
    return first;
  }

  void give_turns_away() {
    const auto now = steady_clock::now();
    std::erase_if(stopping_, [&](const auto& entry) {
      if (now < entry.second) return false;
      schedule_.give_turn_away(entry.first);
      return true;
    });
  }

  // Meanwhile no other call begins: a container that was stopped may be the one that is to be started next.
  void assert_what_was_done() {
    DoneSteps done;
    {
      const std::lock_guard lock(mutex_);
      was_disturbed_ = true;
      is_asserting_ = true;
      done = find_done();
    }
    assert_done(ctx_.without_stop().within(options_.outage.patience), client_, done);
    const std::lock_guard lock(mutex_);
    is_asserting_ = false;
    changed_.notify_all();
  }

  // Also what an earlier run did that was cut off; not of containers that are being started or stopped.
  DoneSteps find_done() {
    std::set<std::string> busy;
    for (const auto& [id, time] : begun_) {
      const bool changes = is<compose::StopContainer>(step(id)) || is<compose::StartContainer>(step(id)) || is<compose::RestartContainer>(step(id));
      if (changes && outcome(id).state == State::not_run) busy.insert(container_of(step(id), created_));
    }
    DoneSteps done;
    for (const Step& step : plan_.steps) {
      if (!step.is_done && outcome(step.id).state != State::done) continue;
      if (!is<compose::StopContainer>(step) && !is<compose::StartContainer>(step)) continue;
      const std::string container = container_of(step, created_);
      if (!container.empty() && !busy.contains(container)) done.emplace_back(&step, container);
    }
    return done;
  }

  // Somebody killed a container that this run has started, or one died with which it has nothing to do; once only, not one that always dies.
  bool has_unexplained_death() {
    std::set<std::string> stopped;
    std::set<std::string> started;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, time] : begun_) {
        const bool ends = is<compose::StopContainer>(step(id)) || is<compose::RestartContainer>(step(id)) || is<compose::RemoveContainer>(step(id));
        (ends ? stopped : started).insert(container_of(step(id), created_));
      }
    }
    const auto oldest = steady_clock::now() - options_.outage.farewell_max;
    const std::map<std::string, EventWatch::Record> records = events_.records();
    return std::any_of(records.begin(), records.end(), [&](const auto& entry) {
      const auto& [container, record] = entry;
      if (record.deaths != 1 || record.seen.value_or(oldest) <= oldest || stopped.contains(container)) return false;
      return !started.contains(container) || record.exit_code == killed_code || record.exit_code == terminated_code;
    });
  }

  void finish_report() {
    if (!report_.failure && ctx_.stop.stop_requested() && has_left_out()) report_.failure = Error(ErrorCode::interrupted, "interrupted");
    const auto latest = steady_clock::now() + late_events_max;
    for (const int id : started_) events_.wait_for_start(resolve(std::get<compose::StartContainer>(step(id).action).container, created_), latest);
    LifeTimes times{.died = options_.deaths};
    for (const auto& [container, record] : events_.records()) {
      if (record.died) times.died.try_emplace(container, *record.died);
      if (record.started) times.started[container] = *record.started;
    }
    report_.down_seconds = measure_down_seconds(plan_, created_, times);
    report_.deaths = std::move(times.died);
  }

  bool has_left_out() {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) { return !step.is_done && outcome(step.id).state == State::not_run; });
  }

  const Context& ctx_;
  engine::Client& client_;
  const compose::Plan& plan_;
  const ApplyOptions& options_;

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  StepSchedule schedule_;
  ApplyReport report_;
  compose::CreatedIds created_;
  std::map<int, steady_clock::time_point> begun_;
  std::set<int> started_;                              // steps that started what did not run: there is an event of it
  std::optional<steady_clock::time_point> gap_;        // in the events, and nobody has looked yet what it hid
  bool was_disturbed_ = false;                         // a gap, or an answer that was lost
  bool is_asserting_ = false;                          // what was done is being made so again
  steady_clock::time_point look_since_ = {};           // the first removal or the last gap: before a removal, earlier looks do not count
  std::map<int, steady_clock::time_point> stopping_;   // swaps whose container has not died yet, and how long that keeps the others waiting

  Teller teller_;
  Outages outages_;
  Waits waits_;
  EventWatch events_;
  std::stop_callback<std::function<void()>> on_stop_;
};

bool has_tried_any(const ApplyReport& applied) {
  return std::any_of(applied.outcomes.begin(), applied.outcomes.end(), [](const StepOutcome& outcome) { return outcome.state != State::not_run; });
}

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
  Context own = ctx.without_stop();
  own.deadline.reset();
  own = own.within(way_back_max);
  WayBackReport back{};
  back.plan.project = plan.project;
  if (!has_tried_any(applied)) return back;
  back.plan = compose::plan_rollback(plan, applied.outcomes);
  if (back.plan.steps.empty()) return back;
  if (options.journal != nullptr) options.journal->note_rollback(back.plan);
  if (options.on_way_back) options.on_way_back(back.plan);
  ApplyOptions going_back = options;
  going_back.keeps_going = true;
  going_back.deaths = applied.deaths;
  back.report = apply_plan(own, client, back.plan, going_back);
  return back;
}

}  // namespace drover::stack
