#include "compose/short_port.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace drover::compose {
namespace {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  int length() const { return last - first; }
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto value = parse_uint(text);
  return value && *value <= 65535 ? std::optional(static_cast<std::uint16_t>(*value)) : std::nullopt;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const std::vector<std::string_view> ends = split(text, '-');
  const auto first = parse_port(ends[0]);
  const auto last = ends.size() > 1 ? parse_port(ends[1]) : first;
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

Error broken(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid, "port \"" + printable(text, 120) + "\" " + std::string(why));
}

struct Parts {
  std::string_view ip;
  std::string_view host;
  std::string_view container;
};

// The last two colons part; what stands before them is an address, which may have colons of its own.
Parts split_parts(std::string_view text) {
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return {"", "", text};
  const std::string_view before = text.substr(0, last);
  const std::size_t second = before.rfind(':');
  if (second == std::string_view::npos) return {"", before, text.substr(last + 1)};
  return {before.substr(0, second), before.substr(second + 1), text.substr(last + 1)};
}

std::string parse_ip(std::string_view text, std::string_view ip) {
  const bool has_brackets = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (has_brackets) ip = ip.substr(1, ip.size() - 2);
  if (!has_brackets && ip.find(':') != std::string_view::npos) throw broken(text, "needs brackets around its IPv6 address");
  if (!ip.empty() && !is_ip_address(ip)) throw broken(text, "has an address that is none");
  return std::string(ip);
}

}  // namespace

bool is_ip_address(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

std::vector<ShortPort> parse_short_ports(std::string_view text) {
  const Parts parts = split_parts(text);
  const std::size_t slash = parts.container.find('/');
  const std::string_view numbers = parts.container.substr(0, slash);
  std::string protocol = slash == std::string_view::npos ? "" : to_lower(split(parts.container.substr(slash + 1), '/')[0]);
  if (protocol.empty()) protocol = "tcp";
  const std::string ip = parse_ip(text, parts.ip);
  if (numbers.empty()) throw broken(text, "has no container port");
  const auto container = parse_range(numbers);
  if (!container) throw broken(text, "has a container port that is no number up to 65535 and no range");
  const auto host = parts.host.empty() ? std::optional(PortRange{}) : parse_range(parts.host);
  if (!host) throw broken(text, "has a host port that is no number up to 65535 and no range");
  if (!parts.host.empty() && host->length() != container->length() && container->length() > 0)
    throw broken(text, "has ranges of different lengths");
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    throw broken(text, "has a protocol other than tcp, udp and sctp");

  std::vector<ShortPort> ports;
  for (int i = 0; i <= container->length(); ++i) {
    ShortPort port{ip, "", static_cast<std::uint16_t>(container->first + i), protocol};
    if (!parts.host.empty()) port.published = std::to_string(host->first + i);
    if (container->length() == 0 && host->length() > 0) port.published += "-" + std::to_string(host->last);
    ports.push_back(std::move(port));
  }
  std::sort(ports.begin(), ports.end(), [](const ShortPort& a, const ShortPort& b) {
    return std::to_string(a.target) + "/" < std::to_string(b.target) + "/";
  });
  return ports;
}

}  // namespace drover::compose
