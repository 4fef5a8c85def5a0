// The Content-Range header of a 206 or 416 answer (RFC 9110 section 14.4), unit "bytes" only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace drover::net {

struct ContentRange {
  // Both or neither: neither in a 416's "bytes */total".
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;   // inclusive, as on the wire
  std::optional<std::uint64_t> total;  // nothing for "*"

  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};

// Nothing when the text is not of one of the forms "bytes a-b/total", "bytes a-b/*", "bytes */total", or contradicts itself.
std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace drover::net
