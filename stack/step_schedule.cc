#include "stack/step_schedule.h"

#include "base/error.h"

#include <algorithm>
#include <string>
#include <variant>

namespace drover::stack {
namespace {

using compose::Step;
using State = compose::StepOutcome::State;

template <typename Kind>
bool does(const Step& step) {
  return std::holds_alternative<Kind>(step.action);
}

void check(const compose::Plan& plan) {
  int id = 0;
  for (const Step& step : plan.steps) {
    const bool is_good = step.id == ++id && std::all_of(step.depends_on.begin(), step.depends_on.end(), [&](int other) { return other > 0 && other < id; });
    if (!is_good) throw Error(ErrorCode::failed, "the plan's step #" + std::to_string(step.id) + " is out of order");
  }
}

}  // namespace

StepSchedule::StepSchedule(const compose::Plan& plan, OnFailure on_failure) : nodes_(plan.steps.size() + 1), on_failure_(on_failure) {
  check(plan);
  for (const Step& step : plan.steps) {
    Node& own = node(step.id);
    own.step = &step;
    const std::set<int> before(step.depends_on.begin(), step.depends_on.end());
    own.waits_for = before.size();
    for (const int other : before) node(other).dependents.push_back(step.id);
  }
  find_kinds();
  for (const Step& step : plan.steps) {
    if (step.is_done) {
      node(step.id).phase = Phase::over;
      settle(step.id);
    } else if (node(step.id).waits_for == 0) {
      make_ready(step.id);
    }
  }
}

void StepSchedule::find_kinds() {
  for (Node& own : nodes_) {
    if (own.step == nullptr) continue;
    if (does<compose::Await>(*own.step)) own.kind = Kind::wait;
    if (does<compose::RestartContainer>(*own.step)) own.kind = Kind::free_start;
    if (!does<compose::StartContainer>(*own.step)) continue;
    own.kind = Kind::free_start;
    for (const int other : own.step->depends_on) {
      if (!does<compose::StopContainer>(*node(other).step)) continue;
      own.kind = Kind::swap_start;
      if (!node(other).step->is_done) node(other).kind = Kind::swap_stop;
    }
  }
}

// Those that wait for it need not any more.
void StepSchedule::settle(int step) {
  for (const int other : node(step).dependents) {
    if (--node(other).waits_for > 0 || node(other).phase != Phase::waiting) continue;
    if (!is_forbidden(*node(other).step)) {
      make_ready(other);
    } else {
      node(other).phase = Phase::over;
      settle(other);
    }
  }
}

// One that could not be stopped may still run: the container that is to take its place would write to the same volumes. And it is all that
// the service has, so that it is not removed either.
bool StepSchedule::is_forbidden(const Step& step) const {
  if (does<compose::StartContainer>(step)) return follows_failed_stop(step);
  const auto* const remove = std::get_if<compose::RemoveContainer>(&step.action);
  return remove != nullptr && std::any_of(nodes_.begin() + 1, nodes_.end(), [&](const Node& other) {
    const auto* const stop = std::get_if<compose::StopContainer>(&other.step->action);
    return stop != nullptr && other.has_failed && stop->container.id == remove->container.id && stop->container.step == remove->container.step;
  });
}

// As far back as the next stop or start: those before it are about containers of which it has a place of its own in the order.
bool StepSchedule::follows_failed_stop(const Step& step) const {
  return std::any_of(step.depends_on.begin(), step.depends_on.end(), [&](int id) {
    const Node& other = node(id);
    if (does<compose::StopContainer>(*other.step)) return other.has_failed;
    return !does<compose::StartContainer>(*other.step) && follows_failed_stop(*other.step);
  });
}

void StepSchedule::make_ready(int step) {
  if (node(step).step->is_done) return;
  node(step).phase = Phase::ready;
  ready_.insert(step);
}

bool StepSchedule::may_begin(const Node& candidate) const {
  if (is_halted_ && !(is_committed_ && candidate.step->is_commit)) return false;
  switch (candidate.kind) {
    case Kind::free_start: return turn_ == 0;
    case Kind::swap_stop:
    case Kind::swap_start: return turn_ == 0 || turn_ == candidate.step->id;
    case Kind::call:
    case Kind::wait: return true;
  }
  return true;
}

// Starts of services that are down go before all else; of stops, those that were given the most time.
bool StepSchedule::is_first(int step, int other) const {
  const auto rank = [&](int id) { return node(id).kind == Kind::swap_start ? 0 : 1; };
  if (rank(step) != rank(other)) return rank(step) < rank(other);
  const auto* const stop = std::get_if<compose::StopContainer>(&node(step).step->action);
  const auto* const other_stop = std::get_if<compose::StopContainer>(&node(other).step->action);
  if (stop != nullptr && other_stop != nullptr && stop->timeout != other_stop->timeout) return stop->timeout > other_stop->timeout;
  return step < other;
}

std::optional<int> StepSchedule::choose_call() const {
  std::optional<int> chosen;
  for (const int step : ready_) {
    if (node(step).kind == Kind::wait || !may_begin(node(step))) continue;
    if (!chosen || is_first(step, *chosen)) chosen = step;
  }
  return chosen;
}

bool StepSchedule::has_call() const { return choose_call().has_value(); }

std::optional<int> StepSchedule::take_call() {
  const std::optional<int> chosen = choose_call();
  return chosen ? begin(*chosen) : std::nullopt;
}

std::optional<int> StepSchedule::choose_wait() const {
  for (const int step : ready_) {
    if (node(step).kind == Kind::wait && may_begin(node(step))) return step;
  }
  return std::nullopt;
}

bool StepSchedule::has_wait() const { return choose_wait().has_value(); }

std::optional<int> StepSchedule::take_wait() {
  const std::optional<int> chosen = choose_wait();
  return chosen ? begin(*chosen) : std::nullopt;
}

std::optional<int> StepSchedule::begin(int step) {
  Node& own = node(step);
  ready_.erase(step);
  own.phase = Phase::under_way;
  ++under_way_;
  if (own.kind == Kind::swap_stop || own.kind == Kind::swap_start) turn_ = step;
  is_committed_ = is_committed_ || own.step->is_commit;
  return step;
}

void StepSchedule::finish(int step, State state) {
  Node& own = node(step);
  own.phase = Phase::over;
  --under_way_;
  const bool is_good = state == State::done || state == State::warned;
  own.has_failed = state == State::failed;
  if (!is_good && on_failure_ == OnFailure::halt) {
    is_halted_ = true;
    if (turn_ == step) turn_ = 0;
    return;
  }
  settle(step);
  if (turn_ == step) hand_turn_on(step);
}

// The turn goes to the start that follows, or to the next stop of several that belong together (containers that share a namespace), if it
// can begin at once: else somebody else's may come in between.
void StepSchedule::hand_turn_on(int step) {
  turn_ = 0;
  if (node(step).kind != Kind::swap_stop) return;
  for (const Kind next : {Kind::swap_start, Kind::swap_stop}) {
    for (const int other : node(step).dependents) {
      if (node(other).kind != next || node(other).phase != Phase::ready) continue;
      turn_ = other;
      return;
    }
  }
}

void StepSchedule::give_turn_away(int step) {
  if (turn_ == step) turn_ = 0;
}

bool StepSchedule::is_swap(int step) const { return node(step).kind == Kind::swap_stop; }

bool StepSchedule::is_over() const {
  if (under_way_ > 0) return false;
  return std::none_of(ready_.begin(), ready_.end(), [&](int step) { return may_begin(node(step)); });
}

}  // namespace drover::stack
