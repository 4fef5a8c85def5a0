#include "cli/step_states.h"

#include "base/text.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

namespace drover::cli {
namespace {

using compose::Step;
using compose::StepOutcome;

struct Words {
  std::string_view operation;
  std::string_view during;
  std::string_view after;
};

// By operation; not of what goes on beside what people wait for.
constexpr Words operation_words[] = {
    {"create", "creating", "created"}, {"remove", "removing", "removed"},   {"start", "starting", "running"},
    {"stop", "stopping", "stopped"},   {"restart", "restarting", "running"}, {"run", "running a hook of", ""},
    {"wait", "waiting", ""},
};

Words words_of(const Step& step) {
  const std::string_view operation = operation_of(step.action);
  const auto* const found = std::find_if(std::begin(operation_words), std::end(operation_words),
                                         [&](const Words& words) { return words.operation == operation; });
  return found == std::end(operation_words) ? Words{} : *found;
}

bool makes_or_starts(const Step* step) {
  return std::holds_alternative<compose::CreateContainer>(step->action) ||
         std::holds_alternative<compose::StartContainer>(step->action) ||
         std::holds_alternative<compose::RestartContainer>(step->action);
}

bool is_gate(const Step& step) {
  const auto* await = std::get_if<compose::Await>(&step.action);
  return await != nullptr && await->until == compose::Await::Until::gate;
}

// The old containers go when every service is as it should be: nobody waits for that.
bool is_aftermath(const PlanRow& row, const Step& step) {
  return step.is_commit && std::any_of(row.steps.begin(), row.steps.end(), makes_or_starts);
}

// "stopping"; of several containers, which.
std::string during(const Step& step, std::size_t containers) {
  std::string text(words_of(step).during);
  if (std::holds_alternative<compose::Await>(step.action)) text += " " + detail_of(step.action);
  const bool is_hook = std::holds_alternative<compose::RunHook>(step.action);
  if (containers > 1 || is_hook) text += " " + step.resource.substr(step.resource.find(' ') + 1);
  return text;
}

}  // namespace

StepStates::StepStates(const compose::Plan& plan, Way way) : way_(way) {
  for (PlanRow& row : rows_of(plan)) {
    const auto left =
        std::count_if(row.steps.begin(), row.steps.end(), [&](const Step* step) { return !is_aftermath(row, *step); });
    rows_.push_back({.row = std::move(row), .left = static_cast<std::size_t>(left)});
  }
}

std::vector<Task> StepStates::all() const {
  std::vector<Task> tasks;
  for (const Row& row : rows_) tasks.push_back(state_of(row));
  return tasks;
}

Task StepStates::begin(const Step& step) {
  Row& row = row_of(step);
  if (!words_of(step).during.empty() && !is_aftermath(row.row, step)) row.under_way.push_back(&step);
  return state_of(row);
}

Task StepStates::end(const Step& step, const StepOutcome& outcome) {
  Row& row = row_of(step);
  std::erase_if(row.under_way, [&](const Step* each) { return each->id == step.id; });
  if (outcome.state == StepOutcome::State::not_run) return state_of(row);
  if (!is_aftermath(row.row, step)) --row.left;
  if (outcome.state == StepOutcome::State::failed && row.failure.empty()) row.failure = outcome.error;
  if (const Words words = words_of(step); !words.after.empty()) row.last = std::string(words.after);
  if (is_gate(step) && outcome.state == StepOutcome::State::done) {
    row.gate_seconds = std::max(row.gate_seconds, outcome.seconds);
  }
  return state_of(row);
}

StepStates::Row& StepStates::row_of(const Step& step) {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.row.name == row_name(step); });
  if (found == rows_.end()) throw std::logic_error("a step of another plan");
  return *found;
}

Task StepStates::state_of(const Row& row) const {
  Task task{.name = row.row.name, .state = Task::State::under_way, .text = row.last};
  if (!row.failure.empty()) {
    task.state = Task::State::failed;
    task.text = row.failure;
  } else if (row.left == 0) {
    task.state = Task::State::done;
    task.text = ending_of(row);
  } else if (way_ == Way::back) {
    task.text = "going back";
  } else if (!row.under_way.empty()) {
    task.text = during(*row.under_way.back(), row.row.containers.size());
  } else {
    task.state = Task::State::waiting;  // for its turn, or for others
    if (row.last.empty()) task.text = "waiting";
  }
  return task;
}

std::string StepStates::ending_of(const Row& row) const {
  if (way_ == Way::back) return "rolled back";
  std::string text(past_of(row.row.action));
  if (row.gate_seconds >= 0) text += ", passed its gate in " + format_seconds(row.gate_seconds);
  return text;
}

}  // namespace drover::cli
