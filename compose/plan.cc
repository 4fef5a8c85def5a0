#include "compose/plan.h"

#include "base/overload.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace drover::compose {
namespace {

// One an alternative of Action, in its order.
constexpr std::array<std::string_view, std::variant_size_v<Action>> operations{"create",
                                                                               "remove",
                                                                               "connect",
                                                                               "disconnect",
                                                                               "create",
                                                                               "remove",
                                                                               "create",
                                                                               "write",
                                                                               "start",
                                                                               "stop",
                                                                               "restart",
                                                                               "rename",
                                                                               "remove",
                                                                               "run",
                                                                               "wait"};

std::string text_of(const Await& await) {
  switch (await.until) {
    case Await::Until::healthy: return "until healthy";
    case Await::Until::completed: return "until completed";
    case Await::Until::gate: return "until it runs or is healthy";
  }
  return {};
}

// "#1-3, #5" of ascending ids.
std::string text_of(std::vector<int> ids) {
  std::sort(ids.begin(), ids.end());
  std::string text;
  for (std::size_t first = 0; first < ids.size();) {
    std::size_t last = first;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1) ++last;
    text += (text.empty() ? "#" : ", #") + std::to_string(ids[first]);
    if (last > first) text += "-" + std::to_string(ids[last]);
    first = last + 1;
  }
  return text;
}

// Nothing of a container that gets its own name at once.
std::string detail_of(const Step& step) {
  const auto* create = std::get_if<CreateContainer>(&step.action);
  return create && step.resource == "container " + create->name ? std::string() : compose::detail_of(step.action);
}

std::string line_of(const Step& step) {
  std::string line = "#" + std::to_string(step.id) + " " + step.resource + ", " + std::string(operation_of(step.action));
  if (const std::string detail = detail_of(step); !detail.empty()) line += " " + detail;
  if (!step.cause.empty()) line += ", " + step.cause;
  if (!step.depends_on.empty()) line += " (after " + text_of(step.depends_on) + ")";
  if (step.is_destructive) line += " (destructive)";
  if (step.is_done) line += " (done)";
  return printable(line, 2000) + "\n";
}

// Arguments of a hook may be secrets.
std::string hook_text(const Hook& hook) {
  if (!hook.command || hook.command->empty()) return {};
  const std::size_t arguments = hook.command->size() - 1;
  if (arguments == 0) return hook.command->front();
  return hook.command->front() + " with " + std::to_string(arguments) + (arguments == 1 ? " argument" : " arguments");
}

}  // namespace

std::string_view operation_of(const Action& action) {
  return operations.at(action.index());
}

std::string detail_of(const Action& action) {
  return std::visit(Overload{[](const ConnectNetwork& connect) { return "to network " + connect.network; },
                             [](const DisconnectNetwork& disconnect) { return "from network " + disconnect.network; },
                             [](const CreateContainer& create) { return "as " + create.name; },
                             [](const RenameContainer& rename) { return "to " + rename.to; },
                             [](const WriteFile& file) { return file.path; },
                             [](const RunHook& run) { return hook_text(run.hook); },
                             [](const Await& await) { return text_of(await); },
                             [](const auto&) { return std::string(); }},
                    action);
}

bool is_empty(const Plan& plan) {
  return std::all_of(plan.steps.begin(), plan.steps.end(), [](const Step& step) { return step.is_done; });
}

std::string to_text(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) text += line_of(step);
  for (const std::string& note : plan.notes) text += "note: " + printable(note, 2000) + "\n";
  return text;
}

nlohmann::ordered_json to_json(const Plan& plan) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const Step& step : plan.steps) {
    nlohmann::ordered_json json = {{"id", step.id},
                                   {"operation", operation_of(step.action)},
                                   {"resource", step.resource},
                                   {"cause", step.cause},
                                   {"dependsOn", step.depends_on},
                                   {"group", step.group},
                                   {"destructive", step.is_destructive}};
    if (const std::string detail = detail_of(step); !detail.empty()) json["detail"] = detail;
    if (step.is_done) json["done"] = true;
    steps.push_back(std::move(json));
  }
  return {{"steps", std::move(steps)}, {"notes", plan.notes}};
}

std::string_view to_string(StepOutcome::State state) {
  switch (state) {
    case StepOutcome::State::not_run: return "not-run";
    case StepOutcome::State::done: return "done";
    case StepOutcome::State::failed: return "failed";
    case StepOutcome::State::warned: return "warned";
  }
  return {};
}

}  // namespace drover::compose
