#include "compose/tree_path.h"

namespace drover::compose {

bool matches(const TreePath& path, std::string_view pattern) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t dot = pattern.find('.');
    const std::string_view part = pattern.substr(0, dot);
    if (part != "*" && part != path[i]) return false;
    const bool is_last = i + 1 == path.size();
    if (dot == std::string_view::npos) return is_last;
    if (is_last) return false;
    pattern.remove_prefix(dot + 1);
  }
  return pattern.empty();
}

std::string to_string(const TreePath& path) {
  std::string text;
  for (const std::string& part : path) {
    if (!text.empty() && !part.starts_with('[')) text += '.';
    text += part;
  }
  return text.empty() ? "top level" : text;
}

}  // namespace drover::compose
