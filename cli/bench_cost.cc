#include "cli/bench_cost.h"

#include "base/error.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::cli {

std::uint64_t PullCost::hub_pulls() const {
  const auto askers = std::count_if(tools.begin(), tools.end(), [](const std::string& tool) { return tool != "curl"; });
  return hub_images * rounds * static_cast<std::uint64_t>(askers);
}

void require_quota(const PullCost& cost) {
  if (!cost.hub_limit || !cost.hub_limit->remaining || *cost.hub_limit->remaining >= cost.hub_pulls()) return;
  throw Error(ErrorCode::refused, "nothing was measured: Docker Hub has " + std::to_string(*cost.hub_limit->remaining) +
                                      " pulls left for you, " + std::to_string(cost.hub_pulls()) +
                                      " would be needed; log in, or take fewer images, tools or --repeat");
}

std::string to_text(const PullCost& cost) {
  std::string text = "to fetch: " + format_bytes(cost.bytes) + ", " + std::to_string(cost.rounds) +
                     (cost.rounds == 1 ? " time" : " times") + ", by " + join(cost.tools, ", ") + ": " +
                     format_bytes(cost.bytes_total()) + " in all\n";
  if (cost.hub_pulls() == 0) return text;
  text += "docker hub: " + std::to_string(cost.hub_pulls()) + " pulls";
  if (cost.hub_limit && cost.hub_limit->remaining) text += ", " + std::to_string(*cost.hub_limit->remaining) + " left";
  return text + "\n";
}

Json cost_json(const PullCost& cost) {
  const auto number_or_null = [](const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(nullptr); };
  Json json = {{"bytes", cost.bytes}, {"repeat", cost.rounds}, {"tools", cost.tools}, {"bytesTotal", cost.bytes_total()}};
  const registry::RateLimit limit = cost.hub_limit.value_or(registry::RateLimit{});
  json["dockerHub"] = {
      {"pulls", cost.hub_pulls()}, {"limit", number_or_null(limit.limit)}, {"remaining", number_or_null(limit.remaining)}};
  return json;
}

}  // namespace drover::cli
