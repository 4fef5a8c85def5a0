#include "net/address_policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace drover::net {
namespace {

// An address block: the first `bits` bits of `bytes`.
template <std::size_t Size>
struct Block {
  std::array<std::uint8_t, Size> bytes;
  unsigned bits;
  std::string_view name;
};

using Block4 = Block<4>;
using Block6 = Block<16>;

// First match wins.
constexpr std::array refused4 = {
    Block4{{169, 254, 0, 0}, 16, "link-local"},          // RFC 3927; most clouds' metadata service
    Block4{{100, 100, 100, 200}, 32, "cloud metadata"},  // Alibaba Cloud
    Block4{{192, 0, 0, 192}, 32, "cloud metadata"},      // Oracle Cloud, classic
    Block4{{0, 0, 0, 0}, 8, "unspecified"},              // Linux connects 0.0.0.0 to loopback
    Block4{{224, 0, 0, 0}, 4, "multicast"},
    Block4{{255, 255, 255, 255}, 32, "broadcast"},
};
constexpr std::array loopback4 = {Block4{{127, 0, 0, 0}, 8, "loopback"}};

constexpr std::array refused6 = {
    Block6{{0xfe, 0x80}, 10, "link-local"},
    Block6{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, "cloud metadata"},  // AWS
    Block6{{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, "cloud metadata"},  // Google Cloud
    Block6{{}, 128, "unspecified"},
    Block6{{0xff}, 8, "multicast"},
};
constexpr std::array loopback6 = {Block6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"}};

// IPv6 blocks that carry an IPv4 address, and where.
struct Carrier {
  Block6 block;
  std::size_t offset;
};
constexpr std::array carriers = {
    Carrier{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "mapped"}, 12},
    Carrier{{{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64"}, 12},
    Carrier{{{0x20, 0x02}, 16, "6to4"}, 2},
    Carrier{{{}, 96, "compatible"}, 12},
};

template <std::size_t Size>
bool holds(const Block<Size>& block, std::span<const std::byte> address) {
  for (unsigned bit = 0; bit < block.bits; bit += 8) {
    const unsigned bits_here = std::min(8U, block.bits - bit);
    const unsigned mask = 0xffU & (0xffU << (8 - bits_here));
    if ((std::to_integer<unsigned>(address[bit / 8]) & mask) != (block.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

template <std::size_t Size, std::size_t Count>
std::optional<std::string_view> find_block(const std::array<Block<Size>, Count>& blocks, std::span<const std::byte> address) {
  for (const Block<Size>& block : blocks) {
    if (holds(block, address)) return block.name;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> find_address_refusal(std::span<const std::byte> address, AddressPolicy policy) {
  const bool is_local_refused = policy == AddressPolicy::no_local;
  if (address.size() == 4) {
    if (const auto refusal = find_block(refused4, address)) return refusal;
    return is_local_refused ? find_block(loopback4, address) : std::nullopt;
  }
  if (address.size() != 16) return "unknown kind of";
  if (const auto refusal = find_block(refused6, address)) return refusal;
  if (holds(loopback6[0], address)) return is_local_refused ? std::optional(loopback6[0].name) : std::nullopt;
  for (const Carrier& carrier : carriers) {
    if (holds(carrier.block, address)) return find_address_refusal(address.subspan(carrier.offset, 4), policy);
  }
  return std::nullopt;
}

std::optional<std::string_view> find_literal_refusal(std::string_view host, AddressPolicy policy) {
  std::array<std::byte, 16> bytes{};
  const std::string text(host);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return find_address_refusal(std::span(bytes).first(4), policy);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return find_address_refusal(bytes, policy);
  return std::nullopt;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  std::array<unsigned char, 4> bytes{};
  return inet_pton(AF_INET, std::string(host).c_str(), bytes.data()) == 1 && bytes[0] == 127;
}

}  // namespace drover::net
