#include "compose/normalise.h"

#include "compose/relative_paths.h"

#include <string>

namespace drover::compose {
namespace {

constexpr std::string_view namespace_keys[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
constexpr std::string_view service_prefix = "service:";
constexpr std::string_view container_prefix = "container:";

Node make_boolean(bool value) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.text = value ? "true" : "false";
  return node;
}

Node make_dependency(const Origin& origin, bool is_restarted) {
  Node dependency = Node::make_mapping(origin);
  dependency.set("condition", Node::make_string("service_started", origin));
  dependency.set("restart", make_boolean(is_restarted));
  dependency.set("required", make_boolean(true));
  return dependency;
}

void imply_dependencies(Node& service) {
  Node dependencies = Node::make_mapping(service.origin);
  if (const Node* written = service.find("depends_on")) dependencies = *written;
  const auto imply = [&](std::string_view name, const Origin& origin, bool is_restarted) {
    if (!dependencies.find(name)) dependencies.set(name, make_dependency(origin, is_restarted));
  };
  if (const Node* links = service.find("links"))
    for (const Node& link : links->items) imply(std::string_view(link.text).substr(0, link.text.find(':')), link.origin, true);
  for (const std::string_view key : namespace_keys) {
    const std::string_view value = service.text_of(key);
    if (value.starts_with(service_prefix)) imply(value.substr(service_prefix.size()), service.find(key)->origin, true);
  }
  if (const Node* volumes_from = service.find("volumes_from"))
    for (const Node& volume : volumes_from->items)
      if (!volume.text.starts_with(container_prefix))
        imply(std::string_view(volume.text).substr(0, volume.text.find(':')), volume.origin, false);
  if (!dependencies.members.empty()) service.set("depends_on", std::move(dependencies));
}

enum class Unresolved { keep, drop };

// `NAME` in a list and `NAME:` in a mapping take the environment's value.
void resolve_variables(Node& variables, const Environment& environment, Unresolved unresolved) {
  for (Node& variable : variables.items) {
    if (!variable.is_string() || variable.text.find('=') != std::string::npos) continue;
    const auto value = environment.find(variable.text);
    if (value != environment.end()) variable.text += "=" + value->second;
  }
  for (Member& variable : variables.members) {
    if (!variable.value.is_null()) continue;
    const auto value = environment.find(variable.key);
    if (value != environment.end()) variable.value = Node::make_string(value->second, variable.origin);
  }
  if (unresolved == Unresolved::keep) return;
  std::erase_if(variables.items,
                [](const Node& variable) { return variable.is_string() && variable.text.find('=') == std::string::npos; });
  std::erase_if(variables.members, [](const Member& variable) { return variable.value.is_null(); });
}

void complete_build(Node& build, const Environment& environment) {
  const auto has = [&](std::string_view key) {
    const Node* value = build.find(key);
    return value && !value->is_null();
  };
  if (!has("context")) build.set("context", Node::make_string(".", build.origin));
  if (!has("dockerfile") && !has("dockerfile_inline")) build.set("dockerfile", Node::make_string("Dockerfile", build.origin));
  if (Node* args = build.find("args")) resolve_variables(*args, environment, Unresolved::drop);
}

// True when the service uses the default network, joined here if it has no other.
bool join_default_network(Node& service) {
  if (service.find("network_mode") || service.find("provider")) return false;
  const Node* networks = service.find("networks");
  if (networks && !networks->members.empty()) return networks->find("default") != nullptr;
  Node joined = Node::make_mapping(service.origin);
  joined.set("default", Node());
  service.set("networks", std::move(joined));
  return true;
}

void add_default_network(Node& project) {
  if (const Node* networks = project.find("networks"); !networks || networks->is_null())
    project.set("networks", Node::make_mapping());
  Node& networks = *project.find("networks");
  if (!networks.find("default")) networks.set("default", Node());
}

constexpr std::string_view resource_sections[] = {"networks", "volumes", "configs", "secrets"};

// A resource without a name has its key for one, after the project's name unless others look after it.
void name_resources(Node& project, std::string_view project_name) {
  for (const std::string_view section : resource_sections) {
    Node* resources = project.find(section);
    if (!resources) continue;
    for (Member& resource : resources->members) {
      if (resource.value.is_null()) resource.value = Node::make_mapping(resource.origin);
      const Node* name = resource.value.find("name");
      if (name && !name->is_null()) continue;
      const Node* external = resource.value.find("external");
      const bool is_external = external && external->text == "true";
      resource.value.set(
          "name",
          Node::make_string(is_external ? resource.key : std::string(project_name) + "_" + resource.key, resource.origin));
    }
  }
}

}  // namespace

void normalise(Node& project, std::string_view name, const Environment& environment) {
  project.set("name", Node::make_string(std::string(name)));
  bool is_default_network_used = false;
  if (Node* services = project.find("services")) {
    for (Member& member : services->members) {
      Node& service = member.value;
      if (join_default_network(service)) is_default_network_used = true;
      if (service.text_of("pull_policy") == "if_not_present") service.find("pull_policy")->text = "missing";
      if (Node* build = service.find("build")) complete_build(*build, environment);
      if (Node* variables = service.find("environment")) resolve_variables(*variables, environment, Unresolved::keep);
      imply_dependencies(service);
      if (Node* volumes = service.find("volumes"))
        for (Node& volume : volumes->items)
          if (Node* target = volume.find("target")) target->text = clean_path(target->text);
    }
  }
  if (is_default_network_used) add_default_network(project);
  name_resources(project, name);
}

}  // namespace drover::compose
