#include "compose/host_ports.h"

#include "base/text.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace drover::compose {
namespace {

constexpr std::string_view anywhere_4 = "0.0.0.0";
constexpr std::string_view anywhere_6 = "::";
// Of bridge networks: where ports without an address go, and whether they are published at all (from 27.0 on "routed", ...).
constexpr std::string_view binding_option = "com.docker.network.bridge.host_binding_ipv4";
constexpr std::string_view gateway_mode_options = "com.docker.network.bridge.gateway_mode";

bool is_6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

bool is_anywhere(const std::string& address) {
  return address == anywhere_4 || address == anywhere_6;
}

std::optional<std::uint64_t> one_port(const std::string& text) {
  const auto port = parse_uint(text);
  return port && *port > 0 ? port : std::nullopt;
}

bool is_internal(const NetworkPlace& place) {
  return place.found && !place.is_changed ? place.found->is_internal : place.model->is_internal;
}

// A bridge, with ports published as they always were.
bool is_plain(const NetworkPlace& place) {
  const bool is_known = place.found && !place.is_changed;
  const std::string& driver = is_known ? place.found->driver : place.model->driver;
  const TextMap& options = is_known ? place.found->options : place.model->driver_opts;
  const bool has_own_way = std::any_of(options.begin(), options.end(), [](const auto& option) {
    return option.first.starts_with(gateway_mode_options) || (option.first == binding_option && option.second != anywhere_4);
  });
  return (driver.empty() || driver == "bridge") && !has_own_way;
}

// What a port without an address gets. Defaults of the engine are written into networks as they are made.
std::optional<std::string> default_address(const Situation& situation, const Service& service) {
  if (!service.network_mode.empty()) return std::nullopt;
  bool publishes = false;
  bool is_known = true;
  for (const NetworkPlace* place : networks_of(situation, service)) {
    if (is_internal(*place)) continue;
    if (!is_plain(*place)) return std::nullopt;
    publishes = true;
    is_known = is_known && place->found && !place->is_changed;
  }
  if (!publishes) return std::nullopt;
  return is_known ? std::string(anywhere_4) : std::string();
}

}  // namespace

bool exclude(const HostPort& first, const HostPort& second) {
  if (first.port != second.port || first.protocol != second.protocol || is_6(first.address) != is_6(second.address)) return false;
  if (first.address == second.address) return true;
  return first.protocol != "sctp" && (is_anywhere(first.address) || is_anywhere(second.address));
}

std::string to_string(const HostPort& port) {
  const std::string number = std::to_string(port.port) + "/" + port.protocol;
  if (port.address.empty() || is_anywhere(port.address)) return number;
  return (is_6(port.address) ? "[" + port.address + "]" : port.address) + ":" + number;
}

std::vector<HostPort> fixed_ports_of(const Situation& situation, const Service& service) {
  std::vector<HostPort> ports;
  const auto address = default_address(situation, service);
  if (!address) return ports;
  for (const Port& port : service.ports)
    if (const auto number = one_port(port.published))
      ports.push_back({port.host_ip.empty() ? *address : port.host_ip, *number, port.protocol});
  return ports;
}

std::vector<HostPort> ports_held_by(const engine::ContainerDetails& container) {
  std::vector<HostPort> ports;
  for (const auto& [port, bindings] : container.network_settings.ports)
    for (const engine::PortBinding& binding : bindings)
      if (const auto number = one_port(binding.host_port))
        ports.push_back({binding.host_ip, *number, port.substr(std::min(port.find('/'), port.size() - 1) + 1)});
  return ports;
}

}  // namespace drover::compose
