#include "base/error.h"
#include "base/text.h"
#include "compose/project.h"

#include <map>
#include <set>
#include <utility>

namespace drover::compose {
namespace {

// With a build and an image, compose pulls the image unless its policy says that only a build makes it.
bool is_built(const Service& service) {
  return service.has_build && (!service.image || service.pull_policy == "build" || service.pull_policy == "never");
}

Reference parse_image(const Service& service, const std::string& text) {
  try {
    return Reference::parse(text);
  } catch (Error& error) {
    error.add_frame(service.location.file.string() + ":" + std::to_string(service.location.line) + ":" +
                    std::to_string(service.location.column) + ": services." + service.name + ".image");
    throw;
  }
}

}  // namespace

std::vector<NeededImage> needed_images(const Project& project) {
  std::map<std::pair<Reference, std::string>, std::vector<std::string>> users;
  const auto add = [&](const Service& service, const std::string& image) {
    std::vector<std::string>& names = users[{parse_image(service, image), service.platform.value_or("")}];
    if (names.empty() || names.back() != service.name) names.push_back(service.name);
  };
  std::set<std::string> built_here;  // another service may use what one builds
  for (const Service& service : project.services)
    if (service.image && is_built(service)) built_here.insert(*service.image);
  for (const Service& service : project.services) {
    if (service.image && !is_built(service) && !built_here.contains(*service.image)) add(service, *service.image);
    for (const Mount& mount : service.volumes)  // `type: image`
      if (mount.type == "image") add(service, mount.source);
  }
  std::vector<NeededImage> images;
  for (auto& [key, services] : users) images.push_back({key.first, key.second, std::move(services)});
  return images;
}

std::vector<std::string> built_services(const Project& project) {
  std::vector<std::string> names;
  for (const Service& service : project.services)
    if (is_built(service)) names.push_back(service.name);
  return names;
}

}  // namespace drover::compose
