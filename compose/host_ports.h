// Fixed ports of the host, and whether an engine could give two of them away at a time. Only what is certain counts: ranges, ports that the
// engine chooses, and networks that publish in ways of their own are left to it. Pure. Internal.
//
// As engines 20.10, 26.1 and 28.5 do it: a port on 0.0.0.0 is taken on every IPv4 address, one on :: on every IPv6 address, each
// protocol for itself; without an address it is 0.0.0.0, unless the network or the engine says otherwise.
#pragma once

#include "compose/situation.h"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::compose {

struct HostPort {
  std::string address = {};   // empty: an IPv4 one, the engine knows which
  std::uint64_t port = 0;
  std::string protocol = {};  // tcp, udp, sctp
};

// An engine that has given one away refuses the other.
bool exclude(const HostPort& first, const HostPort& second);

// "8080/tcp", "127.0.0.1:8080/tcp", "[::1]:8080/tcp".
std::string to_string(const HostPort& port);

// That the service's containers ask for; nothing where they would not be published (network_mode: host, internal networks).
std::vector<HostPort> fixed_ports_of(const Situation& situation, const Service& service);

// That the container, which runs, has.
std::vector<HostPort> ports_held_by(const engine::ContainerDetails& container);

}  // namespace drover::compose
