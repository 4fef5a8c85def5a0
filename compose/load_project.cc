#include "base/error.h"
#include "compose/bound_model.h"
#include "compose/consistency.h"
#include "compose/model_loader.h"
#include "compose/normalise.h"
#include "compose/project.h"
#include "compose/project_files.h"
#include "compose/selection.h"
#include "compose/service_files.h"
#include "compose/unsupported.h"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

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

// The keys of a section that the model's services use.
std::set<std::string> used_names(const Json& model, std::string_view section) {
  std::set<std::string> names;
  const auto use_sources = [&](const Json& holder, const char* list, std::string_view type) {
    if (const auto items = holder.find(list); items != holder.end())
      for (const Json& item : *items)
        if (type.empty() || item.value("type", "") == type) names.insert(item.value("source", ""));
  };
  for (const Json& service : model["services"]) {
    if (section == "volumes") {
      use_sources(service, "volumes", "volume");
    } else if (section == "configs" || section == "secrets") {
      use_sources(service, std::string(section).c_str(), "");
      if (const auto build = service.find("build"); section == "secrets" && build != service.end())
        use_sources(*build, "secrets", "");
    } else if (const auto used = service.find(section); used != service.end()) {  // networks, models
      for (auto member = used->begin(); member != used->end(); ++member) names.insert(member.key());
    }
  }
  return names;
}

// Drops services that are not selected, and then what nobody uses.
Json select_from(const Json& model, const std::set<std::string>& selected, Resources resources) {
  Json kept = Json::object();
  for (auto section = model.begin(); section != model.end(); ++section) {
    const bool is_section = section.key() != "name" && section.key() != extensions_key;
    const bool keeps_all = !is_section || (section.key() != "services" && resources == Resources::all);
    if (keeps_all) {
      kept[section.key()] = *section;
      continue;
    }
    const std::set<std::string> names = section.key() == "services" ? selected : used_names(kept, section.key());
    Json members = Json::object();
    for (auto member = section->begin(); member != section->end(); ++member)
      if (names.contains(member.key())) members[member.key()] = *member;
    if (section.key() == "services" || !members.empty()) kept[section.key()] = std::move(members);
  }
  return kept;
}

std::string text_in(const Json& value, const char* key) {
  return value.value(key, "");
}

TextMap map_in(const Json& value, const char* key) {
  TextMap map;
  if (const auto found = value.find(key); found != value.end())
    for (auto member = found->begin(); member != found->end(); ++member) map[member.key()] = member->get<std::string>();
  return map;
}

std::optional<bool> switch_in(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found == value.end() ? std::nullopt : std::optional(found->get<bool>());
}

Network to_network(const std::string& key, const Json& value) {
  Network network;
  network.key = key;
  network.name = text_in(value, "name");
  network.is_external = value.value("external", false);
  network.driver = text_in(value, "driver");
  network.driver_opts = map_in(value, "driver_opts");
  network.is_internal = value.value("internal", false);
  network.is_attachable = value.value("attachable", false);
  network.enable_ipv4 = switch_in(value, "enable_ipv4");
  network.enable_ipv6 = switch_in(value, "enable_ipv6");
  network.labels = map_in(value, "labels");
  network.config = std::make_shared<const Json>(value);
  return network;
}

Volume to_volume(const std::string& key, const Json& value) {
  Volume volume;
  volume.key = key;
  volume.name = text_in(value, "name");
  volume.is_external = value.value("external", false);
  volume.driver = text_in(value, "driver");
  volume.driver_opts = map_in(value, "driver_opts");
  volume.labels = map_in(value, "labels");
  volume.config = std::make_shared<const Json>(value);
  return volume;
}

FileObject to_file_object(const std::string& key, const Json& value, const Environment& environment) {
  FileObject object;
  object.key = key;
  object.name = text_in(value, "name");
  object.is_external = value.value("external", false);
  object.file = text_in(value, "file");
  object.environment = text_in(value, "environment");
  if (value.contains("content")) object.content = text_in(value, "content");
  if (const auto variable = environment.find(object.environment); !object.environment.empty() && variable != environment.end())
    object.content = variable->second;
  return object;
}

template <typename Resource, typename Read>
void fill(std::vector<Resource>& resources, const Json& model, std::string_view section, Read read) {
  const auto found = model.find(section);
  if (found == model.end()) return;
  for (auto member = found->begin(); member != found->end(); ++member) resources.push_back(read(member.key(), *member));
}

Service to_service(const std::string& name, const Json& config, const Node& services, const Environment& environment) {
  Service service = read_service(name, std::make_shared<const Json>(config));
  if (service.image && service.image->empty()) service.image.reset();
  const auto fallback = environment.find("DOCKER_DEFAULT_PLATFORM");
  if (!service.platform && fallback != environment.end() && !fallback->second.empty()) service.platform = fallback->second;
  for (const Member& member : services.members)
    if (member.key == name && member.origin.file)
      service.location = {*member.origin.file, member.origin.line, member.origin.column};
  return service;
}

// Checks and completes the project's tree for the services that take part.
std::set<std::string> settle(Node& project, const LoadOptions& options, const Environment& environment, WarningList& warnings) {
  const std::vector<std::string> profiles = active_profiles(options, environment);
  check_consistency(project, enabled_services(project, profiles));
  std::set<std::string> selected = select_services(project, profiles, options.services);
  Node* services = project.find("services");
  if (services && options.service_files == ServiceFiles::read)
    for (Member& service : services->members)
      if (selected.contains(service.key)) read_service_files(service.key, service.value, environment, warnings);
  return selected;
}

void fill_project(Project& project, const Node& tree, const Json& model, const Environment& environment) {
  const Node none;
  const Node* services = tree.find("services");
  fill(project.services, model, "services", [&](const std::string& name, const Json& config) {
    return to_service(name, config, services ? *services : none, environment);
  });
  fill(project.networks, model, "networks", to_network);
  fill(project.volumes, model, "volumes", to_volume);
  const auto read_object = [&](const std::string& key, const Json& value) { return to_file_object(key, value, environment); };
  fill(project.configs, model, "configs", read_object);
  fill(project.secrets, model, "secrets", read_object);
}

}  // namespace

Project load_project(const LoadOptions& options) {
  WarningList warnings;
  ProjectFiles files = find_project_files(options, warnings);
  ModelLoader loader(options.standard_input, warnings);
  Project project;
  project.name = decide_project_name(options, files, written_name(loader, files), warnings);
  files.environment.insert_or_assign("COMPOSE_PROJECT_NAME", project.name);

  Node tree = loader.load({files.files, files.directory, files.environment, {}});
  if (tree.members.empty()) throw Error(ErrorCode::invalid, files.files.front().string() + ": empty compose file");
  normalise(tree, project.name, files.environment);
  const std::set<std::string> selected = settle(tree, options, files.environment, warnings);
  const Json bound = bind_model(tree);
  for (auto service = bound["services"].begin(); service != bound["services"].end(); ++service)
    if (!selected.contains(service.key())) project.disabled_services.push_back(service.key());
  Json model = select_from(bound, selected, options.resources);
  fill_project(project, tree, model, files.environment);

  project.directory = files.directory;
  project.files = files.files;
  for (const std::filesystem::path& file : options.env_files)
    project.env_files.push_back(absolute_in(options.working_directory, file));
  project.profiles = all_profiles(tree);
  project.environment = {files.environment.begin(), files.environment.end()};
  project.unsupported = find_unsupported(tree, selected);
  project.warnings = warnings.lines();
  project.model = std::make_shared<const Json>(std::move(model));
  return project;
}

}  // namespace drover::compose
