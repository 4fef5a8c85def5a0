#include "cli/render.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <chrono>

namespace drover::cli {
namespace {

std::int64_t nanoseconds_of(stack::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

enum class Bytes { told, left_out };

Json item_json(const stack::PruneItem& item, Bytes bytes) {
  Json json{{"kind", to_string(item.kind)}, {"id", item.id}, {"names", item.names}};
  if (bytes == Bytes::told) json["bytes"] = item.bytes;
  json["reason"] = item.reason;
  if (item.kind != stack::PruneKind::volume || bytes == Bytes::left_out) return json;
  json["named"] = item.is_named;
  json["created"] = item.created ? Json(nanoseconds_of(*item.created)) : Json(nullptr);
  return json;
}

Json items_json(const std::vector<stack::PruneItem>& items, Bytes bytes) {
  Json list = Json::array();
  for (const stack::PruneItem& item : items) list.push_back(item_json(item, bytes));
  return list;
}

Json policy_json(const stack::PrunePolicy& policy) {
  Json kinds = Json::array();
  for (const stack::PruneKind kind : policy.kinds) kinds.push_back(to_string(kind));
  return {{"kinds", kinds},
          {"keep", policy.keep},
          {"minAgeSeconds", policy.min_age.count()},
          {"free", policy.free_bytes ? Json(*policy.free_bytes) : Json(nullptr)},
          {"volumes", policy.volumes},
          {"project", policy.named_of},
          {"force", policy.force}};
}

stack::PrunePolicy policy_of(const Json& json) {
  stack::PrunePolicy policy;
  for (const Json& name : json.at("kinds")) policy.kinds.insert(stack::parse_prune_kind(name.get<std::string>()).value());
  policy.keep = json.at("keep").get<std::size_t>();
  policy.min_age = std::chrono::seconds(json.at("minAgeSeconds").get<std::int64_t>());
  if (!json.at("free").is_null()) policy.free_bytes = json.at("free").get<std::uint64_t>();
  policy.volumes = json.at("volumes").get<std::set<std::string>>();
  policy.named_of = json.at("project").get<std::string>();
  policy.force = json.at("force").get<bool>();
  return policy;
}

stack::PruneItem item_of(const Json& json) {
  stack::PruneItem item{.kind = stack::parse_prune_kind(json.at("kind").get<std::string>()).value(),
                        .id = json.at("id").get<std::string>(),
                        .names = json.at("names").get<std::vector<std::string>>(),
                        .bytes = json.at("bytes").get<std::uint64_t>(),
                        .reason = json.at("reason").get<std::string>()};
  if (item.kind != stack::PruneKind::volume) return item;
  item.is_named = json.at("named").get<bool>();
  if (!json.at("created").is_null()) item.created = stack::TimePoint(std::chrono::nanoseconds(json.at("created").get<std::int64_t>()));
  return item;
}

std::string name_of(const stack::PruneItem& item) { return printable(item.names.empty() ? item.id : join(item.names, ", ")); }

}  // namespace

Json prune_json(const stack::PrunePlan& plan, const std::optional<stack::PruneReport>& report) {
  Json json{{"keep", items_json(plan.keep, Bytes::left_out)},
            {"remove", items_json(plan.remove, Bytes::told)},
            {"refused", items_json(plan.refused, Bytes::left_out)},
            {"bytes", plan.bytes},
            {"engine", plan.engine},
            {"policy", policy_json(plan.policy)},
            {"applied", report.has_value()}};
  if (!report) return json;
  Json outcomes = Json::array();
  for (const stack::PruneOutcome& outcome : report->outcomes) {
    Json entry{{"kind", to_string(outcome.item.kind)}, {"id", outcome.item.id}, {"state", to_string(outcome.state)}};
    if (!outcome.why.empty()) entry["reason"] = outcome.why;
    if (!outcome.archive.empty()) entry["archive"] = outcome.archive.string();
    outcomes.push_back(std::move(entry));
  }
  json["outcomes"] = std::move(outcomes);
  json["removedBytes"] = report->bytes;
  json["measuredBytes"] = report->measured_bytes ? Json(*report->measured_bytes) : Json(nullptr);
  return json;
}

std::string prune_report_text(const stack::PruneReport& report) {
  std::string text;
  std::size_t removed = 0;
  for (const stack::PruneOutcome& outcome : report.outcomes) {
    if (outcome.state == stack::PruneOutcome::State::removed) ++removed;
    const std::string what = std::string(to_string(outcome.item.kind)) + " " + name_of(outcome.item);
    if (!outcome.archive.empty()) text += "archived " + what + ": " + outcome.archive.string() + "\n";
    if (outcome.state == stack::PruneOutcome::State::removed) continue;
    text += std::string(to_string(outcome.state)) + " " + what + (outcome.why.empty() ? "" : ": " + printable(outcome.why)) + "\n";
  }
  text += "removed " + std::to_string(removed) + ", " + format_bytes(report.bytes);
  if (report.measured_bytes) {
    const bool has_grown = *report.measured_bytes < 0;
    text += "; by the engine's own count " + format_bytes(static_cast<std::uint64_t>(std::abs(*report.measured_bytes))) + (has_grown ? " more" : "");
  }
  return text + "\n";
}

stack::PrunePlan parse_prune_plan(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    stack::PrunePlan plan{.policy = policy_of(json.at("policy")), .engine = json.at("engine").get<std::string>(), .keep = {}, .remove = {}, .refused = {}, .bytes = 0};
    for (const Json& item : json.at("remove")) plan.remove.push_back(item_of(item));
    plan.bytes = json.at("bytes").get<std::uint64_t>();
    return plan;
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::usage, "not a plan of drover gc --json: no JSON from byte " + std::to_string(error.byte) + " on");
  } catch (const Json::exception&) {
    throw Error(ErrorCode::usage, "not a plan of drover gc --json: a member is missing, or not what it should be");
  } catch (const std::bad_optional_access&) {
    throw Error(ErrorCode::usage, "not a plan of drover gc --json: it names a kind of object that this drover does not know");
  }
}

}  // namespace drover::cli
