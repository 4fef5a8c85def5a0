// Networks of an engine: list, inspect, create, connect, disconnect, remove, prune; and a container's place in one.
//
// Thread rule and errors are the Client's: every call throws EngineFailure (not_found, engine), network or interrupted.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/query.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

struct EndpointIpam {
  std::string ipv4_address = {};  // fixed by the user; empty: the engine chooses
  std::string ipv6_address = {};
  std::vector<std::string> link_local_ips = {};
};

// A container's place in a network: what is asked for at create and connect, and, in answers, what it got.
struct EndpointSettings {
  EndpointIpam ipam = {};
  std::vector<std::string> aliases = {};
  std::vector<std::string> links = {};
  std::map<std::string, std::string> driver_opts = {};
  std::string mac_address = {};              // asked for: API 1.44 at create
  std::optional<std::int64_t> gw_priority = {};  // API 1.48
  // Only in answers.
  std::string network_id = {};
  std::string endpoint_id = {};
  std::string gateway = {};
  std::string ip_address = {};
  std::int64_t ip_prefix_len = 0;
  std::string ipv6_gateway = {};
  std::string global_ipv6_address = {};
  std::int64_t global_ipv6_prefix_len = 0;
  std::vector<std::string> dns_names = {};   // API 1.44; below 1.45 aliases have the short ID as well
};

struct IpamPool {
  std::string subnet = {};
  std::string gateway = {};
  std::string ip_range = {};
  std::map<std::string, std::string> auxiliary_addresses = {};
};

struct Ipam {
  std::string driver = {};  // empty: "default"
  std::map<std::string, std::string> options = {};
  std::vector<IpamPool> pools = {};
};

struct NetworkMember {
  std::string container_id = {};
  std::string name = {};
  std::string endpoint_id = {};
  std::string mac_address = {};
  std::string ipv4_address = {};  // with its prefix: "172.18.0.2/16"
  std::string ipv6_address = {};
};

struct Network {
  std::string id;
  std::string name = {};
  std::string driver = {};
  std::string scope = {};                    // "local", "swarm", "global"
  std::optional<Timestamp> created = {};
  bool is_internal = false;
  bool is_attachable = false;
  bool is_ingress = false;
  std::optional<bool> has_ipv4 = {};         // API 1.48
  bool has_ipv6 = false;
  Ipam ipam = {};
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> labels = {};
  std::vector<NetworkMember> members = {};   // running containers; lists leave them out from API 1.28 on
};

struct NetworkRequest {
  std::string name;
  std::string driver = "bridge";
  std::string scope = {};
  bool is_internal = false;
  bool is_attachable = false;
  std::optional<bool> has_ipv4 = {};         // API 1.48
  std::optional<bool> has_ipv6 = {};
  Ipam ipam = {};
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> labels = {};
};

struct CreatedNetwork {
  std::string id;
  std::string warning = {};
};

// GET /networks.
std::vector<Network> list_networks(const Context& ctx, Client& client, const Filters& filters = {});
// GET /networks/{id or name}; nothing when there is none. An ID goes before a name; engines before 25.0 may have several of one
// name and answer which they find first.
std::optional<Network> find_network(const Context& ctx, Client& client, std::string_view name);
// POST /networks/create. A name that is taken: from 25.0 on the engine refuses (409); earlier ones are asked by CheckDuplicate,
// which sees no network that is made at the same moment.
CreatedNetwork create_network(const Context& ctx, Client& client, const NetworkRequest& request);
// POST /networks/{network}/connect. A MAC address is refused below API 1.54, where engines pass over it.
void connect_network(const Context& ctx, Client& client, std::string_view network, std::string_view container,
                     const EndpointSettings& settings = {});

struct DisconnectOptions {
  bool force = false;  // also when the container is gone or stopped
};

// POST /networks/{network}/disconnect.
void disconnect_network(const Context& ctx, Client& client, std::string_view network, std::string_view container,
                        const DisconnectOptions& options = {});
// DELETE /networks/{name}; 403 while a container is in it.
void remove_network(const Context& ctx, Client& client, std::string_view name);
// POST /networks/prune, API 1.25; the names of what went. It takes every network without a container, not those of one project.
std::vector<std::string> prune_networks(const Context& ctx, Client& client, const Filters& filters = {});

// Pure; absent and null members are fine.
std::vector<Network> parse_network_list(const nlohmann::json& answer);
std::optional<Network> parse_network(const nlohmann::json& network);
EndpointSettings parse_endpoint_settings(const nlohmann::json& endpoint);
// What is asked for, without the members that only answers have.
nlohmann::json to_json(const EndpointSettings& settings);
nlohmann::json to_json(const NetworkRequest& request);

}  // namespace drover::engine
