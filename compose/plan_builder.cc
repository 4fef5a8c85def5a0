#include "compose/plan_builder.h"

#include <algorithm>
#include <cstddef>
#include <queue>

namespace drover::compose {
namespace {

std::size_t index_of(int number) {
  return static_cast<std::size_t>(number) - 1;
}

void tidy(std::vector<int>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::erase(numbers, 0);
}

}  // namespace

int PlanBuilder::add(Phase phase, Step step) {
  std::erase(step.depends_on, 0);
  step.id = static_cast<int>(entries_.size()) + 1;
  entries_.push_back({phase, std::move(step)});
  return entries_.back().step.id;
}

void PlanBuilder::require(int step, int needed) {
  if (step != 0 && needed != 0) at(step).depends_on.push_back(needed);
}

void PlanBuilder::require(int step, const std::vector<int>& needed) {
  for (const int each : needed) require(step, each);
}

void PlanBuilder::prefer(int step, int needed) {
  if (step != 0 && needed != 0 && !waits_for(needed, step)) require(step, needed);
}

bool PlanBuilder::waits_for(int step, int needed) const {
  std::vector<bool> seen(entries_.size());
  std::vector<int> open = {step};
  while (!open.empty()) {
    const int next = open.back();
    open.pop_back();
    if (next == needed) return true;
    if (seen[index_of(next)]) continue;
    seen[index_of(next)] = true;
    const std::vector<int>& needs = entries_[index_of(next)].step.depends_on;
    open.insert(open.end(), needs.begin(), needs.end());
  }
  return false;
}

// Steps up to that phase which none of them waits for.
std::vector<int> PlanBuilder::ends(Phase last) const {
  std::vector<bool> is_needed(entries_.size());
  for (const Entry& entry : entries_)
    if (entry.phase <= last)
      for (const int needed : entry.step.depends_on) is_needed[index_of(needed)] = true;
  std::vector<int> numbers;
  for (const Entry& entry : entries_)
    if (entry.phase <= last && !is_needed[index_of(entry.step.id)]) numbers.push_back(entry.step.id);
  return numbers;
}

void PlanBuilder::separate_phases() {
  const std::vector<int> created = ends(Phase::create);
  for (Entry& entry : entries_)
    if (entry.phase == Phase::swap) entry.step.depends_on.insert(entry.step.depends_on.end(), created.begin(), created.end());
  const std::vector<int> swapped = ends(Phase::swap);
  for (Entry& entry : entries_)
    if (entry.phase == Phase::commit) entry.step.depends_on.insert(entry.step.depends_on.end(), swapped.begin(), swapped.end());
}

// Never, or the planner is wrong: with what is needed to see where.
Error PlanBuilder::in_a_circle(const std::vector<int>& placed) const {
  std::string text = "the steps of the plan wait for each other:";
  for (const Entry& entry : entries_) {
    if (std::find(placed.begin(), placed.end(), entry.step.id) != placed.end()) continue;
    text += " #" + std::to_string(entry.step.id) + " " + entry.step.resource + " " +
            std::string(operation_of(entry.step.action)) + " after";
    for (const int needed : entry.step.depends_on) text += " #" + std::to_string(needed);
    text += ";";
  }
  return Error(ErrorCode::failed, text);
}

// Kahn's: of those that may be next, the one that was added first.
std::vector<int> PlanBuilder::order() const {
  std::vector<int> open_needs(entries_.size());
  std::vector<std::vector<int>> dependents(entries_.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (const Entry& entry : entries_) {
    open_needs[index_of(entry.step.id)] = static_cast<int>(entry.step.depends_on.size());
    for (const int needed : entry.step.depends_on) dependents[index_of(needed)].push_back(entry.step.id);
    if (entry.step.depends_on.empty()) ready.push(entry.step.id);
  }
  std::vector<int> numbers;
  while (!ready.empty()) {
    numbers.push_back(ready.top());
    ready.pop();
    for (const int dependent : dependents[index_of(numbers.back())])
      if (--open_needs[index_of(dependent)] == 0) ready.push(dependent);
  }
  if (numbers.size() != entries_.size()) throw in_a_circle(numbers);
  return numbers;
}

// A step that is done is waited for by nobody: who would have waited for it waits for what it would have waited for.
void PlanBuilder::see_through_done(const std::vector<int>& order) {
  for (const int number : order) {
    std::vector<int>& needs = at(number).depends_on;
    std::vector<int> further;
    for (const int needed : needs)
      if (at(needed).is_done) further.insert(further.end(), at(needed).depends_on.begin(), at(needed).depends_on.end());
    needs.insert(needs.end(), further.begin(), further.end());
    tidy(needs);
  }
}

// What is implied: by a way of steps that are all still to be done; for one that is done, which nobody waits for, by any way.
void PlanBuilder::leave_out_implied(const std::vector<int>& order) {
  const std::size_t count = entries_.size();
  std::vector<std::vector<bool>> waited(count);   // by step: what is certain to be over before it
  std::vector<std::vector<bool>> reached(count);  // and what comes before it at all
  const auto merge = [](std::vector<bool>& into, const std::vector<bool>& from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = into[i] || from[i];
  };
  for (const int number : order) {
    std::vector<bool>& own_waited = waited[index_of(number)];
    std::vector<bool>& own_reached = reached[index_of(number)];
    own_waited.resize(count);
    own_reached.resize(count);
    std::vector<int>& needs = at(number).depends_on;
    for (const int needed : needs) {
      if (!at(needed).is_done) merge(own_waited, waited[index_of(needed)]);
      merge(own_reached, reached[index_of(needed)]);
    }
    std::erase_if(needs, [&](int needed) { return (at(needed).is_done ? own_reached : own_waited)[index_of(needed)]; });
    for (const int needed : needs) own_waited[index_of(needed)] = own_reached[index_of(needed)] = true;
  }
}

Plan PlanBuilder::finish(std::string project, std::vector<ServiceChange> services) {
  for (Entry& entry : entries_) tidy(entry.step.depends_on);
  separate_phases();
  for (Entry& entry : entries_) tidy(entry.step.depends_on);
  const std::vector<int> sorted = order();
  see_through_done(sorted);
  leave_out_implied(sorted);
  std::vector<int> place(entries_.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) place[index_of(sorted[i])] = static_cast<int>(i) + 1;
  Plan plan{.project = std::move(project), .steps = {}, .notes = std::move(notes_), .services = std::move(services)};
  for (const int number : sorted) {
    Step step = std::move(at(number));
    step.id = place[index_of(number)];
    for (int& needed : step.depends_on) needed = place[index_of(needed)];
    std::sort(step.depends_on.begin(), step.depends_on.end());
    plan.steps.push_back(std::move(step));
  }
  return plan;
}

}  // namespace drover::compose
