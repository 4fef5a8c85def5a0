#include "compose/rollback.h"

#include "base/overload.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

namespace drover::compose {
namespace {

using State = StepOutcome::State;

// What is to be undone, and under which names.
class Past {
 public:
  Past(const Plan& plan, const std::vector<StepOutcome>& outcomes) : plan_(plan), states_(plan.steps.size() + 1, State::not_run) {
    for (const Step& step : plan.steps) {
      if (!step.is_done || step.is_settled) continue;
      states_.at(place(step.id)) = State::done;
      if (!step.done_id.empty()) created_[step.id] = step.done_id;
    }
    for (const StepOutcome& outcome : outcomes) {
      if (outcome.state == State::not_run) continue;
      states_.at(place(outcome.id)) = outcome.state;
      if (!outcome.created_id.empty()) created_[outcome.id] = outcome.created_id;
    }
  }

  bool has_failed(int step) const { return states_.at(place(step)) == State::failed; }
  bool was_tried(int step) const { return states_.at(place(step)) != State::not_run; }
  // Nothing: never created, or nobody knows under which ID.
  std::optional<ContainerTarget> find(const ContainerTarget& target) const {
    if (!target.id.empty()) return ContainerTarget{.id = target.id};
    return find_created(target.step);
  }
  std::optional<ContainerTarget> find_created(int step) const {
    const auto found = created_.find(step);
    if (found == created_.end()) return std::nullopt;
    return ContainerTarget{.id = found->second};
  }
  bool is_new(const ContainerTarget& target) const {
    return target.id.empty() || std::any_of(created_.begin(), created_.end(), [&](const auto& entry) { return entry.second == target.id; });
  }
  // It ran: what it wrote into volumes without a name is not thrown away.
  bool was_started(int create) const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
      const auto* const start = std::get_if<StartContainer>(&step.action);
      if (start == nullptr || !was_tried(step.id)) return false;
      const auto created = created_.find(create);
      return start->container.step == create || (created != created_.end() && start->container.id == created->second);
    });
  }

 private:
  static std::size_t place(int id) { return static_cast<std::size_t>(id); }

  const Plan& plan_;
  std::vector<State> states_;
  CreatedIds created_;
};

// By name, since nobody keeps its ID: one that could not be made because there is one is somebody else's.
std::optional<Action> undo(const CreateNetwork& create, int step, const Past& past) {
  if (past.has_failed(step)) return std::nullopt;
  return RemoveNetwork{.id = create.request.name, .request = create.request};
}
std::optional<Action> undo(const RemoveNetwork& remove, int, const Past&) { return CreateNetwork{remove.request}; }

// A new container goes, and with it its place in a network.
std::optional<Action> undo(const ConnectNetwork& connect, int, const Past& past) {
  if (past.is_new(connect.container)) return std::nullopt;
  return DisconnectNetwork{connect.network, connect.container, connect.settings};
}
std::optional<Action> undo(const DisconnectNetwork& disconnect, int, const Past& past) {
  if (past.is_new(disconnect.container)) return std::nullopt;
  return ConnectNetwork{disconnect.network, disconnect.container, disconnect.settings};
}

std::optional<Action> undo(const CreateContainer&, int step, const Past& past) {
  const auto container = past.find_created(step);
  if (!container) return std::nullopt;
  return RemoveContainer{.container = *container, .with_anonymous_volumes = !past.was_started(step), .force = true};
}
std::optional<Action> undo(const StartContainer& start, int, const Past& past) {
  const auto container = past.find(start.container);
  if (!container) return std::nullopt;
  return StopContainer{.container = *container, .was_running = false};
}
std::optional<Action> undo(const StopContainer& stop, int, const Past& past) {
  const auto container = past.find(stop.container);
  if (!container || !stop.was_running) return std::nullopt;
  return StartContainer{*container};
}
std::optional<Action> undo(const RenameContainer& rename, int, const Past& past) {
  const auto container = past.find(rename.container);
  if (!container) return std::nullopt;
  return RenameContainer{.container = *container, .from = rename.to, .to = rename.from};
}

