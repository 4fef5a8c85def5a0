// What engines hold addresses against.
#pragma once

#include <arpa/inet.h>

#include <string>

namespace drover::test {

// Whether the IPv4 address is one of the subnet, "10.9.0.0/24".
inline bool is_in_subnet(const std::string& address, const std::string& subnet) {
  const std::size_t slash = subnet.find('/');
  in_addr one{};
  in_addr first{};
  if (slash == std::string::npos || inet_pton(AF_INET, address.c_str(), &one) != 1 || inet_pton(AF_INET, subnet.substr(0, slash).c_str(), &first) != 1) return false;
  const int bits = std::stoi(subnet.substr(slash + 1));
  return bits == 0 || (ntohl(one.s_addr) ^ ntohl(first.s_addr)) >> (32 - bits) == 0;
}

}  // namespace drover::test
