// JSON text byte for byte as Go's encoding/json writes it: what docker compose prints, and what its config hash is taken over.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::compose {

enum class JsonLayout {
  compact,
  indented,  // by two spaces
};

// Members stay in their order. < > & and U+2028, U+2029 are escaped, broken UTF-8 becomes \ufffd.
std::string to_go_json(const nlohmann::ordered_json& value, JsonLayout layout);

}  // namespace drover::compose
