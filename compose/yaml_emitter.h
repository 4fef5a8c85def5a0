// A tree as YAML text, in blocks, strings quoted only where they need it. By libfyaml.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::compose {

// Strings must be UTF-8. What parse_yaml makes of the text is the same tree; YAML 1.1 readers see the same strings, too. Throws
// failed when libfyaml cannot write it.
std::string emit_yaml(const nlohmann::ordered_json& value);

}  // namespace drover::compose
