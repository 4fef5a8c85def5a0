// YAML text to compose trees, the way compose reads it: YAML 1.2 core types with go-yaml's number forms, anchors, aliases,
// merge keys (<<), several documents in a file, and compose's own tags !reset and !override.
//
// Everything is bounded: a compose file is outside input, and aliases can grow exponentially.
#pragma once

#include "compose/node.h"
#include "compose/tree_path.h"

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

namespace drover::compose {

inline constexpr std::size_t yaml_bytes_max = 4 * 1024 * 1024;  // far beyond any real compose file
inline constexpr std::size_t yaml_nodes_max = 100'000;          // after aliases are expanded; compose-go's limit of node visits
inline constexpr int yaml_depth_max = 100;

struct YamlDocument {
  Node root;
  // Where !reset and !override stood. A !reset node is not in the tree; whoever merges this document removes these paths from what was
  // merged before.
  std::vector<TreePath> resets;
};

// A document without content has a null root; a text without any document gives none. Throws invalid with file:line:column for bad YAML, a repeated key, a key that is not a string,
// an alias without its anchor or within it, and beyond the limits above.
std::vector<YamlDocument> parse_yaml(std::string_view text, const std::filesystem::path& file);

// The type and value of a plain (unquoted) scalar.
struct PlainScalar {
  Node::Kind kind;
  std::string text;  // as Node::text
};
PlainScalar resolve_plain_scalar(std::string_view text);

}  // namespace drover::compose
