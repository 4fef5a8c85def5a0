#include "cli/plan_rows.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace drover::cli {
namespace {

using compose::Step;

constexpr std::string_view container_word = "container ";

template <typename Kind> bool is(const Step& step) {
  return std::holds_alternative<Kind>(step.action);
}

template <typename Kind> bool has(const PlanRow& row) {
  return std::any_of(row.steps.begin(), row.steps.end(), [](const Step* step) { return is<Kind>(*step); });
}

std::string name_of(const Step& step) {
  return step.resource.starts_with(container_word) ? step.resource.substr(container_word.size()) : step.resource;
}

bool makes_or_starts(const Step& step) {
  return is<compose::CreateContainer>(step) || is<compose::StartContainer>(step) || is<compose::RestartContainer>(step);
}

// No container of that name is made or started.
bool only_goes(const PlanRow& row, const std::string& container) {
  return std::none_of(row.steps.begin(), row.steps.end(), [&](const Step* step) {
    return makes_or_starts(*step) && name_of(*step) == container;
  });
}

// Where the plan does not say it: of networks and volumes, and of services that only lend a hand.
std::string find_action(const PlanRow& row) {
  const bool removes = has<compose::RemoveNetwork>(row) || has<compose::RemoveVolume>(row);
  if (removes && (has<compose::CreateNetwork>(row) || has<compose::CreateVolume>(row))) return "recreate";
  if (has<compose::RestartContainer>(row)) return "restart";
  if (has<compose::StartContainer>(row)) return has<compose::StopContainer>(row) ? "restart" : "start";
  if (has<compose::RemoveContainer>(row)) return "remove";
  return std::string(compose::operation_of(row.steps.front()->action));
}

void find_containers(PlanRow& row) {
  std::set<std::string> seen;
  const bool all_go = row.action == "remove" || row.action == "stop";
  for (const Step* step : row.steps) {
    const std::string name = name_of(*step);
    if (step->group.empty() || !seen.insert(name).second) continue;
    if (all_go || !only_goes(row, name)) row.containers.push_back(name);
  }
}

// Containers that are removed and not made again, by the cause.
std::map<std::string, std::vector<std::string>> find_gone(const PlanRow& row) {
  std::map<std::string, std::vector<std::string>> gone;
  for (const Step* step : row.steps)
    if (is<compose::RemoveContainer>(*step) && only_goes(row, name_of(*step))) gone[step->cause].push_back(name_of(*step));
  return gone;
}

// "+2", "-1".
std::string scale_text(const PlanRow& row) {
  const auto made =
      std::count_if(row.steps.begin(), row.steps.end(), [](const Step* step) { return is<compose::CreateContainer>(*step); });
  if (made > 0) return "+" + std::to_string(made);
  std::size_t gone = 0;
  for (const auto& [cause, names] : find_gone(row)) gone += names.size();
  return "-" + std::to_string(gone);
}

void add_once(std::vector<std::string>& causes, const std::string& cause) {
  if (!cause.empty() && std::find(causes.begin(), causes.end(), cause) == causes.end()) causes.push_back(cause);
}

template <typename Kind> void add_causes(const PlanRow& row, std::vector<std::string>& causes) {
  for (const Step* step : row.steps)
    if (is<Kind>(*step)) add_once(causes, step->cause);
}

}  // namespace

std::string row_name(const Step& step) {
  return step.group.empty() ? step.resource : step.group;
}

std::vector<PlanRow> rows_of(const compose::Plan& plan) {
  std::vector<PlanRow> rows;
  std::map<std::string, std::size_t> places;
  std::map<std::string, std::vector<std::string>> done_causes;
  for (const Step& step : plan.steps) {
    if (step.is_done && is<compose::CreateContainer>(step)) add_once(done_causes[row_name(step)], step.cause);
    if (step.is_done) continue;
    const auto [place, is_new] = places.emplace(row_name(step), rows.size());
    if (is_new) rows.push_back({.name = row_name(step), .action = {}});
    rows[place->second].steps.push_back(&step);
  }
  for (const compose::ServiceChange& change : plan.services) {
    const auto place = places.find(change.service);
    if (place != places.end() && change.action != "none") rows[place->second].action = change.action;
  }
  for (PlanRow& row : rows) {
    if (row.action.empty()) row.action = find_action(row);
    row.done_causes = std::move(done_causes[row.name]);
    find_containers(row);
  }
  return rows;
}

std::string action_text(const PlanRow& row) {
  if (row.action == "scale") return "scale " + scale_text(row);
  if (row.containers.size() < 2) return row.action;
  return row.action + " " + std::to_string(row.containers.size()) + " containers";
}

// A container that is made says all of those that follow; the others that go are named, as they are not made again.
std::vector<std::string> causes_of(const PlanRow& row) {
  std::vector<std::string> causes = row.done_causes;
  add_causes<compose::CreateContainer>(row, causes);
  if (causes.empty()) add_causes<compose::RestartContainer>(row, causes);
  if (causes.empty()) add_causes<compose::StartContainer>(row, causes);
  const bool is_told = !causes.empty();
  for (const auto& [cause, names] : find_gone(row)) {
    add_once(causes, is_told ? join(names, ", ") + (names.size() == 1 ? " goes: " : " go: ") + cause : cause);
  }
  if (causes.empty()) add_causes<compose::StopContainer>(row, causes);
  for (const Step* step : row.steps)
    if (causes.empty()) add_once(causes, step->cause);
  return causes;
}

std::vector<std::string> changed_containers(const compose::Plan& plan, const std::vector<compose::StepOutcome>& outcomes, Gone gone) {
  std::vector<std::string> names;
  std::set<std::string> stays;
  std::set<std::string> goes;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const bool was_done = outcomes.empty() || outcomes.at(i).state == compose::StepOutcome::State::done;
    const bool is_change = makes_or_starts(step) || is<compose::StopContainer>(step) || is<compose::RemoveContainer>(step);
    if (step.is_done || !was_done || !is_change) continue;
    add_once(names, name_of(step));
    if (makes_or_starts(step)) stays.insert(name_of(step));
    if (is<compose::RemoveContainer>(step)) goes.insert(name_of(step));
  }
  std::erase_if(names, [&](const std::string& name) { return gone == Gone::left_out && goes.contains(name) && !stays.contains(name); });
  return names;
}

std::string_view past_of(std::string_view action) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> words{{{"create", "created"},
                                                                                 {"recreate", "recreated"},
                                                                                 {"start", "started"},
                                                                                 {"restart", "restarted"},
                                                                                 {"scale", "scaled"},
                                                                                 {"remove", "removed"},
                                                                                 {"stop", "stopped"},
                                                                                 {"rename", "renamed"},
                                                                                 {"connect", "connected"},
                                                                                 {"disconnect", "disconnected"},
                                                                                 {"rollback", "as before"},
                                                                                 {"none", "as it was"},
                                                                                 {"wait", "as it should be"}}};
  const auto* const found = std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == action; });
  return found == words.end() ? action : found->second;
}

}  // namespace drover::cli
