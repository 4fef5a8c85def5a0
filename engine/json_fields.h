// Members of the engine's answers, where any of them may be absent, null or of another type (shapes drift from version to version).
#pragma once

#include "digest/digest.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// The member, or null when there is none or `object` is no object.
const nlohmann::json& member(const nlohmann::json& object, const char* name);
std::string text_member(const nlohmann::json& object, const char* name);
bool flag_member(const nlohmann::json& object, const char* name);
// Whole numbers; a fraction is cut off, and what does not fit is absent.
std::optional<std::int64_t> find_number_member(const nlohmann::json& object, const char* name);
std::int64_t number_member(const nlohmann::json& object, const char* name);  // absent: 0
// RFC 3339 text, or seconds since 1970; nothing for 0 and for the engine's "never".
std::optional<Timestamp> time_member(const nlohmann::json& object, const char* name);
std::optional<Digest> digest_member(const nlohmann::json& object, const char* name);
// The same, where podman leaves out "sha256:".
std::optional<Digest> image_id_member(const nlohmann::json& object, const char* name);
// The texts of an array.
std::vector<std::string> texts_member(const nlohmann::json& object, const char* name);
std::map<std::string, std::string> map_member(const nlohmann::json& object, const char* name);
// The names of an object's members, as in {"80/tcp": {}}.
std::vector<std::string> keys_member(const nlohmann::json& object, const char* name);
// The entries of an array, or the values of an object; none of anything else.
std::vector<std::reference_wrapper<const nlohmann::json>> items_member(const nlohmann::json& object, const char* name);

// For requests: sets the member unless `value` is null, or an empty text, list or object: those mean the engine's default, and
// some engines refuse them ("" is no IP address).
void put_some(nlohmann::json& object, const char* name, const nlohmann::json& value);

// A request's document. Throws invalid when a text in it is not UTF-8, as names, paths and labels that a person gives may be: JSON has no
// way to say that, and what engines would make of it is another name.
std::string to_request_text(const nlohmann::json& document);

}  // namespace drover::engine
