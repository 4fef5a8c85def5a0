#include "engine/networks.h"

#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion ipv4_choice_api{1, 48};
constexpr ApiVersion connect_mac_api{1, 54};
constexpr ApiVersion gateway_priority_api{1, 48};
constexpr ApiVersion network_prune_api{1, 25};

Ipam parse_ipam(const nlohmann::json& ipam) {
  Ipam out{.driver = text_member(ipam, "Driver"), .options = map_member(ipam, "Options"), .pools = {}};
  for (const nlohmann::json& pool : items_member(ipam, "Config")) {
    out.pools.push_back({.subnet = text_member(pool, "Subnet"),
                         .gateway = text_member(pool, "Gateway"),
                         .ip_range = text_member(pool, "IPRange"),
                         .auxiliary_addresses = map_member(pool, "AuxiliaryAddresses")});
  }
  return out;
}

nlohmann::json to_json(const Ipam& ipam) {
  nlohmann::json out = nlohmann::json::object();
  put_some(out, "Driver", ipam.driver);
  put_some(out, "Options", ipam.options);
  nlohmann::json pools = nlohmann::json::array();
  for (const IpamPool& pool : ipam.pools) {
    nlohmann::json& entry = pools.emplace_back(nlohmann::json::object());
    put_some(entry, "Subnet", pool.subnet);
    put_some(entry, "Gateway", pool.gateway);
    put_some(entry, "IPRange", pool.ip_range);
    put_some(entry, "AuxiliaryAddresses", pool.auxiliary_addresses);
  }
  put_some(out, "Config", pools);
  return out;
}

// What is answered is dropped: nothing from Docker, a plain "OK" from podman.
void change(const Context& ctx, Client& client, std::string path, const nlohmann::json& body) {
  client.exchange(ctx, {.method = "POST", .path = std::move(path), .body = to_request_text(body), .content_type = "application/json"});
}

}  // namespace

EndpointSettings parse_endpoint_settings(const nlohmann::json& endpoint) {
  const nlohmann::json& ipam = member(endpoint, "IPAMConfig");
  return {.ipam = {.ipv4_address = text_member(ipam, "IPv4Address"),
                   .ipv6_address = text_member(ipam, "IPv6Address"),
                   .link_local_ips = texts_member(ipam, "LinkLocalIPs")},
          .aliases = texts_member(endpoint, "Aliases"),
          .links = texts_member(endpoint, "Links"),
          .driver_opts = map_member(endpoint, "DriverOpts"),
          .mac_address = text_member(endpoint, "MacAddress"),
          .gw_priority = find_number_member(endpoint, "GwPriority"),
          .network_id = text_member(endpoint, "NetworkID"),
          .endpoint_id = text_member(endpoint, "EndpointID"),
          .gateway = text_member(endpoint, "Gateway"),
          .ip_address = text_member(endpoint, "IPAddress"),
          .ip_prefix_len = number_member(endpoint, "IPPrefixLen"),
          .ipv6_gateway = text_member(endpoint, "IPv6Gateway"),
          .global_ipv6_address = text_member(endpoint, "GlobalIPv6Address"),
          .global_ipv6_prefix_len = number_member(endpoint, "GlobalIPv6PrefixLen"),
          .dns_names = texts_member(endpoint, "DNSNames")};
}

std::optional<Network> parse_network(const nlohmann::json& network) {
  Network out{.id = text_member(network, "Id")};
  if (out.id.empty()) return std::nullopt;
  out.name = text_member(network, "Name");
  out.driver = text_member(network, "Driver");
  out.scope = text_member(network, "Scope");
  out.created = time_member(network, "Created");
  out.is_internal = flag_member(network, "Internal");
  out.is_attachable = flag_member(network, "Attachable");
  out.is_ingress = flag_member(network, "Ingress");
  if (const nlohmann::json& ipv4 = member(network, "EnableIPv4"); ipv4.is_boolean()) out.has_ipv4 = ipv4.get<bool>();
  out.has_ipv6 = flag_member(network, "EnableIPv6");
  out.ipam = parse_ipam(member(network, "IPAM"));
  out.options = map_member(network, "Options");
  out.labels = map_member(network, "Labels");
  const nlohmann::json& members = member(network, "Containers");
  if (!members.is_object()) return out;
  for (const auto& [id, endpoint] : members.items()) {
    out.members.push_back({.container_id = id,
                           .name = text_member(endpoint, "Name"),
                           .endpoint_id = text_member(endpoint, "EndpointID"),
                           .mac_address = text_member(endpoint, "MacAddress"),
                           .ipv4_address = text_member(endpoint, "IPv4Address"),
                           .ipv6_address = text_member(endpoint, "IPv6Address")});
  }
  return out;
}

