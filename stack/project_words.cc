#include "stack/project_words.h"

#include "engine/images.h"

#include <nlohmann/json.hpp>

namespace drover::stack {
namespace {

std::string engine_name(const std::string& project, const std::string& key, const nlohmann::ordered_json& volume) {
  if (volume.is_object() && volume.contains("name") && volume["name"].is_string()) return volume["name"].get<std::string>();
  const bool is_external = volume.is_object() && volume.contains("external") && volume["external"] != false;
  return is_external ? key : project + "_" + key;
}

}  // namespace

ProjectWords words_of(const compose::Project& project) {
  ProjectWords words{.name = project.name};
  if (project.model && project.model->is_object() && project.model->contains("volumes") && (*project.model)["volumes"].is_object()) {
    for (const auto& [key, volume] : (*project.model)["volumes"].items()) words.volumes.push_back(engine_name(project.name, key, volume));
  }
  for (const compose::Service& service : project.services) {
    if (service.image) words.images.push_back(engine::familiar_name_of(*service.image));
    if (service.image || !service.has_build) continue;
    words.images.push_back(project.name + "-" + service.name + ":latest");
    words.images.push_back(project.name + "_" + service.name + ":latest");
  }
  return words;
}

}  // namespace drover::stack
