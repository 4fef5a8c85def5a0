#include "stack/platforms.h"

#include <algorithm>
#include <utility>

namespace drover::stack {
namespace {

bool is_same(const registry::PlatformChoice& a, const registry::PlatformChoice& b) { return a.all == b.all && a.wanted == b.wanted; }

std::optional<Platform> find_best(const Platform& machine, const std::vector<Platform>& asked) {
  std::optional<Platform> best;
  std::size_t best_rank = SIZE_MAX;
  for (const Platform& platform : asked) {
    const auto rank = match_rank(machine, platform);
    if (rank && *rank < best_rank) {
      best = platform;
      best_rank = *rank;
    }
  }
  return best;
}

}  // namespace

LoadTarget choose_load_target(const std::optional<Platform>& own, const std::optional<Platform>& engine,
                              const registry::PlatformChoice& asked) {
  if (own) return {.platform = *own, .is_own = true};
  const bool is_open = asked.all || asked.wanted.empty();
  if (!engine) return {.platform = is_open ? Platform::host() : asked.wanted.front()};
  if (is_open) return {.platform = *engine};
  if (auto best = find_best(*engine, asked.wanted)) return {.platform = *std::move(best)};
  return {.platform = asked.wanted.front(), .is_for_engine = asked.wanted.size() == 1};
}

registry::PlatformChoice choose_pulled(const LoadTarget& target, const registry::PlatformChoice& asked) {
  if (target.is_own && !asked.all) return {.all = false, .wanted = {target.platform}};
  registry::PlatformChoice choice = asked;
  const bool is_covered = asked.all || std::find(asked.wanted.begin(), asked.wanted.end(), target.platform) != asked.wanted.end();
  if (!is_covered) choice.wanted.push_back(target.platform);
  return choice;
}

std::vector<PullGroup> group_by_platforms(const std::vector<LoadTarget>& targets, const registry::PlatformChoice& asked) {
  std::vector<PullGroup> groups;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    registry::PlatformChoice choice = choose_pulled(targets[i], asked);
    const auto known = std::find_if(groups.begin(), groups.end(), [&](const PullGroup& g) { return is_same(g.platforms, choice); });
    if (known != groups.end()) {
      known->images.push_back(i);
    } else {
      groups.push_back({.platforms = std::move(choice), .images = {i}});
    }
  }
  return groups;
}

}  // namespace drover::stack
