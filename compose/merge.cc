#include "compose/merge.h"

#include "compose/invalid.h"

#include <algorithm>
#include <unordered_map>

namespace drover::compose {
namespace {

using Merger = Node (*)(Node base, const Node& change, TreePath& path);

Error cannot_override(const Node& base, const Node& change, const TreePath& path) {
  return invalid(change.origin, path, "cannot override " + std::string(describe(base.kind)) + " with " + std::string(describe(change.kind)));
}

Node merge_members(Node base, const Node& change, TreePath& path) {
  if (base.is_null()) base = Node::make_mapping(base.origin);
  if (change.is_null()) return base;
  if (!base.is_mapping() || !change.is_mapping()) throw cannot_override(base, change, path);
  base.members.reserve(base.members.size() + change.members.size());  // so that the views below stay
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < base.members.size(); ++i) places.emplace(base.members[i].key, i);
  for (const Member& member : change.members) {
    const auto place = places.find(member.key);
    if (place == places.end()) {
      base.members.push_back(member);
      continue;
    }
    Node& existing = base.members[place->second].value;
    const PathStep step(path, member.key);
    existing = merge(std::move(existing), member.value, path);
  }
  return base;
}

Node replace(Node, const Node& change, TreePath&) { return change; }

// A mapping becomes sorted "key=value" lines ("key" for null, one line for each item of a list), a string a list of one.
Node to_sequence(const Node& node) {
  if (node.is_sequence()) return node;
  Node list = Node::make_sequence(node.origin);
  if (node.is_string()) list.items.push_back(node);
  for (const Member& member : node.members) {
    const auto add = [&](const Node& value) {
      list.items.push_back(Node::make_string(member.key + (value.is_null() ? "" : "=" + value.text), member.origin));
    };
    if (member.value.is_sequence()) {
      std::for_each(member.value.items.begin(), member.value.items.end(), add);
    } else {
      add(member.value);
    }
  }
  if (node.is_mapping())
    std::stable_sort(list.items.begin(), list.items.end(), [](const Node& a, const Node& b) { return a.text < b.text; });
  return list;
}

Node append_as_sequence(Node base, const Node& change, TreePath&) {
  Node list = to_sequence(base);
  const Node added = to_sequence(change);
  list.items.insert(list.items.end(), added.items.begin(), added.items.end());
  return list;
}

Node append_new_items(Node base, const Node& change, TreePath&) {
  Node list = to_sequence(base);
  const std::size_t before = list.items.size();
  for (const Node& item : to_sequence(change).items) {
    const auto end = list.items.begin() + static_cast<std::ptrdiff_t>(before);
    if (std::none_of(list.items.begin(), end, [&](const Node& known) { return known.equals(item); })) list.items.push_back(item);
  }
  return list;
}

// ["a", "b"] becomes {a: value, b: value}; anything else stays.
Node to_mapping(const Node& node, const Node& value, const TreePath& path) {
  if (!node.is_sequence()) return node;
  Node mapping = Node::make_mapping(node.origin);
  for (const Node& item : node.items) {
    if (!item.is_string()) throw invalid(item.origin, path, "must be a string, not " + std::string(describe(item.kind)));
    Node copy = value;
    copy.origin = item.origin;
    mapping.set(item.text, std::move(copy));
  }
  return mapping;
}

Node merge_named(Node base, const Node& change, TreePath& path) {
  return merge_members(to_mapping(base, Node(), path), to_mapping(change, Node(), path), path);
}

Node merge_depends_on(Node base, const Node& change, TreePath& path) {
  Node value = Node::make_mapping();
  value.set("condition", Node::make_string("service_started"));
  Node required;
  required.kind = Node::Kind::boolean;
  required.text = "true";
  value.set("required", std::move(required));
  return merge_members(to_mapping(base, value, path), to_mapping(change, value, path), path);
}

Node merge_build(Node base, const Node& change, TreePath& path) {
  const auto to_build = [](const Node& node) {
    if (!node.is_string()) return node;
    Node build = Node::make_mapping(node.origin);
    build.set("context", node);
    return build;
  };
  return merge_members(to_build(base), to_build(change), path);
}

// Options belong to a driver: they merge only when both sides mean the same one, or one side names none.
Node merge_logging(Node base, const Node& change, TreePath& path) {
  const Node* driver = base.find("driver");
  const Node* new_driver = change.find("driver");
  if (driver && new_driver && !driver->equals(*new_driver)) return change;
  return merge_members(std::move(base), change, path);
}

// Entries with the same subnet merge, others are added.
Node merge_ipam_config(Node base, const Node& change, TreePath& path) {
  if (base.is_null()) return change;
  if (change.is_null()) return base;
  if (!base.is_sequence() || !change.is_sequence()) throw cannot_override(base, change, path);
  for (const Node& entry : change.items) {
    const Node* subnet = entry.find("subnet");
    const auto twin = std::find_if(base.items.begin(), base.items.end(), [&](const Node& known) {
      const Node* known_subnet = known.find("subnet");
      return subnet && known_subnet && known_subnet->equals(*subnet);
    });
    if (twin == base.items.end()) {
      base.items.push_back(entry);
    } else {
      *twin = merge_members(std::move(*twin), entry, path);
    }
  }
  return base;
}

struct MergeRule {
  std::string_view pattern;
  Merger merger;
};

// compose-go's override package; a path that is not here follows the general rule.
constexpr MergeRule merge_rules[] = {
    {"networks.*.ipam.config", merge_ipam_config},
    {"networks.*.labels", append_as_sequence},
    {"services.*.annotations", append_as_sequence},
    {"services.*.build", merge_build},
    {"services.*.build.additional_contexts", append_as_sequence},
    {"services.*.build.args", append_as_sequence},
    {"services.*.build.extra_hosts", append_new_items},
    {"services.*.build.labels", append_as_sequence},
    {"services.*.command", replace},
    {"services.*.depends_on", merge_depends_on},
    {"services.*.deploy.labels", append_as_sequence},
    {"services.*.dns", append_as_sequence},
    {"services.*.dns_opt", append_as_sequence},
    {"services.*.dns_search", append_as_sequence},
    {"services.*.entrypoint", replace},
    {"services.*.env_file", append_as_sequence},
    {"services.*.environment", append_as_sequence},
    {"services.*.extra_hosts", append_new_items},
    {"services.*.healthcheck.test", replace},
    {"services.*.label_file", append_as_sequence},
    {"services.*.labels", append_as_sequence},
    {"services.*.logging", merge_logging},
    {"services.*.models", merge_named},
    {"services.*.networks", merge_named},
    {"services.*.sysctls", append_as_sequence},
    {"services.*.tmpfs", append_as_sequence},
    {"services.*.ulimits.*", replace},
    {"volumes.*.labels", append_as_sequence},
};

}  // namespace

Node merge(Node base, const Node& change, TreePath& path) {
  for (const MergeRule& rule : merge_rules)
    if (matches(path, rule.pattern)) return rule.merger(std::move(base), change, path);
  if (change.is_null()) return base;
  if (base.is_mapping()) return merge_members(std::move(base), change, path);
  if (base.is_sequence()) {
    if (!change.is_sequence()) throw cannot_override(base, change, path);
    base.items.insert(base.items.end(), change.items.begin(), change.items.end());
    return base;
  }
  return change;
}

Node merge(Node base, const Node& change) {
  TreePath path;
  return merge(std::move(base), change, path);
}

}  // namespace drover::compose
