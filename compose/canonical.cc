#include "compose/canonical.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/relative_paths.h"
#include "compose/short_port.h"
#include "compose/short_volume.h"
#include "compose/tree_path.h"

#include <algorithm>
#include <iterator>

namespace drover::compose {
namespace {

Node make_boolean(bool value, const Origin& origin) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.text = value ? "true" : "false";
  node.origin = origin;
  return node;
}

Node make_integer(std::uint64_t value, const Origin& origin) {
  Node node;
  node.kind = Node::Kind::integer;
  node.text = std::to_string(value);
  node.origin = origin;
  return node;
}

void set_if_absent(Node& node, std::string_view key, Node value) {
  if (!node.find(key)) node.set(key, std::move(value));
}

// "x" becomes {key: "x"}.
Node wrap(const Node& node, std::string_view key) {
  Node mapping = Node::make_mapping(node.origin);
  mapping.set(key, node);
  return mapping;
}

struct Context {
  BrokenShortForm broken;
  TreePath path;
};

using Transformer = void (*)(Node& node, Context& context);

void wrap_context(Node& node, Context&) {
  if (node.is_string()) node = wrap(node, "context");
}

void wrap_source(Node& node, Context&) {
  if (node.is_string()) node = wrap(node, "source");
}

void wrap_service(Node& node, Context&) {
  if (node.is_string()) node = wrap(node, "service");
}

void to_text(Node& node, Context&) {
  if (node.is_scalar() && !node.is_null()) node.kind = Node::Kind::string;
}

void to_list(Node& node, Context&) {
  if (!node.is_string()) return;
  Node list = Node::make_sequence(node.origin);
  list.items.push_back(node);
  node = std::move(list);
}

// ["a", "b"] becomes {a: null, b: null}.
void to_named(Node& node, Context&) {
  if (!node.is_sequence()) return;
  Node mapping = Node::make_mapping(node.origin);
  for (const Node& item : node.items) {
    Node none;
    none.origin = item.origin;
    mapping.set(item.text, std::move(none));
  }
  node = std::move(mapping);
}

// ["a=b"] becomes {a: "b"}.
void to_key_values(Node& node, Context& context) {
  if (!node.is_sequence()) return;
  Node mapping = Node::make_mapping(node.origin);
  for (const Node& item : node.items) {
    const std::size_t equals = item.text.find('=');
    if (equals == std::string::npos) {
      if (context.broken == BrokenShortForm::keep) return;
      throw invalid(item.origin, context.path, "\"" + printable(item.text, 80) + "\" is not key=value");
    }
    mapping.set(item.text.substr(0, equals), Node::make_string(item.text.substr(equals + 1), item.origin));
  }
  node = std::move(mapping);
}

// ["default", "key=path"] becomes {default: null, key: "path"}.
void to_ssh_keys(Node& node, Context& context) {
  if (!node.is_sequence()) return;
  Node mapping = Node::make_mapping(node.origin);
  for (const Node& item : node.items) {
    const std::size_t equals = item.text.find('=');
    if (equals == std::string::npos && item.text != "default")
      throw invalid(item.origin, context.path, "ssh key \"" + printable(item.text, 80) + "\" is neither \"default\" nor id=path");
    Node value = equals == std::string::npos ? Node() : Node::make_string(item.text.substr(equals + 1), item.origin);
    value.origin = item.origin;
    mapping.set(item.text.substr(0, equals), std::move(value));
  }
  node = std::move(mapping);
}

void to_dependencies(Node& node, Context& context) {
  const bool is_list = node.is_sequence();
  to_named(node, context);
  for (Member& dependency : node.members) {
    if (is_list) dependency.value = Node::make_mapping(dependency.value.origin);
    set_if_absent(dependency.value, "condition", Node::make_string("service_started", dependency.value.origin));
    set_if_absent(dependency.value, "required", make_boolean(true, dependency.value.origin));
  }
}

void to_env_files(Node& node, Context& context) {
  to_list(node, context);
  for (Node& file : node.items) {
    if (file.is_string()) file = wrap(file, "path");
    set_if_absent(file, "required", make_boolean(true, file.origin));
  }
}

// `gpus: all`.
void to_gpus(Node& node, Context&) {
  if (!node.is_string()) return;
  Node list = Node::make_sequence(node.origin);
  list.items.push_back(wrap(Node::make_string("all", node.origin), "count"));
  node = std::move(list);
}

// "SOURCE[:TARGET[:PERMISSIONS]]".
void to_device(Node& node, Context& context) {
  if (!node.is_string()) return;
  const std::vector<std::string_view> parts = split(node.text, ':');
  if (parts.size() > 3) {
    if (context.broken == BrokenShortForm::keep) return;
    throw invalid(node.origin,
                  context.path,
                  "device \"" + printable(node.text, 80) + "\" is not SOURCE[:TARGET[:PERMISSIONS]]: use the long form");
  }
  const auto text = [&](std::string_view part) { return Node::make_string(std::string(part), node.origin); };
  Node device = Node::make_mapping(node.origin);
  device.set("source", text(parts[0]));
  device.set("target", text(parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0]));
  device.set("permissions", text(parts.size() > 2 ? parts[2] : "rwm"));
  node = std::move(device);
}

