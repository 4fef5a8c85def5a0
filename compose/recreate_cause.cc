#include "compose/divergence.h"

#include "base/text.h"
#include "compose/difference.h"
#include "compose/labels.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

constexpr std::size_t named_paths_max = 3;

// Keys of the service whose values differ, each once; an exposed port that is published as well is told by `ports`.
std::vector<std::string>
differing_paths(const Situation& situation, const Service& service, const ContainerDetails& container, const CreateBody& body) {
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  if (!container.raw || facts == situation.state.images.end()) return {};
  std::vector<std::string> paths;
  for (const Difference& difference : find_differences(body, facts->second.config, container, situation.state.networks))
    if (paths.empty() || paths.back() != difference.path) paths.push_back(difference.path);
  const bool has_ports = std::find(paths.begin(), paths.end(), "ports") != paths.end();
  if (has_ports) std::erase(paths, "expose");
  return paths;
}

std::string
hash_cause(const Situation& situation, const Service& service, const ContainerDetails& container, const CreateBody& body) {
  const std::string path = "services." + service.name + ".";
  const std::string image = image_of(*situation.project, service);
  if (!container.config.image.empty() && container.config.image != image)
    return path + "image: " + container.config.image + " -> " + image;
  std::vector<std::string> paths = differing_paths(situation, service, container, body);
  if (paths.empty()) return "services." + service.name + ": config hash";
  const std::size_t more = paths.size() > named_paths_max ? paths.size() - named_paths_max : 0;
  paths.resize(paths.size() - more);
  return path + join(paths, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace

std::string recreate_cause(const Situation& situation,
                           const Service& service,
                           const ContainerDetails& container,
                           const Judged& judged,
                           const CreateBody& body) {
  switch (judged.divergence) {
  case Divergence::none:
    return {};
  case Divergence::dead:
    return "the old container is dead";
  case Divergence::image: {
    const std::string image = image_of(*situation.project, service);
    const auto facts = situation.state.images.find(image);
    return "image " + image + " is now " +
           (facts == situation.state.images.end() ? "another"
                                                  : facts->second.id.substr(0, std::string_view("sha256:").size() + 12));
  }
  case Divergence::hash:
    return hash_cause(situation, service, container, body);
  case Divergence::network:
    return "services." + service.name + ".networks: not in " + judged.what;
  case Divergence::address:
    return "services." + service.name + ".networks: without its address in " + judged.what;
  case Divergence::volume:
    return "services." + service.name + ".volumes: " + judged.what + " is not mounted";
  }
  return {};
}

}  // namespace drover::compose
