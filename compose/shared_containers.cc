#include "compose/shared_containers.h"

#include "base/text.h"

namespace drover::compose {
namespace {

constexpr std::string_view service_mode_prefix = "service:";

std::optional<std::string> shared_mode(const std::string& mode, const IdOfService& id_of) {
  const std::string service = shared_service(mode);
  if (service.empty()) return std::nullopt;
  return "container:" + id_of(service);
}

}  // namespace

std::string shared_service(std::string_view mode) {
  return mode.starts_with(service_mode_prefix) ? std::string(mode.substr(service_mode_prefix.size())) : std::string();
}

std::set<std::string> namespace_services(const Service& service) {
  std::set<std::string> services = {
      shared_service(service.network_mode), shared_service(service.ipc), shared_service(service.pid)};
  services.erase("");
  return services;
}

std::set<std::string> shared_services(const Service& service) {
  std::set<std::string> services = namespace_services(service);
  for (const std::string& from : service.volumes_from)
    if (const std::string name = from.substr(0, from.find(':')); name != "container") services.insert(name);
  return services;
}

SharedContainers share(const Service& service, const IdOfService& id_of) {
  SharedContainers shared{.network_mode = shared_mode(service.network_mode, id_of),
                          .ipc = shared_mode(service.ipc, id_of),
                          .pid = shared_mode(service.pid, id_of)};
  if (service.volumes_from.empty()) return shared;
  shared.volumes_from.emplace();
  for (std::string from : volumes_from(service, id_of)) shared.volumes_from->push_back(from.substr(0, from.find(':')));
  return shared;
}

std::vector<std::string> volumes_from(const Service& service, const IdOfService& id_of) {
  constexpr std::string_view container_prefix = "container:";
  std::vector<std::string> containers;
  for (const std::string& from : service.volumes_from) {
    if (from.starts_with(container_prefix)) {
      containers.push_back(from.substr(container_prefix.size()));
      continue;
    }
    const std::size_t colon = from.find(':');
    containers.push_back(id_of(from.substr(0, colon)) + (colon == std::string::npos ? "" : from.substr(colon)));
  }
  return containers;
}

}  // namespace drover::compose
