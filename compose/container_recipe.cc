#include "compose/container_recipe.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/labels.h"
#include "compose/quantity.h"
#include "compose/shared_containers.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::compose {
namespace {

// What the function keeps.
struct Recipe {
  std::shared_ptr<const Project> project;
  std::shared_ptr<const UpOptions> options;
  const Service* service;  // of the project
  HashEpoch epoch;
  std::string version;
  FinalContainers others;
  CreateContext context;  // so far
};

std::string id_of(const ContainerTarget& target, const CreatedIds& ids) {
  if (!target.id.empty()) return target.id;
  const auto found = ids.find(target.step);
  if (found == ids.end())
    throw Error(ErrorCode::failed, "the container of step #" + std::to_string(target.step) + " is not known yet");
  return found->second;
}

// Three a linked container, as docker compose has them: alias, service-<own number>, project-service-<own number>. Outside of
// networks of the user's own an engine wants the linked container itself, which may not have its name yet.
std::vector<std::string> links(const Recipe& recipe, const CreatedIds& ids) {
  const Service& service = *recipe.service;
  const std::string number = std::to_string(recipe.context.number);
  std::vector<std::string> links;
  for (const std::string& link : service.links) {
    const std::size_t colon = link.find(':');
    const std::string name = link.substr(0, colon);
    const auto found = recipe.others.find(name);
    if (found == recipe.others.end()) continue;
    for (const FinalContainer& container : found->second) {
      const std::string linked = service.network_mode.empty() ? container.name : id_of(container.target, ids);
      links.push_back(linked + ":" + (colon == std::string::npos ? name : link.substr(colon + 1)));
      links.push_back(linked + ":" + name + "-" + number);
      links.push_back(linked + ":" + recipe.project->name + "-" + name + "-" + number);
    }
  }
  return links;
}

CreateBody cook(const Recipe& recipe, const CreatedIds& ids) {
  const Service& service = *recipe.service;
  const IdOfService shared_id = [&](const std::string& name) {
    const auto found = recipe.others.find(name);
    if (found == recipe.others.end() || found->second.empty())
      throw Error(ErrorCode::refused, "service " + service.name + " shares a container of " + name + ", and there is none");
    return id_of(found->second.front().target, ids);
  };
  const SharedContainers shared = share(service, shared_id);
  CreateContext context = recipe.context;
  context.network_mode = shared.network_mode;
  context.ipc = shared.ipc;
  context.pid = shared.pid;
  if (shared.volumes_from) context.volumes_from = volumes_from(service, shared_id);
  context.links = links(recipe, ids);
  const std::string hash = config_hash(service, recipe.epoch, shared);
  context.labels.merge(compose_labels(*recipe.project, service, context.number, hash, recipe.version));
  return create_body(*recipe.project, service, context);
}

std::int64_t parse_owner(const Service& service, const FileReference& reference, const std::string& text) {
  if (text.empty()) return 0;
  if (const auto number = parse_integer(text)) return *number;
  throw Error(ErrorCode::invalid,
              "service " + service.name + ": the owner of " + printable(reference.source, 80) +
                  " is no number: " + printable(text, 80));
}

void add_files(std::vector<WriteFile>& files,
               const Service& service,
               const std::vector<FileReference>& references,
               const std::vector<FileObject>& objects,
               const std::string& folder) {
  for (const FileReference& reference : references) {
    const auto object =
        std::find_if(objects.begin(), objects.end(), [&](const FileObject& each) { return each.key == reference.source; });
    if (object == objects.end() || object->content.value_or("").empty()) continue;
    const std::string target = reference.target.empty() ? reference.source : reference.target;
    WriteFile& file = files.emplace_back();
    file.path = target.starts_with('/') ? target : folder + target;
    file.content = *object->content;
    file.mode = reference.mode.value_or(file.mode);
    file.uid = parse_owner(service, reference, reference.uid);
    file.gid = parse_owner(service, reference, reference.gid);
  }
}

}  // namespace

std::optional<engine::EndpointSettings> endpoint_of(const CreateBody& body, const std::string& network) {
  for (const LaterNetwork& later : body.later_networks)
    if (later.network == network) return engine::parse_endpoint_settings(*later.endpoint);
  const auto networking = body.body->find("NetworkingConfig");
  if (networking == body.body->end()) return std::nullopt;
  const nlohmann::json& endpoints = networking->at("EndpointsConfig");
  const auto endpoint = endpoints.find(network);
  return endpoint == endpoints.end() ? std::nullopt : std::optional(engine::parse_endpoint_settings(*endpoint));
}

std::set<std::string> needed_services(const Service& service) {
  std::set<std::string> services = shared_services(service);
  for (const std::string& link : service.links) services.insert(link.substr(0, link.find(':')));
  return services;
}

TextMap anonymous_volumes(const Situation& situation, const Service& service, const engine::ContainerDetails& container) {
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  const auto is_declared = [&](const std::string& target) {
    const auto has = [&](const std::vector<std::string>& paths) {
      return std::find(paths.begin(), paths.end(), target) != paths.end();
    };
    if (has(container.config.volumes) || (facts != situation.state.images.end() && has(facts->second.config.volumes)))
      return true;
    return std::any_of(service.volumes.begin(), service.volumes.end(), [&](const Mount& mount) {
      return mount.type == "volume" && mount.source.empty() && mount.target == target;
    });
  };
  const auto is_anonymous = [&](const std::string& name) {
    const auto& volumes = situation.state.volumes;
    const auto found =
        std::find_if(volumes.begin(), volumes.end(), [&](const engine::Volume& volume) { return volume.name == name; });
    return found != volumes.end() && found->is_anonymous();
  };
  TextMap kept;
  for (const engine::Mount& mount : container.mounts)
    if (mount.type == "volume" && is_declared(mount.target) && is_anonymous(mount.name)) kept[mount.target] = mount.name;
  return kept;
}

std::function<CreateBody(const CreatedIds&)>
make_recipe(const Situation& situation, const Service& service, const RecipeRequest& request) {
  Recipe recipe{.project = situation.project,
                .options = situation.options,
                .service = &service,
                .epoch = situation.epoch,
                .version = situation.version,
                .others = request.others,
                .context = {.number = request.number, .api_minor = situation.state.api.minor}};
  CreateContext& context = recipe.context;
  context.proxy_environment = situation.options->proxy_environment;
  context.seccomp_profiles = situation.options->seccomp_profiles;
  for (const NetworkPlace& place : situation.networks)
    if (place.is_changed) context.changed_networks.insert(place.model->key);
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  if (facts != situation.state.images.end()) context.labels[std::string(image_label)] = facts->second.id;
  if (request.replaced) {
    const std::string numbered = service.name + "-" + std::to_string(request.number);
    context.labels[std::string(replace_label)] = service.container_name.empty() ? numbered : service.container_name;
    if (!situation.options->renew_anonymous_volumes)
      context.anonymous_volumes = anonymous_volumes(situation, service, *request.replaced);
  }
  return [recipe = std::make_shared<const Recipe>(std::move(recipe))](const CreatedIds& ids) { return cook(*recipe, ids); };
}

std::vector<WriteFile> files_of(const Project& project, const Service& service) {
  std::vector<WriteFile> files;
  add_files(files, service, service.secrets, project.secrets, "/run/secrets/");
  add_files(files, service, service.configs, project.configs, "/");
  return files;
}

}  // namespace drover::compose
