#include "tests/compose/reconcile_case.h"

#include "compose/labels.h"
#include "tests/compose/project_case.h"

#include <nlohmann/json.hpp>

namespace drover::compose {

Project load_shop(const std::string& text) {
  static std::map<std::string, Project> loaded;  // loading costs more than planning
  if (const auto found = loaded.find(text); found != loaded.end()) return found->second;
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.project_name = "shop";
  options.standard_input = text;
  return loaded.emplace(text, load_project(options)).first->second;
}

void Shop::add_images(const Project& project) {
  const auto known = engine.state(project.name).images;
  for (const Service& service : project.services)
    if (const std::string image = image_of(project, service); !known.contains(image)) engine.set_image(image, image);
}

Plan Shop::plan(const std::string& text, const UpOptions& options) {
  const Project project = load_shop(text);
  add_images(project);
  return reconcile(project, engine.state(project.name), options);
}

Plan Shop::up(const std::string& text, const UpOptions& options) {
  Plan plan = this->plan(text, options);
  engine.apply(plan);
  return plan;
}

std::string Shop::text(const std::string& text, const UpOptions& options) {
  const std::vector<engine::ContainerDetails> containers = engine.state("shop").containers;
  std::string transcript = to_text(plan(text, options));
  for (const auto& container : containers) {
    const std::string number = container_number(container) > 1 ? " #" + std::to_string(container_number(container)) : "";
    transcript = replace_every(transcript, short_id(container.id), "<" + container.config.image + number + ">");
    transcript = replace_every(transcript, container.id.substr(12, 12), "<" + container.config.image + number + ", next>");
  }
  return transcript;
}

std::string Shop::refusal(const std::string& text, const UpOptions& options) {
  try {
    plan(text, options);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return "none";
}

std::string Shop::short_id_of(const std::string& name) {
  return short_id(engine.container(name)["Id"].get<std::string>());
}

std::string replace_every(std::string text, const std::string& from, const std::string& to) {
  return replace_all(std::move(text), from, to);
}

}  // namespace drover::compose
