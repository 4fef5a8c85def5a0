#include "stack/remedies.h"

#include "base/overload.h"
#include "base/text.h"
#include "compose/labels.h"
#include "compose/slots.h"
#include "stack/ledger.h"

#include <map>
#include <set>
#include <utility>
#include <variant>

namespace drover::stack {
namespace {

// By ID, as it stays right whatever the name is by then.
std::string target_text(const compose::ContainerTarget& target) { return compose::short_id(target.id); }

// Empty for what no command undoes.
std::string command_of(const compose::Action& action) {
  return std::visit(
      Overload{[](const compose::RemoveNetwork& remove) { return "docker network rm " + remove.request.name; },
               [](const compose::CreateNetwork& create) {
                 return "docker network create " + create.request.name + " (with the settings it had)";
               },
               [](const compose::ConnectNetwork& connect) {
                 return "docker network connect " + connect.network + " " + target_text(connect.container);
               },
               [](const compose::DisconnectNetwork& leave) {
                 return "docker network disconnect " + leave.network + " " + target_text(leave.container);
               },
               [](const compose::StartContainer& start) { return "docker start " + target_text(start.container); },
               [](const compose::StopContainer& stop) { return "docker stop " + target_text(stop.container); },
               [](const compose::RestartContainer& restart) { return "docker restart " + target_text(restart.container); },
               [](const compose::RenameContainer& rename) {
                 return "docker rename " + target_text(rename.container) + " " + rename.to;
               },
               [](const compose::RemoveContainer& remove) { return "docker rm -f " + target_text(remove.container); },
               [](const auto&) { return std::string(); }},
      action);
}

std::string containers_text(const std::vector<engine::ContainerSummary>& containers, const std::string& service) {
  std::vector<std::string> texts;
  for (const engine::ContainerSummary& container : containers) {
    if (service_of(container.labels) == service) texts.push_back(container.name + " (" + container.state + ")");
  }
  return texts.empty() ? "no container" : join(texts, ", ");
}

compose::StepOutcome::State state_of(const std::vector<compose::StepOutcome>& outcomes, int id) {
  for (const compose::StepOutcome& outcome : outcomes) {
    if (outcome.id == id) return outcome.state;
  }
  return compose::StepOutcome::State::not_run;
}

}  // namespace

std::vector<std::string> remedies_of_way_back(const compose::Plan& way_back,
                                              const std::vector<compose::StepOutcome>& outcomes,
                                              const std::vector<engine::ContainerSummary>& containers) {
  std::map<std::string, std::vector<std::string>> owed;  // commands, by service
  for (const compose::Step& step : way_back.steps) {
    if (state_of(outcomes, step.id) == compose::StepOutcome::State::done) continue;
    if (const std::string command = command_of(step.action); !command.empty()) owed[step.group].push_back(command);
  }
  std::vector<std::string> lines;
  for (const auto& [service, commands] : owed) {
    const std::string now = service.empty() ? "networks" : service + ": " + containers_text(containers, service);
    lines.push_back(now + "; to go back: " + join(commands, " && "));
  }
  return lines;
}

std::vector<std::string> remedies_of_kept(const compose::Plan& plan, const std::vector<compose::StepOutcome>& outcomes) {
  std::vector<std::string> lines;
  for (const compose::Step& step : plan.steps) {
    const auto* const rename = std::get_if<compose::RenameContainer>(&step.action);
    const bool is_old = rename != nullptr && !rename->container.id.empty() && compose::is_kept_name(rename->to, rename->from);
    const bool is_done = step.is_done || state_of(outcomes, step.id) == compose::StepOutcome::State::done;
    if (is_old && is_done)
      lines.push_back(step.group + ": the container from before is kept as " + rename->to +
                      "; the next drover up whose gates are passed removes it; to go back to it, stop and remove the new one, rename and start it");
  }
  return lines;
}

}  // namespace drover::stack
