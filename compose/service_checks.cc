#include "compose/service_checks.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/quantity.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace drover::compose {
namespace {

const Node* find(const Node& node, std::string_view key) {
  const Node* value = node.find(key);
  return value && !value->is_null() ? value : nullptr;
}

const Node* find(const Node& node, std::string_view key, std::string_view second) {
  const Node* outer = find(node, key);
  return outer ? find(*outer, second) : nullptr;
}

// deploy.resources.<side>, if there is such a mapping.
const Node* deploy_resources(const Node& service, std::string_view side) {
  const Node* resources = find(service, "deploy", "resources");
  return resources ? find(*resources, side) : nullptr;
}

using Parser = std::optional<double> (*)(const Node& node);

std::optional<double> as_number(const Node& node) {
  const auto value = parse_number(node.text);
  return value ? std::optional(static_cast<double>(static_cast<float>(*value))) : std::nullopt;
}

std::optional<double> as_bytes(const Node& node) {
  const auto value = node.is_string() ? parse_byte_count(node.text) : parse_integer(node.text);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

struct SameLimit {
  std::string_view key;
  std::string_view side;
  std::string_view deploy_key;
  Parser parse;
};

constexpr SameLimit same_limits[] = {
    {"cpus", "limits", "cpus", as_number},
    {"mem_limit", "limits", "memory", as_bytes},
    {"mem_reservation", "reservations", "memory", as_bytes},
    {"pids_limit", "limits", "pids", as_number},
};

// A limit that `deploy` does not set is zero for docker compose, and so differs.
void check_limits(const Node& service, const TreePath& path) {
  for (const SameLimit& same : same_limits) {
    const Node* own = find(service, same.key);
    const Node* resources = deploy_resources(service, same.side);
    if (!own || !resources) continue;
    const Node* other = find(*resources, same.deploy_key);
    const double value = same.parse(*own).value_or(0);
    if (value == 0 || value == (other ? same.parse(*other).value_or(0) : 0)) continue;
    throw invalid(own->origin,
                  path,
                  "`" + std::string(same.key) + "` and `deploy.resources." + std::string(same.side) + "." +
                      std::string(same.deploy_key) + "` differ");
  }
}

std::optional<std::int64_t> as_count(const Node* node, const TreePath& path, std::string_view key) {
  if (!node) return std::nullopt;
  const auto count = parse_integer(node->text);
  if (count && *count < 0) throw invalid(node->origin, path, "`" + std::string(key) + "` must not be negative");
  return count;
}

void check_scale(const Node& service, const TreePath& path) {
  const Node* scale_node = find(service, "scale");
  const Node* replicas_node = find(service, "deploy", "replicas");
  const auto scale = as_count(scale_node, path, "scale");
  const auto replicas = as_count(replicas_node, path, "deploy.replicas");
  if (scale && replicas && *scale != *replicas) throw invalid(scale_node->origin, path, "`scale` and `deploy.replicas` differ");
  const Node* name = find(service, "container_name");
  if (name && !name->text.empty() && scale.value_or(replicas.value_or(1)) > 1)
    throw invalid(name->origin,
                  path,
                  "`container_name` cannot be that of several containers: leave it out, or `scale` and `deploy.replicas`");
}

void check_mount_targets(const Node& service, const TreePath& path) {
  std::map<std::string, std::string> places;
  const auto take = [&](const std::string& target, const Node& node, const std::string& place) {
    const auto [earlier, is_new] = places.emplace(target, place);
    if (!is_new)
      throw invalid(node.origin, path, place + ": target " + printable(target, 120) + " is already that of " + earlier->second);
  };
  const Node* tmpfs = find(service, "tmpfs");
  if (tmpfs && tmpfs->is_string()) take(tmpfs->text.substr(0, tmpfs->text.find(':')), *tmpfs, "tmpfs");
  if (tmpfs)
    for (std::size_t i = 0; i < tmpfs->items.size(); ++i)
      take(tmpfs->items[i].text.substr(0, tmpfs->items[i].text.find(':')), tmpfs->items[i], "tmpfs[" + std::to_string(i) + "]");
  const Node* volumes = find(service, "volumes");
  if (!volumes) return;
  for (std::size_t i = 0; i < volumes->items.size(); ++i)
    take(std::string(volumes->items[i].text_of("target")), volumes->items[i], "volumes[" + std::to_string(i) + "]");
}

void check_healthcheck(const Node& service, const TreePath& path) {
  const Node* test = find(service, "healthcheck", "test");
  if (!test || test->items.empty()) return;
  const std::string& kind = test->items.front().text;
  if (kind != "CMD" && kind != "CMD-SHELL" && kind != "NONE")
    throw invalid(test->origin, path, "healthcheck.test must start with CMD, CMD-SHELL or NONE");
}

void check_build(const Node& service, const TreePath& path) {
  const Node* build = find(service, "build");
  if (!build) return;
  const Node* inline_file = find(*build, "dockerfile_inline");
  if (inline_file && !inline_file->text.empty() && !build->text_of("dockerfile").empty())
    throw invalid(inline_file->origin, path, "`dockerfile` and `dockerfile_inline` exclude each other");
  const Node* platforms = find(*build, "platforms");
  const std::string_view platform = service.text_of("platform");
  if (!platforms || platforms->items.empty() || platform.empty()) return;
  const bool is_there =
      std::any_of(platforms->items.begin(), platforms->items.end(), [&](const Node& item) { return item.text == platform; });
  if (!is_there)
    throw invalid(platforms->origin, path, "build.platforms lacks the service's platform " + printable(platform, 80));
}

void check_watches(const Node& service, const TreePath& path) {
  const Node* watches = find(service, "develop", "watch");
  if (!watches) return;
  for (const Node& watch : watches->items) {
    const std::string_view action = watch.text_of("action");
    if (watch.text_of("target").empty() && action != "rebuild" && action != "restart")
      throw invalid(watch.origin, path, "develop.watch needs a `target` for " + printable(action, 40));
  }
}

}  // namespace

void check_service(std::string_view name, const Node& service) {
  const TreePath path = {"services", std::string(name)};
  check_build(service, path);
  check_healthcheck(service, path);
  check_limits(service, path);
  check_scale(service, path);
  check_watches(service, path);
  check_mount_targets(service, path);
}

}  // namespace drover::compose
