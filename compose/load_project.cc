#include "compose/consistency.h"
#include "compose/model_loader.h"
#include "compose/normalise.h"
#include "compose/project.h"
#include "compose/project_files.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace drover::compose {
namespace {

// The last `name:` of all files, interpolated; nothing when none has one.
std::optional<std::string> written_name(ModelLoader& loader, const ProjectFiles& files) {
  std::optional<std::string> name;
  for (const std::filesystem::path& file : files.files) {
    for (const YamlDocument& document : loader.read_documents(file)) {
      const std::string_view text = document.root.text_of("name");
      if (!text.empty()) name = text;
    }
  }
  if (name) name = Interpolator(lookup_in(files.environment), loader.warnings()).interpolate(*name);
  return name;
}

std::vector<std::string> strings_of(const Node* node) {
  std::vector<std::string> strings;
  if (!node) return strings;
  for (const Node& item : node->items) strings.push_back(item.text);
  for (const Member& member : node->members) strings.push_back(member.key);
  return strings;
}

bool is_active(const Node& service, const std::vector<std::string>& profiles) {
  const std::vector<std::string> own = strings_of(service.find("profiles"));
  if (own.empty()) return true;
  return std::any_of(profiles.begin(), profiles.end(), [&](const std::string& profile) {
    return profile == "*" || std::find(own.begin(), own.end(), profile) != own.end();
  });
}

std::optional<std::string> non_empty(std::string_view text) { return text.empty() ? std::nullopt : std::optional(std::string(text)); }

Service to_service(const Member& member, const Environment& environment) {
  const Node& node = member.value;
  Service service;
  service.name = member.key;
  service.image = non_empty(node.text_of("image"));
  service.platform = non_empty(node.text_of("platform"));
  if (const auto fallback = environment.find("DOCKER_DEFAULT_PLATFORM"); !service.platform && fallback != environment.end())
    service.platform = non_empty(fallback->second);
  service.pull_policy = node.text_of("pull_policy");
  const Node* build = node.find("build");
  service.has_build = build && !build->is_null();
  service.profiles = strings_of(node.find("profiles"));
  service.depends_on = strings_of(node.find("depends_on"));
  if (member.origin.file) service.location = {*member.origin.file, member.origin.line, member.origin.column};
  return service;
}

}  // namespace

Project load_project(const LoadOptions& options) {
  WarningList warnings;
  ProjectFiles files = find_project_files(options, warnings);
  ModelLoader loader(options.standard_input, warnings);
  Project project;
  project.name = decide_project_name(options, files, written_name(loader, files), warnings);
  files.environment.insert_or_assign("COMPOSE_PROJECT_NAME", project.name);

  Node model = loader.load({files.files, files.directory, files.environment, {}});
  if (model.members.empty()) throw Error(ErrorCode::invalid, files.files.front().string() + ": empty compose file");
  normalise(model, project.name);

  const std::vector<std::string> profiles = active_profiles(options, files.environment);
  std::set<std::string> active;
  if (const Node* services = model.find("services")) {
    for (const Member& service : services->members) {
      if (is_active(service.value, profiles)) {
        active.insert(service.key);
        project.services.push_back(to_service(service, files.environment));
      } else {
        project.disabled_services.push_back(service.key);
      }
    }
  }
  check_consistency(model, active);
  const auto by_name = [](const Service& a, const Service& b) { return a.name < b.name; };
  std::sort(project.services.begin(), project.services.end(), by_name);
  std::sort(project.disabled_services.begin(), project.disabled_services.end());

  project.directory = files.directory;
  project.files = files.files;
  project.warnings = warnings.lines();
  project.model = std::make_shared<const nlohmann::ordered_json>(to_json(model));
  return project;
}

}  // namespace drover::compose
