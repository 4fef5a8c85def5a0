#include "engine/json_fields.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace drover::engine {

const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json absent;
  if (!object.is_object()) return absent;
  const auto found = object.find(name);
  return found == object.end() ? absent : *found;
}

std::string text_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::int64_t> find_number_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return number <= INT64_MAX ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  constexpr double beyond = 9.2e18;
  const double number = value.get<double>();
  return number > -beyond && number < beyond ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
}

std::int64_t number_member(const nlohmann::json& object, const char* name) {
  return find_number_member(object, name).value_or(0);
}

std::optional<Timestamp> time_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  if (value.is_string()) return parse_timestamp(value.get_ref<const std::string&>());
  const std::int64_t seconds = number_member(object, name);
  constexpr std::int64_t seconds_max = INT64_MAX / 1'000'000'000;
  if (seconds <= 0 || seconds > seconds_max) return std::nullopt;
  return Timestamp(std::chrono::seconds(seconds));
}

std::optional<Digest> digest_member(const nlohmann::json& object, const char* name) {
  return Digest::try_parse(text_member(object, name));
}

std::optional<Digest> image_id_member(const nlohmann::json& object, const char* name) {
  const std::string text = text_member(object, name);
  return Digest::try_parse(text.find(':') == std::string::npos ? "sha256:" + text : text);
}

std::vector<std::string> texts_member(const nlohmann::json& object, const char* name) {
  std::vector<std::string> texts;
  const nlohmann::json& values = member(object, name);
  if (!values.is_array()) return texts;
  for (const nlohmann::json& value : values) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
  }
  return texts;
}

std::map<std::string, std::string> map_member(const nlohmann::json& object, const char* name) {
  std::map<std::string, std::string> texts;
  const nlohmann::json& values = member(object, name);
  if (!values.is_object()) return texts;
  for (const auto& [key, value] : values.items()) {
    if (value.is_string()) texts.emplace(key, value.get<std::string>());
  }
  return texts;
}

std::vector<std::string> keys_member(const nlohmann::json& object, const char* name) {
  std::vector<std::string> keys;
  const nlohmann::json& values = member(object, name);
  if (!values.is_object()) return keys;
  for (const auto& [key, value] : values.items()) keys.push_back(key);
  return keys;
}

std::vector<std::reference_wrapper<const nlohmann::json>> items_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& values = member(object, name);
  if (!values.is_array() && !values.is_object()) return {};
  return {values.begin(), values.end()};
}

void put_some(nlohmann::json& object, const char* name, const nlohmann::json& value) {
  const bool is_nothing = value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
                          ((value.is_array() || value.is_object()) && value.empty());
  if (!is_nothing) object[name] = value;
}

std::string to_request_text(const nlohmann::json& document) {
  try {
    return document.dump();
  } catch (const nlohmann::json::type_error&) {  // its text would quote the document's bytes, which may be a secret's
    throw Error(ErrorCode::invalid, "cannot ask the engine: a name, label, path or login in the request is not UTF-8");
  }
}

}  // namespace drover::engine
