#include "registry/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::registry {

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace drover::registry
