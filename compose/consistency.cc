#include "compose/consistency.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/service_checks.h"

#include <algorithm>
#include <map>
#include <vector>

namespace drover::compose {
namespace {

// The names that a project defines, by section.
class DefinedNames {
 public:
  explicit DefinedNames(const Node& project) {
    for (const Member& section : project.members)
      for (const Member& resource : section.value.members) names_[section.key].insert(resource.key);
  }

  bool has(std::string_view section, std::string_view name) const {
    const auto found = names_.find(section);
    return found != names_.end() && found->second.contains(name);
  }

  void require(std::string_view section, std::string_view name, const Origin& origin, const TreePath& path) const {
    if (has(section, name)) return;
    throw invalid(origin,
                  path,
                  "refers to undefined " + std::string(section.substr(0, section.size() - 1)) + " \"" + printable(name, 80) +
                      "\"");
  }

 private:
  std::map<std::string_view, std::set<std::string_view>> names_;
};

bool is_optional(const Node& dependency) {
  const Node* required = dependency.find("required");
  return required &&
         (required->text == "false" || equals_ignoring_case(required->text, "no") || equals_ignoring_case(required->text, "off"));
}

class ServiceCheck {
 public:
  ServiceCheck(const DefinedNames& defined, const std::set<std::string>& active, const Member& service)
      : defined_(defined), active_(active), service_(service.value), origin_(service.origin), path_{"services", service.key} {}

  void run() const {
    check_source();
    check_build();
    check_dependencies();
    check_networks();
    check_volumes();
    check_models();
    check_mounts("configs");
    check_mounts("secrets");
  }

 private:
  void check_source() const {
    const Node* image = service_.find("image");
    const bool has_image = image && !image->text.empty();
    const Node* build = service_.find("build");
    const bool has_build = build && !build->is_null();
    if (!has_image && !has_build && !service_.find("provider"))
      throw invalid(origin_, path_, "has neither an image nor a build context");
  }

  void check_dependencies() const {
    const Node* dependencies = service_.find("depends_on");
    if (!dependencies) return;
    for (const Member& dependency : dependencies->members) {
      if (active_.contains(dependency.key)) continue;
      const bool is_defined = defined_.has("services", dependency.key);
      if (is_defined && is_optional(dependency.value)) continue;
      throw invalid(dependency.origin,
                    path_,
                    "depends on " + std::string(is_defined ? "service \"" : "undefined service \"") +
                        printable(dependency.key, 80) + "\"" + (is_defined ? ", which no active profile enables" : ""));
    }
  }

  void check_networks() const {
    const Node* networks = service_.find("networks");
    const Node* mode = service_.find("network_mode");
    if (!networks) return;
    if (mode && !mode->text.empty() && !networks->members.empty())
      throw invalid(mode->origin, path_, "`network_mode` and `networks` exclude each other");
    for (const Member& member : networks->members) defined_.require("networks", member.key, member.origin, path_);
  }

  void check_volumes() const {
    const Node* volumes = service_.find("volumes");
    if (!volumes) return;
    for (const Node& volume : volumes->items) {
      const std::string_view source = volume.text_of("source");
      if (volume.text_of("type") == "volume" && !source.empty()) defined_.require("volumes", source, volume.origin, path_);
    }
  }

  void check_models() const {
    const Node* models = service_.find("models");
    if (!models) return;
    for (const Member& model : models->members) defined_.require("models", model.key, model.origin, path_);
  }

  void check_build() const {
    const Node* build = service_.find("build");
    if (!build) return;
    if (const Node* secrets = build->find("secrets"))
      for (const Node& secret : secrets->items) defined_.require("secrets", secret.text_of("source"), secret.origin, path_);
    const Node* contexts = build->find("additional_contexts");
    if (!contexts) return;
    constexpr std::string_view prefix = "service:";
    for (const Member& context : contexts->members)
      if (std::string_view(context.value.text).starts_with(prefix))
        defined_.require("services", std::string_view(context.value.text).substr(prefix.size()), context.origin, path_);
  }

  void check_mounts(std::string_view section) const {
    const Node* mounts = service_.find(section);
    if (!mounts) return;
    for (const Node& mount : mounts->items) defined_.require(section, mount.text_of("source"), mount.origin, path_);
  }

  const DefinedNames& defined_;
  const std::set<std::string>& active_;
  const Node& service_;
  const Origin& origin_;
  const TreePath path_;
};

// Depth-first with a stack of its own: a chain of dependencies may be as long as there are services.
void check_dependency_cycles(const Node& services, const std::set<std::string>& active) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < services.members.size(); ++i) places.emplace(services.members[i].key, i);
  enum class Mark { unseen, open, done };
  std::vector<Mark> marks(services.members.size(), Mark::unseen);
  struct Frame {
    std::size_t service;
    std::size_t next;
  };

  for (std::size_t start = 0; start < services.members.size(); ++start) {
    if (marks[start] != Mark::unseen || !active.contains(services.members[start].key)) continue;
    std::vector<Frame> stack = {{start, 0}};
    marks[start] = Mark::open;
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const Member& service = services.members[frame.service];
      const Node* dependencies = service.value.find("depends_on");
      if (!dependencies || frame.next == dependencies->members.size()) {
        marks[frame.service] = Mark::done;
        stack.pop_back();
        continue;
      }
      const Member& dependency = dependencies->members[frame.next++];
      const auto place = places.find(dependency.key);
      if (place == places.end() || !active.contains(dependency.key)) continue;
      if (marks[place->second] == Mark::open) {
        std::string way;
        for (const Frame& open : stack) way += services.members[open.service].key + " -> ";
        throw invalid(
            dependency.origin, {"services", service.key}, "dependencies go in a circle: " + printable(way + dependency.key));
      }
      if (marks[place->second] == Mark::done) continue;
      marks[place->second] = Mark::open;
      stack.push_back({place->second, 0});
    }
  }
}

void check_secrets(const Node& project) {
  const Node* secrets = project.find("secrets");
  if (!secrets) return;
  for (const Member& secret : secrets->members) {
    const Node* external = secret.value.find("external");
    if (external && external->text == "true") continue;
    if (secret.value.text_of("file").empty() && secret.value.text_of("environment").empty())
      throw invalid(secret.origin, {"secrets", secret.key}, "must have `file` or `environment`");
  }
}

void check_container_names(const Node& services, const std::set<std::string>& active) {
  std::map<std::string_view, std::string_view> owners;
  for (const Member& service : services.members) {
    const Node* name = service.value.find("container_name");
    if (!name || name->text.empty() || !active.contains(service.key)) continue;
    const auto [owner, is_new] = owners.emplace(name->text, service.key);
    if (!is_new)
      throw invalid(name->origin,
                    {"services", service.key},
                    "container name \"" + printable(name->text, 80) + "\" is already that of service " +
                        std::string(owner->second));
  }
}

}  // namespace

void check_consistency(const Node& project, const std::set<std::string>& active_services) {
  const Node* services = project.find("services");
  if (!services) return;
  const DefinedNames defined(project);
  for (const Member& service : services->members)
    if (active_services.contains(service.key)) {
      ServiceCheck(defined, active_services, service).run();
      check_service(service.key, service.value);
    }
  check_secrets(project);
  check_container_names(*services, active_services);
  check_dependency_cycles(*services, active_services);
}

}  // namespace drover::compose
