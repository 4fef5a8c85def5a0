#include "compose/short_volume.h"

#include "base/text.h"

#include <vector>

namespace drover::compose {
namespace {

bool is_letter(char c) { return is_lower(c) || is_upper(c); }

// A letter before a colon is a Windows drive, not a part of its own.
std::vector<std::string_view> split_volume(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != ':') continue;
    if (i < text.size() && i - start == 1 && is_letter(text[start])) continue;
    parts.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  return parts;
}

bool is_path(std::string_view source) {
  if (source.empty()) return false;
  return source[0] == '.' || source[0] == '/' || source[0] == '~' || source.starts_with("\\\\") ||
         (source.size() > 1 && is_letter(source[0]) && source[1] == ':');
}

}  // namespace

std::optional<ShortVolume> parse_short_volume(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.size() <= 2) return ShortVolume{"", text, "", false};
  const std::vector<std::string_view> parts = split_volume(text);
  if (parts.size() > 3) return std::nullopt;
  for (const std::string_view part : parts)
    if (part.empty()) return std::nullopt;
  if (parts.size() == 1) return ShortVolume{"", parts[0], "", false};
  return ShortVolume{parts[0], parts[1], parts.size() == 3 ? parts[2] : "", is_path(parts[0])};
}

}  // namespace drover::compose