std::vector<Network> parse_network_list(const nlohmann::json& answer) {
  std::vector<Network> networks;
  if (!answer.is_array()) return networks;
  for (const nlohmann::json& entry : answer) {
    if (auto network = parse_network(entry)) networks.push_back(std::move(*network));
  }
  return networks;
}

nlohmann::json to_json(const EndpointSettings& settings) {
  nlohmann::json ipam = nlohmann::json::object();
  put_some(ipam, "IPv4Address", settings.ipam.ipv4_address);
  put_some(ipam, "IPv6Address", settings.ipam.ipv6_address);
  put_some(ipam, "LinkLocalIPs", settings.ipam.link_local_ips);
  nlohmann::json out = nlohmann::json::object();
  put_some(out, "IPAMConfig", ipam);
  put_some(out, "Aliases", settings.aliases);
  put_some(out, "Links", settings.links);
  put_some(out, "DriverOpts", settings.driver_opts);
  put_some(out, "MacAddress", settings.mac_address);
  if (settings.gw_priority) out["GwPriority"] = *settings.gw_priority;
  return out;
}

nlohmann::json to_json(const NetworkRequest& request) {
  nlohmann::json out{
      {"Name", request.name}, {"CheckDuplicate", true}, {"Internal", request.is_internal}, {"Attachable", request.is_attachable}};
  put_some(out, "Driver", request.driver);
  put_some(out, "Scope", request.scope);
  if (request.has_ipv4) out["EnableIPv4"] = *request.has_ipv4;
  if (request.has_ipv6) out["EnableIPv6"] = *request.has_ipv6;
  put_some(out, "IPAM", to_json(request.ipam));
  put_some(out, "Options", request.options);
  put_some(out, "Labels", request.labels);
  return out;
}

std::vector<Network> list_networks(const Context& ctx, Client& client, const Filters& filters) {
  return parse_network_list(client.get(ctx, Query("/networks").filters(filters).path()));
}

std::optional<Network> find_network(const Context& ctx, Client& client, std::string_view name) {
  return parse_network(client.find(ctx, object_path("networks", name)));
}

CreatedNetwork create_network(const Context& ctx, Client& client, const NetworkRequest& request) {
  if (request.has_ipv4) client.require(ctx, ipv4_choice_api, "network " + request.name + " with a choice about IPv4");
  const nlohmann::json answer = client.post(ctx, "/networks/create", to_json(request));
  return {text_member(answer, "Id"), text_member(answer, "Warning")};
}

void connect_network(const Context& ctx, Client& client, std::string_view network, std::string_view container,
                     const EndpointSettings& settings) {
  if (!settings.mac_address.empty()) client.require(ctx, connect_mac_api, "connecting to a network with a MAC address");
  if (settings.gw_priority) client.require(ctx, gateway_priority_api, "a gateway priority");
  change(ctx, client, object_path("networks", network, "connect"), {{"Container", container}, {"EndpointConfig", to_json(settings)}});
}

void disconnect_network(const Context& ctx, Client& client, std::string_view network, std::string_view container,
                        const DisconnectOptions& options) {
  change(ctx, client, object_path("networks", network, "disconnect"), {{"Container", container}, {"Force", options.force}});
}

void remove_network(const Context& ctx, Client& client, std::string_view name) {
  client.remove(ctx, object_path("networks", name));
}

std::vector<std::string> prune_networks(const Context& ctx, Client& client, const Filters& filters) {
  client.require(ctx, network_prune_api, "pruning networks");
  return texts_member(client.post(ctx, Query("/networks/prune").filters(filters).path(), nullptr, long_work_silence_max),
                      "NetworksDeleted");
}

}  // namespace drover::engine
