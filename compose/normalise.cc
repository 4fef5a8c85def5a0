#include "compose/normalise.h"

#include "compose/tree_path.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace drover::compose {
namespace {

constexpr std::string_view namespace_keys[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
constexpr std::string_view service_prefix = "service:";
constexpr std::string_view container_prefix = "container:";

enum class Restart { unspecified, yes, no };

Node make_boolean(bool value) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.text = value ? "true" : "false";
  return node;
}

Node make_dependency(const Origin& origin, Restart restart) {
  Node dependency = Node::make_mapping(origin);
  dependency.set("condition", Node::make_string("service_started", origin));
  if (restart != Restart::unspecified) dependency.set("restart", make_boolean(restart == Restart::yes));
  dependency.set("required", make_boolean(true));
  return dependency;
}

void normalise_dependencies(Node& service) {
  Node dependencies = Node::make_mapping(service.origin);
  if (const Node* written = service.find("depends_on")) {
    dependencies.origin = written->origin;
    for (const Node& item : written->items) dependencies.set(item.text, make_dependency(item.origin, Restart::unspecified));
    for (const Member& member : written->members) {
      dependencies.members.push_back(member);
      Node& value = dependencies.members.back().value;
      if (!value.find("required")) value.set("required", make_boolean(true));
    }
  }
  const auto imply = [&](std::string_view name, const Origin& origin, Restart restart) {
    if (!dependencies.find(name)) dependencies.set(name, make_dependency(origin, restart));
  };
  if (const Node* links = service.find("links"))
    for (const Node& link : links->items) imply(std::string_view(link.text).substr(0, link.text.find(':')), link.origin, Restart::yes);
  for (const std::string_view key : namespace_keys) {
    const std::string_view value = service.text_of(key);
    if (value.starts_with(service_prefix)) imply(value.substr(service_prefix.size()), service.find(key)->origin, Restart::yes);
  }
  if (const Node* volumes_from = service.find("volumes_from"))
    for (const Node& volume : volumes_from->items)
      if (!volume.text.starts_with(container_prefix))
        imply(std::string_view(volume.text).substr(0, volume.text.find(':')), volume.origin, Restart::no);
  if (!dependencies.members.empty()) service.set("depends_on", std::move(dependencies));
}

bool uses_default_network(Node& service) {
  const Node* networks = service.find("networks");
  const bool has_networks = networks && (!networks->items.empty() || !networks->members.empty());
  if (!has_networks && !service.find("network_mode") && !service.find("provider")) {
    Node joined = Node::make_mapping(service.origin);
    joined.set("default", Node());
    service.set("networks", std::move(joined));
    return true;
  }
  if (!networks) return false;
  for (const Node& item : networks->items)
    if (item.text == "default") return true;
  return networks->find("default") != nullptr;
}

void add_default_network(Node& project) {
  if (const Node* networks = project.find("networks"); !networks || networks->is_null()) project.set("networks", Node::make_mapping());
  Node& networks = *project.find("networks");
  if (!networks.find("default")) networks.set("default", Node());
}

// Whose values are text for compose, whatever YAML made of them: `PRICE: 1.10` is "1.1", as Go prints the number.
constexpr std::string_view text_patterns[] = {
    "configs.*.labels",
    "networks.*.driver_opts",
    "networks.*.labels",
    "secrets.*.driver_opts",
    "secrets.*.labels",
    "services.*.annotations",
    "services.*.build.additional_contexts",
    "services.*.build.args",
    "services.*.build.labels",
    "services.*.deploy.labels",
    "services.*.environment",
    "services.*.expose",
    "services.*.labels",
    "services.*.logging.options",
    "services.*.networks.*.driver_opts",
    "services.*.storage_opt",
    "services.*.sysctls",
    "volumes.*.driver_opts",
    "volumes.*.labels",
};

void make_text(Node& value) {
  if (value.is_scalar() && !value.is_null()) value.kind = Node::Kind::string;
}

void make_values_text(Node& node, TreePath& path) {
  const bool is_text = std::any_of(std::begin(text_patterns), std::end(text_patterns),
                                   [&](std::string_view pattern) { return matches(path, pattern); });
  if (is_text) std::for_each(node.items.begin(), node.items.end(), make_text);
  for (Member& member : node.members) {
    const PathStep step(path, member.key);
    if (is_text) make_text(member.value);
    make_values_text(member.value, path);
  }
}

}  // namespace

void normalise(Node& project, std::string_view name) {
  project.set("name", Node::make_string(std::string(name)));
  TreePath path;
  make_values_text(project, path);
  bool is_default_network_used = false;
  if (Node* services = project.find("services")) {
    for (Member& service : services->members) {
      normalise_dependencies(service.value);
      if (service.value.text_of("pull_policy") == "if_not_present") service.value.find("pull_policy")->text = "missing";
      if (uses_default_network(service.value)) is_default_network_used = true;
    }
  }
  if (is_default_network_used) add_default_network(project);
}

}  // namespace drover::compose
