// Which addresses a connection may go to, decided on the address itself: names lie, and so do odd spellings of addresses.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace drover::net {

// Which resolved addresses a connection may go to. Link-local and cloud metadata addresses are always refused.
enum class AddressPolicy {
  any,       // the user named this host
  no_local,  // a host that another server named: loopback is refused as well
};

// Why this address (4 bytes of IPv4 or 16 of IPv6, network order) may not be connected to: "link-local", "cloud metadata",
// "unspecified", "multicast", "broadcast" or "loopback"; nothing when it may. IPv4 inside of IPv6 (mapped, compatible, NAT64, 6to4)
// is judged as the IPv4 address. Private ranges are allowed: registries behind an air gap live there.
std::optional<std::string_view> find_address_refusal(std::span<const std::byte> address, AddressPolicy policy);

// The same for a host that is written as an address; nothing for names.
std::optional<std::string_view> find_literal_refusal(std::string_view host, AddressPolicy policy);

// "localhost", 127.0.0.0/8 as an address, ::1. By name only: what a name resolves to is the policy's affair. Such hosts are never asked
// through a proxy (as Go's tools have it), and plain HTTP is allowed to them because it stays on this machine.
bool is_loopback_host(std::string_view host);

}  // namespace drover::net