void to_ports(Node& node, Context& context) {
  std::vector<Node> ports;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    if (item.is_mapping()) {
      ports.push_back(item);
      continue;
    }
    const PathStep step(context.path, "[" + std::to_string(i) + "]");
    std::vector<ShortPort> parsed;
    try {
      parsed = parse_short_ports(item.text);
    } catch (const Error& error) {
      if (context.broken == BrokenShortForm::keep) return;
      throw invalid(item.origin, context.path, error.what());
    }
    for (const ShortPort& port : parsed) {
      Node entry = Node::make_mapping(item.origin);
      entry.set("mode", Node::make_string("ingress", item.origin));
      if (!port.host_ip.empty()) entry.set("host_ip", Node::make_string(port.host_ip, item.origin));
      if (port.target != 0) entry.set("target", make_integer(port.target, item.origin));
      if (!port.published.empty()) entry.set("published", Node::make_string(port.published, item.origin));
      entry.set("protocol", Node::make_string(port.protocol, item.origin));
      ports.push_back(std::move(entry));
    }
  }
  node.items = std::move(ports);
}

// What the options of a short volume set; unknown ones are ignored, as docker compose does ("cached", "delegated").
void apply_volume_options(Node& volume, std::string_view options) {
  constexpr std::string_view propagations[] = {"rprivate", "private", "rshared", "shared", "rslave", "slave"};
  const auto set_bind = [&](std::string_view key, std::string_view value) {
    set_if_absent(volume, "bind", Node::make_mapping(volume.origin));
    volume.find("bind")->set(key, Node::make_string(std::string(value), volume.origin));
  };
  for (const std::string_view option : split(options, ',')) {
    if (option == "ro") volume.set("read_only", make_boolean(true, volume.origin));
    if (option == "rw") volume.remove("read_only");
    if (option == "nocopy")
      volume.set("volume", Node::make_mapping(volume.origin)).set("nocopy", make_boolean(true, volume.origin));
    if (option == "z" || option == "Z") set_bind("selinux", option);
    if (std::find(std::begin(propagations), std::end(propagations), option) != std::end(propagations))
      set_bind("propagation", option);
  }
}

void to_long_volume(Node& node, Context& context) {
  if (!node.is_string()) return;
  const auto parsed = parse_short_volume(node.text);
  if (!parsed) {
    if (context.broken == BrokenShortForm::keep) return;
    throw invalid(node.origin, context.path, "volume \"" + printable(node.text, 120) + "\" is not [SOURCE:]TARGET[:OPTIONS]");
  }
  Node volume = Node::make_mapping(node.origin);
  volume.set("type", Node::make_string(parsed->is_bind ? "bind" : "volume", node.origin));
  if (!parsed->source.empty()) volume.set("source", Node::make_string(std::string(parsed->source), node.origin));
  volume.set("target", Node::make_string(clean_path(parsed->target), node.origin));
  apply_volume_options(volume, parsed->options);
  if (parsed->is_bind) {
    set_if_absent(volume, "bind", Node::make_mapping(node.origin));
    volume.find("bind")->set("create_host_path", make_boolean(true, node.origin));
  } else if (node.text.size() > 2) {
    set_if_absent(volume, "volume", Node::make_mapping(node.origin));
  }
  node = std::move(volume);
}

