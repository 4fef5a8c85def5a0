#include "cli/render_plan.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <map>

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

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

Json outcomes_json(const std::vector<StepOutcome>& outcomes) {
  Json list = Json::array();
  for (const StepOutcome& outcome : outcomes) {
    Json entry{{"id", outcome.id}, {"state", to_string(outcome.state)}, {"seconds", rounded(outcome.seconds)}};
    entry["error"] = outcome.error.empty() ? Json(nullptr) : Json(outcome.error);
    list.push_back(std::move(entry));
  }
  return list;
}

Json services_json(const compose::Plan& plan, const stack::ApplyReport& applied) {
  Json list = Json::array();
  for (const compose::ServiceChange& change : plan.services) {
    const auto down = applied.down_seconds.find(change.service);
    list.push_back({{"service", change.service},
                    {"downSeconds", down == applied.down_seconds.end() ? Json(nullptr) : Json(rounded(down->second))},
                    {"action", change.action}});
  }
  return list;
}

std::string_view past_of(const std::string& action) {
  static const std::map<std::string, std::string_view> words = {{"create", "created"},
                                                                {"recreate", "recreated"},
                                                                {"start", "started"},
                                                                {"restart", "restarted"},
                                                                {"scale", "scaled"},
                                                                {"remove", "removed"},
                                                                {"stop", "stopped"},
                                                                {"none", "as it was"}};
  const auto found = words.find(action);
  return found == words.end() ? std::string_view(action) : found->second;
}

}  // namespace

std::string change_plan_text(const compose::Plan& plan) {
  const std::string text = compose::to_text(plan);
  return compose::is_empty(plan) ? text + "nothing to do\n" : text;
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
  json["services"] = services_json(plan, *applied);
  return json;
}

Json up_json(const stack::UpReport& report) {
  Json json = change_json(report.plan, report.applied);
  json["result"] = to_string(report.end);
  if (report.way_back) {
    Json back = compose::to_json(report.way_back->plan);
    back["outcomes"] = outcomes_json(report.way_back->report.outcomes);
    json["rollback"] = std::move(back);
  }
  if (!report.remedies.empty()) json["remedies"] = report.remedies;
  return json;
}

std::string services_text(const compose::Plan& plan, const stack::ApplyReport& applied) {
  std::string text;
  for (const compose::ServiceChange& change : plan.services) {
    const auto down = applied.down_seconds.find(change.service);
    if (change.action == "none" && down == applied.down_seconds.end()) continue;
    text += change.service + ": " + std::string(past_of(change.action));
    if (down != applied.down_seconds.end()) text += ", down " + down_text(down->second);
    text += "\n";
  }
  return text;
}

}  // namespace drover::cli
