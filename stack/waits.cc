#include "stack/waits.h"

#include "engine/containers.h"
#include "stack/last_words.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace drover::stack {
namespace {

using compose::Await;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using State = compose::StepOutcome::State;

const Await& await_of(const compose::Step& step) { return std::get<Await>(step.action); }

Waits::Ending failed(const Await& await, std::string why) {
  const bool counts = await.is_required && !await.was_bad_before;
  return {.state = counts ? State::failed : State::warned, .failure = Error(ErrorCode::engine, std::move(why))};
}

}  // namespace

Waits::Waits(const Context& ctx, engine::Client& client, Outages& outages, const EventWatch& events, RunJournal* journal, OnEnd on_end)
    : ctx_(ctx), client_(client), outages_(outages), events_(events), journal_(journal), on_end_(std::move(on_end)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

Waits::~Waits() = default;

// Of a container of this run every death counts, also one that came before anybody waited.
void Waits::begin(const compose::Step& step, const std::string& container) {
  const auto now = steady_clock::now();
  Wait wait{.step = &step, .container = container, .begun = now, .baseline = now, .due = now};
  if (await_of(step).container.step != 0) {
    wait.restarts_before = 0;
  } else {
    wait.deaths_before = events_.find(container).deaths;
  }
  const std::lock_guard lock(mutex_);
  waits_[step.id] = std::move(wait);
  changed_.notify_all();
}

void Waits::hear(const std::string& container, const std::string&) {
  const std::lock_guard lock(mutex_);
  const bool is_gap = container.empty();
  for (auto& [id, wait] : waits_) {
    if (!is_gap && wait.container != container) continue;
    if (is_gap) forget_before(wait);
    wait.due = steady_clock::now();
    changed_.notify_all();
  }
}

// An engine that restarts ends what runs: that is no container's fault.
void Waits::forget_before(Wait& wait) const {
  wait.baseline = steady_clock::now();
  wait.deaths_before = events_.find(wait.container).deaths;
  wait.restarts_before.reset();
}

void Waits::break_off() {
  const std::lock_guard lock(mutex_);
  is_broken_off_ = true;
  changed_.notify_all();
}

void Waits::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (is_broken_off_ && !waits_.empty()) {
      const int id = waits_.begin()->first;
      waits_.erase(id);
      lock.unlock();
      on_end_(id, {});
      lock.lock();
    } else if (const int id = find_due(); id != 0) {
      look_at(lock, id);
    } else if (const auto next = find_next_look()) {
      changed_.wait_until(lock, stop, *next, [&] { return is_broken_off_ || find_due() != 0; });
    } else {
      changed_.wait(lock, stop, [&] { return (is_broken_off_ && !waits_.empty()) || find_next_look(); });
    }
  }
}

int Waits::find_due() const {
  const auto now = steady_clock::now();
  for (const auto& [id, wait] : waits_) {
    if (wait.due && *wait.due <= now) return id;
  }
  return 0;
}

std::optional<steady_clock::time_point> Waits::find_next_look() const {
  std::optional<steady_clock::time_point> next;
  for (const auto& [id, wait] : waits_) {
    if (wait.due && (!next || *wait.due < *next)) next = wait.due;
  }
  return next;
}

// What is told meanwhile makes it due once more.
void Waits::look_at(std::unique_lock<std::mutex>& lock, int step) {
  waits_.at(step).due.reset();
  Wait wait = waits_.at(step);
  lock.unlock();
  Ending ending = look(wait);
  lock.lock();
  Wait& noted = waits_.at(step);
  if (ending.state == State::not_run) {
    if (noted.baseline == wait.baseline) noted.restarts_before = wait.restarts_before;
    noted.failed = wait.failed;
    if (wait.due) noted.due = noted.due ? std::min(*noted.due, *wait.due) : wait.due;
    return;
  }
  waits_.erase(step);
  lock.unlock();
  on_end_(step, std::move(ending));
  lock.lock();
}

// Nothing that goes wrong ends the thread: the events may have ended with any exception.
Waits::Ending Waits::look(Wait& wait) {
  std::string why = "for an unknown reason";
  try {
    return inspect(wait);
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
  }
  return failed(await_of(*wait.step), wait.step->resource + ": cannot tell whether it runs: " + why);
}

// Once. Not decided: `wait` gets the time of the next.
Waits::Ending Waits::inspect(Wait& wait) {
  const Await& await = await_of(*wait.step);
  std::optional<engine::ContainerDetails> details;
  try {
    if (const std::exception_ptr ended = events_.failure()) std::rethrow_exception(ended);
    if (wait.container.empty()) throw Error(ErrorCode::failed, "it was not created");
    const Outages::Try one(outages_);
    details = engine::find_container(one.ctx(), client_, wait.container);
  } catch (const Error& error) {
    if (outages_.is_loss(error) && !events_.failure() && outages_.wait_until_back()) {
      wait.due = steady_clock::now();
      return {};
    }
    throw;
  }
  if (details && !wait.restarts_before) wait.restarts_before = details->restart_count;
  const Judgement judgement = judge(await, describe(wait, details));
  if (judgement.verdict == Judgement::Verdict::passed) return {.state = State::done};
  if (judgement.verdict == Judgement::Verdict::failed) {
    if (is_settled(wait, details)) return failed(await, explain(wait, judgement.why));
    wait.due = steady_clock::now() + look_again_after;
    return {};
  }
  wait.failed.reset();
  if (judgement.look_again) wait.due = steady_clock::now() + *judgement.look_again;
  return {};
}

// Nothing of it changed for as long as gate.h wants.
bool Waits::is_settled(Wait& wait, const std::optional<engine::ContainerDetails>& details) const {
  if (!details) return true;
  const auto now = steady_clock::now();
  if (!wait.failed) wait.failed = now;
  const bool is_new = await_of(*wait.step).container.step != 0;
  const bool has_no_news = is_new && events_.find(wait.container).deaths == wait.deaths_before;
  return now - *wait.failed >= patience_with(*details, {.looks_like_shutdown = outages_.looks_like_shutdown(),
                                                        .farewell_max = outages_.options().farewell_max,
                                                        .has_no_news = has_no_news});
}

Watched Waits::describe(const Wait& wait, std::optional<engine::ContainerDetails> details) const {
  const EventWatch::Record record = events_.find(wait.container);
  const auto now = steady_clock::now();
  const auto last = std::max(record.seen.value_or(wait.baseline), wait.baseline);
  return {.details = std::move(details),
          .deaths = record.deaths - wait.deaths_before,
          .last_exit_code = record.exit_code,
          .waited = std::chrono::duration_cast<milliseconds>(now - wait.begun),
          .undisturbed = std::chrono::duration_cast<milliseconds>(now - last),
          .restarts = wait.restarts_before.value_or(0)};
}

std::string Waits::explain(const Wait& wait, const std::string& why) {
  const Outages::Try one(outages_);
  const std::string log = read_log_end(one.ctx(), client_, wait.container);
  std::string text = wait.step->resource + " " + why;
  if (const std::string words = last_words_of(log); !words.empty()) text += "; " + words;
  if (journal_ == nullptr || fits_last_words(log)) return text;
  const std::string& resource = wait.step->resource;  // "container shop-web-1"
  const auto file = journal_->keep_log(resource.substr(resource.rfind(' ') + 1), log);
  return file ? text + "; more of its log is in " + file->string() : text;
}

}  // namespace drover::stack
