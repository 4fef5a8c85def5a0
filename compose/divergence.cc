#include "compose/divergence.h"

#include "compose/labels.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

bool has_image(const Situation& situation, const Service& service, const ContainerDetails& container) {
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  if (facts == situation.state.images.end()) return true;  // gone from the engine since: its containers go on
  const std::string label = label_of(container, image_label);
  return label == facts->second.id || facts->second.manifests.contains(label);  // docker compose from 5.4 on writes the manifest
}

// A container that does not run is not in its networks yet; one that has been is, by ID, in one that may be gone.
bool is_attached(const ContainerDetails& container, const NetworkPlace& place) {
  const auto& networks = container.network_settings.networks;
  for (const auto& [name, endpoint] : networks)
    if (place.found && endpoint.network_id == place.found->id) return true;
  if (container.state.is_running) return false;
  const auto by_name = networks.find(place.model->name);
  return by_name == networks.end() || by_name->second.network_id.empty();
}

// A run was cut off between making it and taking it out of the network again: see LaterNetwork. Once it has started, what it asked for is
// the business of drift.h.
bool has_address(const ContainerDetails& container, const ServiceNetwork& asked, const NetworkPlace& place) {
  const auto endpoint = container.network_settings.networks.find(place.model->name);
  if (container.state.started || container.state.is_running || endpoint == container.network_settings.networks.end()) return true;
  const engine::EndpointIpam& ipam = endpoint->second.ipam;
  return (asked.ipv4_address.empty() || !ipam.ipv4_address.empty()) && (asked.ipv6_address.empty() || !ipam.ipv6_address.empty());
}

std::string missing_address(const Situation& situation, const Service& service, const ContainerDetails& container) {
  if (!service.network_mode.empty()) return {};
  for (const ServiceNetwork& asked : service.networks) {
    const NetworkPlace* place = situation.find_network(asked.network);
    if (place && !has_address(container, asked, *place)) return place->model->name;
  }
  return {};
}

const Volume* find_volume(const Project& project, const std::string& key) {
  const auto found =
      std::find_if(project.volumes.begin(), project.volumes.end(), [&](const Volume& volume) { return volume.key == key; });
  return found == project.volumes.end() ? nullptr : &*found;
}

std::string missing_volume(const Project& project, const Service& service, const ContainerDetails& container) {
  for (const Mount& mount : service.volumes) {
    const Volume* volume = mount.type == "volume" && !mount.source.empty() ? find_volume(project, mount.source) : nullptr;
    if (!volume) continue;
    const bool is_mounted = std::any_of(container.mounts.begin(), container.mounts.end(), [&](const engine::Mount& each) {
      return each.type == "volume" && each.name == volume->name;
    });
    if (!is_mounted) return volume->name;
  }
  return {};
}

}  // namespace

std::set<std::string> hashes_of(const Service& service, const SharedContainers& shared) {
  std::set<std::string> hashes;
  for (const HashEpochRow& row : hash_epochs()) hashes.insert(config_hash(service, row.epoch, shared));
  return hashes;
}

Judged judge(const Situation& situation,
             const Service& service,
             const ContainerDetails& container,
             const std::set<std::string>& hashes) {
  if (container.state.status == "dead") return {Divergence::dead};
  if (!hashes.contains(label_of(container, config_hash_label))) return {Divergence::hash};
  if (!has_image(situation, service, container)) return {Divergence::image};
  for (const NetworkPlace* place : networks_of(situation, service))
    if (!is_attached(container, *place)) return {Divergence::network, place->model->name};
  if (std::string network = missing_address(situation, service, container); !network.empty())
    return {Divergence::address, std::move(network)};
  if (std::string volume = missing_volume(*situation.project, service, container); !volume.empty())
    return {Divergence::volume, std::move(volume)};
  return {};
}

}  // namespace drover::compose
