// The short form of a published port: "[IP:][HOST:]CONTAINER[/PROTOCOL]", ports or ranges of ports.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

struct ShortPort {
  std::string host_ip;    // "" for all
  std::string published;  // "" for one that the engine chooses, "8000-8010" to choose from
  std::uint16_t target = 0;
  std::string protocol;  // tcp, udp, sctp
};

// One entry for each container port of a range, in the order of docker compose: by the text "PORT/PROTOCOL". Throws invalid,
// without a place.
std::vector<ShortPort> parse_short_ports(std::string_view text);

// An IPv4 or IPv6 address without brackets or zone.
bool is_ip_address(std::string_view text);

}  // namespace drover::compose
