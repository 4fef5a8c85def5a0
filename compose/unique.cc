#include "compose/unique.h"

#include "compose/invalid.h"
#include "compose/short_volume.h"

#include <map>

namespace drover::compose {
namespace {

using KeyOf = std::string (*)(const Node& entry, const TreePath& path);

Error unexpected(const Node& entry, const TreePath& path) {
  return invalid(entry.origin, path, std::string(describe(entry.kind)) + " cannot stand here");
}

const Node& required_member(const Node& entry, std::string_view name, const TreePath& path) {
  const Node* member = entry.find(name);
  if (!member || !member->is_scalar() || member->is_null()) throw invalid(entry.origin, path, "\"" + std::string(name) + "\" is missing");
  return *member;
}

std::string by_name(const Node& entry, const TreePath& path) {
  if (!entry.is_string()) throw unexpected(entry, path);
  return entry.text.substr(0, entry.text.find('='));
}

std::string by_text(const Node& entry, const TreePath& path) {
  if (!entry.is_string() && entry.kind != Node::Kind::integer && entry.kind != Node::Kind::number) throw unexpected(entry, path);
  return entry.text;
}

std::string by_volume_target(const Node& entry, const TreePath& path) {
  if (entry.is_mapping()) return required_member(entry, "target", path).text;
  if (!entry.is_string()) throw unexpected(entry, path);
  const auto volume = parse_short_volume(entry.text);
  if (!volume) throw invalid(entry.origin, path, "volume \"" + entry.text + "\" is not [SOURCE:]TARGET[:OPTIONS]");
  return std::string(volume->target);
}

std::string by_device_target(const Node& entry, const TreePath& path) {
  if (entry.is_mapping()) return required_member(entry, "target", path).text;
  if (!entry.is_string()) throw unexpected(entry, path);
  const std::size_t colon = entry.text.find(':');
  if (colon == std::string::npos) return entry.text;
  return entry.text.substr(colon + 1, entry.text.find(':', colon + 1) - colon - 1);
}

std::string by_mount(std::string_view folder, const Node& entry, const TreePath& path) {
  if (entry.is_string()) return std::string(folder) + "/" + entry.text;
  if (!entry.is_mapping()) throw unexpected(entry, path);
  if (const Node* target = entry.find("target")) return target->text;
  return std::string(folder) + "/" + std::string(entry.text_of("source"));
}

std::string by_config(const Node& entry, const TreePath& path) { return by_mount("", entry, path); }
std::string by_secret(const Node& entry, const TreePath& path) { return by_mount("/run/secrets", entry, path); }

std::string by_env_file(const Node& entry, const TreePath& path) {
  return entry.is_mapping() ? required_member(entry, "path", path).text : by_text(entry, path);
}

std::string by_port(const Node& entry, const TreePath& path) {
  if (!entry.is_mapping()) return by_text(entry, path);
  const auto text_or = [&](std::string_view name, std::string_view fallback) {
    const Node* member = entry.find(name);
    return member && member->is_scalar() ? member->text : std::string(fallback);
  };
  return text_or("host_ip", "0.0.0.0") + ":" + text_or("published", "") + ":" + required_member(entry, "target", path).text + "/" +
         text_or("protocol", "tcp");
}

struct UniqueRule {
  std::string_view pattern;
  KeyOf key_of;
};

constexpr UniqueRule unique_rules[] = {
    {"networks.*.ipam.options", by_name},
    {"networks.*.labels", by_name},
    {"services.*.annotations", by_name},
    {"services.*.build.additional_contexts", by_name},
    {"services.*.build.args", by_name},
    {"services.*.build.labels", by_name},
    {"services.*.build.platforms", by_text},
    {"services.*.build.tags", by_name},
    {"services.*.cap_add", by_name},
    {"services.*.cap_drop", by_name},
    {"services.*.configs", by_config},
    {"services.*.deploy.labels", by_name},
    {"services.*.devices", by_device_target},
    {"services.*.dns", by_name},
    {"services.*.dns_opt", by_name},
    {"services.*.dns_search", by_name},
    {"services.*.env_file", by_env_file},
    {"services.*.environment", by_name},
    {"services.*.expose", by_text},
    {"services.*.labels", by_name},
    {"services.*.links", by_name},
    {"services.*.networks.*.aliases", by_name},
    {"services.*.networks.*.link_local_ips", by_name},
    {"services.*.ports", by_port},
    {"services.*.profiles", by_name},
    {"services.*.secrets", by_secret},
    {"services.*.sysctls", by_name},
    {"services.*.tmpfs", by_name},
    {"services.*.volumes", by_volume_target},
    {"volumes.*.labels", by_name},
};

void reduce(Node& list, KeyOf key_of, TreePath& path) {
  std::vector<Node> kept;
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const PathStep step(path, "[" + std::to_string(i) + "]");
    const auto [place, is_new] = places.emplace(key_of(list.items[i], path), kept.size());
    if (is_new) {
      kept.push_back(std::move(list.items[i]));
    } else {
      kept[place->second] = std::move(list.items[i]);
    }
  }
  list.items = std::move(kept);
}

void make_unique_below(Node& node, TreePath& path) {
  if (node.is_sequence()) {
    for (const UniqueRule& rule : unique_rules) {
      if (!matches(path, rule.pattern)) continue;
      reduce(node, rule.key_of, path);
      return;
    }
  }
  for (Member& member : node.members) {
    const PathStep step(path, member.key);
    make_unique_below(member.value, path);
  }
}

}  // namespace

void keep_last_of_equal(Node& project) {
  TreePath path;
  make_unique_below(project, path);
}

}  // namespace drover::compose