// The rest leaves nothing behind, or nothing that could be brought back.
template <typename Other>
std::optional<Action> undo(const Other&, int, const Past&) {
  return std::nullopt;
}

class WayBack {
 public:
  WayBack(const Plan& plan, const std::vector<StepOutcome>& outcomes) : plan_(plan), past_(plan, outcomes), after_(plan.steps.size() + 1) {
    back_.project = plan.project;
  }

  // A step waits for what undoes those that waited for it: later ones first.
  Plan make() {
    for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend(); ++step) {
      std::set<int>& waits_for = after_.at(static_cast<std::size_t>(step->id));
      std::optional<Action> action;
      if (past_.was_tried(step->id)) action = std::visit([&](const auto& done) { return undo(done, step->id, past_); }, step->action);
      if (action) {
        wait_for_own(*action, waits_for);
        const int id = add(*step, *std::move(action), waits_for);
        waits_for = {id};
      }
      hand_on(*step, waits_for);
      note(*step);
    }
    return std::move(back_);
  }

 private:
  int add(const Step& step, Action action, const std::set<int>& waits_for) {
    back_.steps.push_back({.id = static_cast<int>(back_.steps.size()) + 1,
                           .action = std::move(action),
                           .resource = step.resource,
                           .cause = "undoes #" + std::to_string(step.id),
                           .depends_on = {waits_for.begin(), waits_for.end()},
                           .group = step.group});
    return back_.steps.back().id;
  }

  // A container goes when nothing else is to be done to it.
  void wait_for_own(const Action& action, std::set<int>& waits_for) const {
    const auto* const remove = std::get_if<RemoveContainer>(&action);
    if (remove == nullptr) return;
    for (const Step& other : back_.steps) {
      const auto* const rename = std::get_if<RenameContainer>(&other.action);
      if (rename != nullptr && rename->container.id == remove->container.id) waits_for.insert(other.id);
    }
  }

  // What ran before is not kept waiting for names: they take no part in stopping and starting.
  void hand_on(const Step& step, const std::set<int>& waits_for) {
    for (const int earlier : step.depends_on) {
      const Action& before = plan_.steps.at(static_cast<std::size_t>(earlier) - 1).action;
      if (std::holds_alternative<RenameContainer>(step.action) && std::holds_alternative<StartContainer>(before)) continue;
      after_.at(static_cast<std::size_t>(earlier)).insert(waits_for.begin(), waits_for.end());
    }
  }

  void note(const Step& step) {
    if (!past_.was_tried(step.id)) return;
    if (std::holds_alternative<CreateVolume>(step.action)) back_.notes.push_back(step.resource + " stays: it may hold data by now");
    if (std::holds_alternative<RemoveVolume>(step.action)) back_.notes.push_back(step.resource + " was removed and cannot be brought back");
  }

  const Plan& plan_;
  const Past past_;
  std::vector<std::set<int>> after_;  // by step: what its undoing waits for
  Plan back_;
};

bool touches(const Action& action) {
  return std::visit(Overload{[](const StopContainer& stop) { return stop.was_running; },
                             [](const StartContainer&) { return true; },
                             [](const RestartContainer&) { return true; },
                             [](const RunHook&) { return true; },
                             [](const auto&) { return false; }},
                    action);
}

}  // namespace

Plan plan_rollback(const Plan& plan, const std::vector<StepOutcome>& outcomes) { return WayBack(plan, outcomes).make(); }

bool has_touched_running(const Plan& plan, const std::vector<StepOutcome>& outcomes) {
  const bool has_tried_any = std::any_of(outcomes.begin(), outcomes.end(), [](const StepOutcome& outcome) { return outcome.state != State::not_run; });
  if (!has_tried_any) return false;
  const Past past(plan, outcomes);
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) { return past.was_tried(step.id) && touches(step.action); });
}

}  // namespace drover::compose
