// Members of the engine's answers, where any of them may be absent, null or of another type (shapes drift from version to version).
#pragma once

#include "digest/digest.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// The member, or null when there is none or `object` is no object.
const nlohmann::json& member(const nlohmann::json& object, const char* name);
std::string text_member(const nlohmann::json& object, const char* name);
bool flag_member(const nlohmann::json& object, const char* name);
std::optional<Digest> digest_member(const nlohmann::json& object, const char* name);
// The texts of an array; "<none>:<none>" and "<none>@<none>" are left out (below API 1.43).
std::vector<std::string> texts_member(const nlohmann::json& object, const char* name);
std::map<std::string, std::string> map_member(const nlohmann::json& object, const char* name);

}  // namespace drover::engine
