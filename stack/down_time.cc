#include "stack/down_time.h"

#include "stack/perform_step.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace drover::stack {
namespace {

using compose::Step;
using engine::Timestamp;

class DownTime {
 public:
  DownTime(const compose::Plan& plan, const compose::CreatedIds& created, const LifeTimes& times) : plan_(plan), created_(created), times_(times) {}

  std::map<std::string, double> measure() {
    for (const Step& step : plan_.steps) {
      if (step.group.empty()) continue;
      if (const auto* const start = std::get_if<compose::StartContainer>(&step.action)) add(step, resolve(start->container, created_));
      if (const auto* const restart = std::get_if<compose::RestartContainer>(&step.action)) add(step, resolve(restart->container, created_));
    }
    return std::move(seconds_);
  }

 private:
  void add(const Step& step, const std::string& container) {
    const auto started = times_.started.find(container);
    if (started == times_.started.end()) return;
    const std::optional<Timestamp> died = find_death(step, container);
    if (died && *died <= started->second) {
      keep_longest(step.group, std::chrono::duration<double>(started->second - *died).count());
    } else if (is_followed_by_a_stop(step, started->second)) {
      keep_longest(step.group, 0);
    }
  }

  void keep_longest(const std::string& service, double seconds) {
    const auto entry = seconds_.try_emplace(service, seconds).first;
    entry->second = std::max(entry->second, seconds);
  }

  // The new one was first.
  bool is_followed_by_a_stop(const Step& start, Timestamp started) const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
      const auto* const stop = std::get_if<compose::StopContainer>(&step.action);
      if (stop == nullptr || step.id < start.id || step.group != start.group) return false;
      const std::optional<Timestamp> died = death_of(resolve(stop->container, created_));
      return died && *died >= started;
    });
  }

  std::optional<Timestamp> find_death(const Step& step, const std::string& container) {
    std::optional<Timestamp> first = death_of(container);
    seen_.clear();
    for (const int stop : stops_before(step, step.group)) {
      const auto& action = std::get<compose::StopContainer>(plan_.steps[static_cast<std::size_t>(stop) - 1].action);
      const std::optional<Timestamp> died = death_of(resolve(action.container, created_));
      if (died && (!first || *died < *first)) first = died;
    }
    return first;
  }

  std::optional<Timestamp> death_of(const std::string& container) const {
    const auto found = times_.died.find(container);
    return found == times_.died.end() ? std::nullopt : std::optional(found->second);
  }

  // The nearest: replicas are stopped and started one after the other, each start waits for its own stop.
  std::vector<int> stops_before(const Step& step, const std::string& group) {
    std::vector<int> stops;
    for (const int id : step.depends_on) {
      const Step& other = plan_.steps[static_cast<std::size_t>(id) - 1];
      if (!seen_.insert(id).second) continue;
      const auto* const stop = std::get_if<compose::StopContainer>(&other.action);
      if (stop != nullptr && stop->was_running && other.group == group) {
        stops.push_back(id);
      } else if (!std::holds_alternative<compose::StartContainer>(other.action)) {
        const std::vector<int> further = stops_before(other, group);
        stops.insert(stops.end(), further.begin(), further.end());
      }
    }
    return stops;
  }

  const compose::Plan& plan_;
  const compose::CreatedIds& created_;
  const LifeTimes& times_;
  std::set<int> seen_;
  std::map<std::string, double> seconds_;
};

}  // namespace

std::map<std::string, double> measure_down_seconds(const compose::Plan& plan, const compose::CreatedIds& created, const LifeTimes& times) {
  return DownTime(plan, created, times).measure();
}

}  // namespace drover::stack
