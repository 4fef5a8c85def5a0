#include "compose/normalise.h"

#include "base/text.h"

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

}  // namespace

void normalise(Node& project, std::string_view name) {
  project.set("name", Node::make_string(std::string(name)));
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
