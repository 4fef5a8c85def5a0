#include "cli/render_plan.h"

#include "base/text.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace drover::cli {
namespace {

using compose::StepOutcome;

// Gaps are mostly below a second.
std::string down_text(double seconds) {
  if (seconds >= 60) return format_seconds(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%.2fs", seconds);
  return text;
}

double rounded_seconds(double seconds) { return std::round(seconds * 1000) / 1000; }

Json outcomes_json(const std::vector<StepOutcome>& outcomes) {
  Json list = Json::array();
  for (const StepOutcome& outcome : outcomes) {
    Json entry{{"id", outcome.id}, {"state", to_string(outcome.state)}, {"seconds", rounded_seconds(outcome.seconds)}};
    entry["error"] = outcome.error.empty() ? Json(nullptr) : Json(outcome.error);
    list.push_back(std::move(entry));
  }
  return list;
}

// What became of a service in the end.
struct Ending {
  std::string service;
  std::string action;
  std::optional<double> down_seconds = {};
};

std::optional<double> down_of(const stack::ApplyReport& report, const std::string& service) {
  const auto down = report.down_seconds.find(service);
  return down == report.down_seconds.end() ? std::nullopt : std::optional(down->second);
}

bool has_step_of(const compose::Plan& plan, const std::string& service) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const compose::Step& step) { return step.group == service; });
}

// Something was done to it beside making its new container.
bool was_touched(const compose::Plan& plan, const stack::ApplyReport& applied, const std::string& service) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const compose::Step& step) {
    const bool is_preparation = std::holds_alternative<compose::CreateContainer>(step.action) || std::holds_alternative<compose::WriteFile>(step.action) ||
                                std::holds_alternative<compose::ConnectNetwork>(step.action);
    return step.group == service && !is_preparation && applied.outcomes[static_cast<std::size_t>(step.id) - 1].state != compose::StepOutcome::State::not_run;
  });
}

// A service that went back was down until its old container ran again.
std::vector<Ending> endings_of(const compose::Plan& plan, const stack::ApplyReport& applied, const stack::WayBackReport* way_back) {
  std::vector<Ending> endings;
  for (const compose::ServiceChange& change : plan.services) {
    Ending ending{.service = change.service, .action = change.action, .down_seconds = down_of(applied, change.service)};
    if (applied.failure && !was_touched(plan, applied, change.service)) ending.action = "none";
    if (way_back != nullptr && has_step_of(way_back->plan, change.service)) {
      ending.action = change.action == "create" ? "remove" : "rollback";
      if (const auto down = down_of(way_back->report, change.service)) ending.down_seconds = down;
    }
    endings.push_back(std::move(ending));
  }
  return endings;
}

Json endings_json(const std::vector<Ending>& endings) {
  Json list = Json::array();
  for (const Ending& ending : endings) {
    list.push_back({{"service", ending.service},
                    {"downSeconds", ending.down_seconds ? Json(rounded_seconds(*ending.down_seconds)) : Json(nullptr)},
                    {"action", ending.action}});
  }
  return list;
}

std::string rows_text(const compose::Plan& plan) {
  Table table({"RESOURCE", "ACTION", "CAUSE"});
  for (const PlanRow& row : rows_of(plan)) table.add({row.name, action_text(row), join(causes_of(row), "; ")});
  return table.is_empty() ? std::string() : table.to_string();
}

}  // namespace

std::string change_plan_text(const compose::Plan& plan, PlanText text) {
  compose::Plan notes;
  notes.notes = plan.notes;
  std::string lines = text == PlanText::steps ? compose::to_text(plan) : rows_text(plan) + compose::to_text(notes);
  return compose::is_empty(plan) ? lines + "nothing to do\n" : lines;
}

std::string step_text(const compose::Step& step, const StepOutcome& outcome) {
  std::string text = "#" + std::to_string(step.id) + " " + step.resource + ", " + std::string(compose::operation_of(step.action));
  if (const std::string detail = compose::detail_of(step.action); !detail.empty()) text += " " + detail;
  text += ": " + std::string(to_string(outcome.state)) + " (" + down_text(outcome.seconds) + ")";
  if (!outcome.error.empty()) text += ": " + outcome.error;
  return text;
}

Json change_json(const compose::Plan& plan, const std::optional<stack::ApplyReport>& applied) {
  Json json = compose::to_json(plan);
  if (!applied) return json;
  json["outcomes"] = outcomes_json(applied->outcomes);
  json["services"] = endings_json(endings_of(plan, *applied, nullptr));
  return json;
}

Json up_json(const stack::UpReport& report) {
  Json json = compose::to_json(report.plan);
  if (report.end != stack::UpReport::End::planned) {
    const stack::ApplyReport applied = report.applied.value_or(stack::ApplyReport{});
    json["outcomes"] = outcomes_json(applied.outcomes);
    json["services"] = endings_json(endings_of(report.plan, applied, report.way_back ? &*report.way_back : nullptr));
  }
  json["result"] = to_string(report.end);
  if (report.way_back) {
    Json back = compose::to_json(report.way_back->plan);
    back["outcomes"] = outcomes_json(report.way_back->report.outcomes);
    json["rollback"] = std::move(back);
  }
  if (!report.remedies.empty()) json["remedies"] = report.remedies;
  return json;
}

std::string names_text(const compose::Plan& plan, const std::optional<stack::ApplyReport>& applied, Gone gone) {
  std::string text;
  for (const std::string& name : changed_containers(plan, applied ? applied->outcomes : std::vector<StepOutcome>(), gone)) text += name + "\n";
  return text;
}

std::string services_text(const compose::Plan& plan, const stack::ApplyReport& applied, const stack::WayBackReport* way_back) {
  std::string text;
  for (const Ending& ending : endings_of(plan, applied, way_back)) {
    if (ending.action == "none" && !ending.down_seconds) continue;
    text += ending.service + ": " + std::string(past_of(ending.action));
    if (ending.down_seconds) text += ", down " + down_text(*ending.down_seconds);
    text += "\n";
  }
  return text;
}

}  // namespace drover::cli
