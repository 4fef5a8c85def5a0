// Absolute http and https URLs, and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::net {

struct Url {
  std::string scheme;      // "http" or "https"
  std::string host;        // lower case, without brackets and trailing dot: "ghcr.io", "::1"
  std::uint16_t port = 0;  // always set: 80 and 443 by default
  std::string target;      // path and query, begins with '/': "/v2/?x=1"

  // Throws invalid for any other scheme, user info, fragments with credentials, control characters, a bad port.
  static Url parse(std::string_view text);
  // A Location value (RFC 3986 §5.2), absolute or relative to this URL.
  Url resolve(std::string_view location) const;

  std::string to_string() const;
  // Scheme, host, port and path without the query: the only form that may reach a log or a message.
  std::string redacted() const;
  std::string origin() const;          // "https://ghcr.io:443"
  // "ghcr.io", "127.0.0.1:5000", "[::1]:5000": as people write it, with the port where it is not the scheme's own.
  std::string authority() const;
  bool has_same_origin(const Url& other) const { return origin() == other.origin(); }

  friend bool operator==(const Url&, const Url&) = default;
};

}  // namespace drover::net
