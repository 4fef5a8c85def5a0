// Members of what registries, token servers and credential helpers answer: they may be absent or of another type.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::registry {

// Empty when there is no such member, or it is no text.
std::string text_member(const nlohmann::json& object, const char* name);

}  // namespace drover::registry
