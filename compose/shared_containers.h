// Services whose containers another one shares: its namespaces (network_mode, ipc, pid: service:X) and volumes (volumes_from).
// Pure.
#pragma once

#include "compose/config_hash.h"
#include "compose/service.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

// "X" of "service:X"; empty for anything else.
std::string shared_service(std::string_view mode);
// Whose namespaces it shares: they die with the other's container.
std::set<std::string> namespace_services(const Service& service);
// And those whose volumes it mounts: all whose IDs are part of its body and hash.
std::set<std::string> shared_services(const Service& service);

using IdOfService = std::function<std::string(const std::string& service)>;

// As docker compose hashes it.
SharedContainers share(const Service& service, const IdOfService& id_of);
// As it is sent: docker compose forgets the ":ro" of volumes_from there as well.
std::vector<std::string> volumes_from(const Service& service, const IdOfService& id_of);

}  // namespace drover::compose
