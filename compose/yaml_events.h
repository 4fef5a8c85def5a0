// libfyaml's events gathered into a flat table of nodes, one table a document. The only place that knows libfyaml.
#pragma once

#include "compose/node.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

struct RawNode {
  enum class Kind { scalar, sequence, mapping, alias };

  Kind kind = Kind::scalar;
  bool is_plain = false;              // a scalar without quotes
  std::string tag;                    // "" when none; "!reset", "tag:yaml.org,2002:str"
  std::string text;                   // scalar's characters; alias: the anchor's name
  std::vector<std::size_t> children;  // indexes; a mapping's are key, value, key, value
  std::size_t target = 0;             // alias: index of the anchored node
  Origin origin;
};

struct RawDocument {
  std::vector<RawNode> nodes;  // the root is the first
};

// Throws invalid for what is not YAML and for an alias without an anchor before it; see the limits in yaml.h.
std::vector<RawDocument> read_yaml_events(std::string_view text, const std::shared_ptr<const std::filesystem::path>& file);

}  // namespace drover::compose
