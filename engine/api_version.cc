#include "engine/api_version.h"

#include "base/error.h"
#include "base/text.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace drover::engine {

ApiVersion ApiVersion::parse(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  constexpr std::uint64_t part_max = 9999;
  if (parts.size() == 2) {
    const std::optional<std::uint64_t> major = parse_uint(parts[0]);
    const std::optional<std::uint64_t> minor = parse_uint(parts[1]);
    if (major && minor && *major <= part_max && *minor <= part_max) return {static_cast<int>(*major), static_cast<int>(*minor)};
  }
  throw Error(ErrorCode::invalid, "bad engine API version '" + printable(text, 40) + "': it looks like 1.41");
}

std::string ApiVersion::to_string() const { return std::to_string(major) + "." + std::to_string(minor); }

}  // namespace drover::engine
