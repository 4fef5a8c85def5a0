#include "compose/project_networks.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/config_hash.h"
#include "compose/labels.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

constexpr engine::ApiVersion ipv4_choice_api{1, 48};
constexpr std::size_t named_differences_max = 3;

std::string config_text(const Json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

TextMap texts_in(const Json& object, const char* key) {
  TextMap texts;
  const auto member = object.find(key);
  if (member == object.end() || !member->is_object()) return texts;
  for (auto each = member->begin(); each != member->end(); ++each)
    texts[each.key()] = each->is_string() ? each->get<std::string>() : each->dump();
  return texts;
}

engine::Ipam ipam_of(const Network& network) {
  engine::Ipam ipam;
  const auto config = network.config->find("ipam");
  if (config == network.config->end() || !config->is_object()) return ipam;
  ipam.driver = config_text(*config, "driver");
  ipam.options = texts_in(*config, "options");
  for (const Json& pool : config->value("config", Json::array()))
    ipam.pools.push_back({.subnet = config_text(pool, "subnet"),
                          .gateway = config_text(pool, "gateway"),
                          .ip_range = config_text(pool, "ip_range"),
                          .auxiliary_addresses = texts_in(pool, "aux_addresses")});
  return ipam;
}

engine::NetworkRequest network_request_of(const Project& project, const Network& network, const std::string& version) {
  engine::NetworkRequest request{.name = network.name};
  if (!network.driver.empty()) request.driver = network.driver;
  request.is_internal = network.is_internal;
  request.is_attachable = network.is_attachable;
  request.has_ipv4 = network.enable_ipv4;
  request.has_ipv6 = network.enable_ipv6;
  request.ipam = ipam_of(network);
  request.options = network.driver_opts;
  request.labels = network.labels;
  request.labels[std::string(project_label)] = project.name;
  request.labels[std::string(network_label)] = network.key;
  request.labels[std::string(version_label)] = version;
  request.labels[std::string(config_hash_label)] = config_hash(network);
  return request;
}

bool is_own(const Project& project, const engine::Network& network) {
  return label_of(network.labels, project_label) == project.name;
}

// By name; an external one by ID as well. Engines before 25.0 may have two of one name: the project's own first.
const engine::Network* find(const Project& project, const Network& network, const std::vector<engine::Network>& networks) {
  const engine::Network* found = nullptr;
  for (const engine::Network& each : networks) {
    if (each.name != network.name && !(network.is_external && each.id == network.name)) continue;
    if (!found || (!network.is_external && is_own(project, each) && !is_own(project, *found))) found = &each;
  }
  return found;
}

// The engine may choose pools and options of its own: only what is asked for is compared.
bool has_pools(const engine::Ipam& found, const engine::Ipam& asked) {
  return asked.pools.empty() ||
         std::equal(
             asked.pools.begin(), asked.pools.end(), found.pools.begin(), found.pools.end(), [](const auto& a, const auto& b) {
               return a.subnet == b.subnet && (a.gateway.empty() || a.gateway == b.gateway) && a.ip_range == b.ip_range &&
                      a.auxiliary_addresses == b.auxiliary_addresses;
             });
}

TextMap without_compose(TextMap labels) {
  std::erase_if(labels, [](const auto& label) { return label.first.starts_with("com.docker.compose."); });
  return labels;
}

std::string difference(const engine::Network& found, const engine::NetworkRequest& asked) {
  std::vector<std::string> paths;
  if (found.driver != asked.driver) paths.emplace_back("driver");
  if (found.options != asked.options) paths.emplace_back("driver_opts");
  if (found.has_ipv4 && asked.has_ipv4 && found.has_ipv4 != asked.has_ipv4) paths.emplace_back("enable_ipv4");
  if (found.has_ipv6 != asked.has_ipv6.value_or(false)) paths.emplace_back("enable_ipv6");
  if (found.is_internal != asked.is_internal) paths.emplace_back("internal");
  if (found.is_attachable != asked.is_attachable) paths.emplace_back("attachable");
  if (!has_pools(found.ipam, asked.ipam)) paths.emplace_back("ipam");
  if (without_compose(found.labels) != without_compose(asked.labels)) paths.emplace_back("labels");
  if (paths.empty()) paths.emplace_back("config hash");
  if (paths.size() > named_differences_max) paths.resize(named_differences_max);
  return join(paths, ", ");
}

NetworkPlace look_up(const Project& project, const Network& network, const ProjectState& state, const std::string& version) {
  NetworkPlace place{.model = &network, .found = find(project, network, state.networks)};
  if (network.is_external) {
    if (!place.found)
      throw Error(ErrorCode::refused,
                  "network " + printable(network.name, 120) +
                      " is external and not there; create it with docker network create " + printable(network.name, 120));
    return place;
  }
  place.request = network_request_of(project, network, version);
  if (!place.found) return place;
  if (!is_own(project, *place.found)) {
    const std::string owner = label_of(place.found->labels, project_label);
    place.note = "network " + network.name + " was not made for this project" + (owner.empty() ? "" : " but for " + owner) +
                 ": used as it is; `external: true` says that it is meant";
    return place;
  }
  const std::string hash = label_of(place.found->labels, config_hash_label);
  place.is_changed = !hash.empty() && hash != config_hash(network);
  if (place.is_changed) place.cause = "network " + network.name + ": " + difference(*place.found, place.request);
  return place;
}

}  // namespace

std::vector<NetworkPlace> find_networks(const Project& project, const ProjectState& state, const std::string& version) {
  std::vector<NetworkPlace> places;
  for (const Network& network : project.networks) places.push_back(look_up(project, network, state, version));
  return places;
}

engine::NetworkRequest request_of(const engine::Network& network, engine::ApiVersion api) {
  engine::NetworkRequest request{.name = network.name, .driver = network.driver, .scope = network.scope};
  request.is_internal = network.is_internal;
  request.is_attachable = network.is_attachable;
  if (api >= ipv4_choice_api) request.has_ipv4 = network.has_ipv4;
  request.has_ipv6 = network.has_ipv6;
  request.ipam = network.ipam;
  for (engine::IpamPool& pool : request.ipam.pools) pool.gateway = pool.gateway.substr(0, pool.gateway.find('/'));
  request.options = network.options;
  request.labels = network.labels;
  return request;
}

engine::EndpointSettings asked_of(const engine::EndpointSettings& endpoint, const std::string& container_id) {
  engine::EndpointSettings asked{
      .ipam = endpoint.ipam, .aliases = endpoint.aliases, .links = endpoint.links, .driver_opts = endpoint.driver_opts};
  std::erase(asked.aliases, short_id(container_id));  // which engines before API 1.45 add
  asked.gw_priority = endpoint.gw_priority;
  return asked;
}

}  // namespace drover::compose
