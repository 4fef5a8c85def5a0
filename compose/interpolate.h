// Variables in compose files and env files: $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?error}, ${NAME?error},
// ${NAME:+alternative}, ${NAME+alternative}, $$ for a dollar. Compose spec, 12-interpolation; the edge cases follow compose-go's template
// package: defaults nest, braces are counted, and what follows a $ that starts none of these forms stays as it is.
#pragma once

#include "compose/node.h"
#include "compose/tree_path.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

inline constexpr int interpolation_depth_max = 100;                              // of defaults within defaults
inline constexpr std::size_t interpolated_bytes_max = std::size_t{64} * 1024 * 1024;  // written by one Interpolator, all values together

using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

// One line a warning, each only once, in the order of appearance.
class WarningList {
 public:
  void add(std::string text);
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

class Interpolator {
 public:
  // `lookup` is called during interpolate(); `warnings` must outlive this object.
  Interpolator(VariableLookup lookup, WarningList& warnings) : lookup_(std::move(lookup)), warnings_(warnings) {}

  // Throws invalid, without a place, for a broken form and for a required variable that is missing.
  std::string interpolate(std::string_view text);

  // Every string value of the tree, never a key. Errors name the place and the path.
  void interpolate_tree(Node& root);

 private:
  std::string interpolate(std::string_view text, int depth);
  std::string braced(std::string_view body, int depth);
  void walk(Node& node, TreePath& path);

  VariableLookup lookup_;
  WarningList& warnings_;
  std::size_t bytes_ = 0;
};

}  // namespace drover::compose
