// The short form of a service's volume: "data:/var/lib:ro", "./conf:/etc:Z", "/cache".
#pragma once

#include <optional>
#include <string_view>

namespace drover::compose {

struct ShortVolume {
  std::string_view source;  // "" for an anonymous volume
  std::string_view target;
  std::string_view options;  // "" or "ro,Z"
  bool is_bind = false;      // the source is a path, not a volume's name
};

// Views into `text`. Nothing when a part is empty or there are too many colons.
std::optional<ShortVolume> parse_short_volume(std::string_view text);

}  // namespace drover::compose
