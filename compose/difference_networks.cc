#include "compose/difference_networks.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace drover::compose {
namespace {

using Endpoints = std::map<std::string, engine::EndpointSettings>;

// By the network's name: what create asks for, and what is connected after it.
Endpoints asked_for(const CreateBody& body) {
  Endpoints endpoints;
  const nlohmann::json asked = body.body->value("/NetworkingConfig/EndpointsConfig"_json_pointer, nlohmann::json::object());
  for (const auto& [name, endpoint] : asked.items()) endpoints[name] = engine::parse_endpoint_settings(endpoint);
  for (const LaterNetwork& later : body.later_networks) endpoints[later.network] = engine::parse_endpoint_settings(*later.endpoint);
  return endpoints;
}

bool has_alias(const engine::EndpointSettings& endpoint, const std::string& alias) {
  const auto has = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), alias) != names.end(); };
  return has(endpoint.aliases) || has(endpoint.dns_names);
}

void compare_endpoint(const std::string& path, const engine::EndpointSettings& expected, const engine::EndpointSettings& actual,
                      std::vector<Difference>& differences) {
  for (const std::string& alias : expected.aliases)
    if (!has_alias(actual, alias)) differences.push_back({path + ".aliases", alias, ""});
  const auto compare = [&](const char* key, const std::string& asked, const std::string& got) {
    if (!asked.empty() && asked != got) differences.push_back({path + key, asked, got});
  };
  // What it asked for stays while it does not run; what it got is there while it does.
  compare(".ipv4_address", expected.ipam.ipv4_address, actual.ip_address.empty() ? actual.ipam.ipv4_address : actual.ip_address);
  compare(".ipv6_address", expected.ipam.ipv6_address,
          actual.global_ipv6_address.empty() ? actual.ipam.ipv6_address : actual.global_ipv6_address);
  compare(".mac_address", expected.mac_address, actual.mac_address);
}

}  // namespace

std::vector<Difference> find_network_differences(const CreateBody& expected, const engine::ContainerDetails& actual,
                                                 const std::vector<engine::Network>& networks) {
  std::vector<Difference> differences;
  const Endpoints asked = asked_for(expected);
  if (asked.empty()) return differences;
  const Endpoints& got = actual.network_settings.networks;
  for (const auto& [name, endpoint] : asked) {
    const std::string path = "networks." + name;
    const auto found = got.find(name);
    if (found == got.end()) {
      differences.push_back({path, "connected", ""});
      continue;
    }
    compare_endpoint(path, endpoint, found->second, differences);
    const auto network = std::find_if(networks.begin(), networks.end(), [&](const engine::Network& one) { return one.name == name; });
    const bool is_another = network != networks.end() && actual.state.is_running && !found->second.network_id.empty() && found->second.network_id != network->id;
    if (is_another) differences.push_back({path, "network " + network->id.substr(0, 12), "network " + found->second.network_id.substr(0, 12)});
  }
  for (const auto& [name, endpoint] : got)
    if (!asked.contains(name)) differences.push_back({"networks." + name, "", "connected"});
  return differences;
}

}  // namespace drover::compose
