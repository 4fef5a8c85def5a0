// Versions of the Docker Engine API, and those that drover speaks.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace drover::engine {

// "1.41"; ordered by number.
struct ApiVersion {
  int major = 1;
  int minor = 0;

  static ApiVersion parse(std::string_view text);  // throws invalid
  std::string to_string() const;
  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

inline constexpr ApiVersion newest_known_api{1, 51};
inline constexpr ApiVersion oldest_usable_api{1, 24};

}  // namespace drover::engine