// `external: {name: x}` is `external: true` and `name: x`.
void to_resource(Node& node, Context& context) {
  const Node* external = node.find("external");
  if (!external || !external->is_mapping()) return;
  const Node* old_name = external->find("name");
  const Node* name = node.find("name");
  if (old_name && name && !old_name->equals(*name))
    throw invalid(external->origin, context.path, "`name` and `external.name` differ: use `name` only");
  if (old_name && !name) {
    const Node copy = *old_name;
    node.set("name", copy);
  }
  const Origin origin = node.find("external")->origin;
  node.set("external", make_boolean(true, origin));
}

// `dns: ${EXTRA_DNS:-}` means none.
void drop_empty_items(Node& node, Context& context) {
  to_list(node, context);
  std::erase_if(node.items, [](const Node& item) { return item.is_null() || (item.is_string() && item.text.empty()); });
}

struct CanonicalRule {
  std::string_view pattern;
  Transformer transform;
};

// compose-go's transform package. Outer places stand before inner ones, because an outer one may create what an inner one looks
// at.
constexpr CanonicalRule canonical_rules[] = {
    {"services.*.build", wrap_context},
    {"services.*.build.additional_contexts", to_key_values},
    {"services.*.build.provenance", to_text},
    {"services.*.build.sbom", to_text},
    {"services.*.build.secrets.*", wrap_source},
    {"services.*.build.ssh", to_ssh_keys},
    {"services.*.configs.*", wrap_source},
    {"services.*.depends_on", to_dependencies},
    {"services.*.develop.watch.*.ignore", to_list},
    {"services.*.develop.watch.*.include", to_list},
    {"services.*.devices.*", to_device},
    {"services.*.dns", drop_empty_items},
    {"services.*.env_file", to_env_files},
    {"services.*.extends", wrap_service},
    {"services.*.gpus", to_gpus},
    {"services.*.label_file", to_list},
    {"services.*.models", to_named},
    {"services.*.networks", to_named},
    {"services.*.ports", to_ports},
    {"services.*.secrets.*", wrap_source},
    {"services.*.volumes.*", to_long_volume},
    {"configs.*", to_resource},
    {"networks.*", to_resource},
    {"secrets.*", to_resource},
    {"volumes.*", to_resource},
};

void default_build(Node& node, Context&) {
  if (node.is_mapping()) set_if_absent(node, "context", Node::make_string(".", node.origin));
}

void default_port(Node& node, Context&) {
  if (!node.is_mapping()) return;
  set_if_absent(node, "protocol", Node::make_string("tcp", node.origin));
  set_if_absent(node, "mode", Node::make_string("ingress", node.origin));
}

void default_secret(Node& node, Context&) {
  if (node.is_mapping())
    set_if_absent(node, "target", Node::make_string("/run/secrets/" + std::string(node.text_of("source")), node.origin));
}

void default_device_request(Node& node, Context&) {
  if (node.is_mapping() && !node.find("count") && !node.find("device_ids"))
    node.set("count", Node::make_string("all", node.origin));
}

constexpr CanonicalRule default_rules[] = {
    {"services.*.build", default_build},
    {"services.*.deploy.resources.reservations.devices.*", default_device_request},
    {"services.*.gpus.*", default_device_request},
    {"services.*.ports.*", default_port},
    {"services.*.secrets.*", default_secret},
};

template <std::size_t Count> void walk(Node& node, const CanonicalRule (&table)[Count], Context& context) {
  for (const CanonicalRule& rule : table)
    if (matches(context.path, rule.pattern)) rule.transform(node, context);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const PathStep step(context.path, "[" + std::to_string(i) + "]");
    walk(node.items[i], table, context);
  }
  for (Member& member : node.members) {
    const PathStep step(context.path, member.key);
    walk(member.value, table, context);
  }
}

}  // namespace

void make_canonical(Node& project, BrokenShortForm broken) {
  Context context{broken, {}};
  walk(project, canonical_rules, context);
}

void set_defaults(Node& project) {
  Context context{BrokenShortForm::refuse, {}};
  walk(project, default_rules, context);
}

}  // namespace drover::compose
