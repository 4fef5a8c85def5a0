#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

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

std::optional<Digest> digest_member(const nlohmann::json& object, const char* name) {
  return Digest::try_parse(text_member(object, name));
}

std::vector<std::string> texts_member(const nlohmann::json& object, const char* name) {
  std::vector<std::string> texts;
  const nlohmann::json& values = member(object, name);
  if (!values.is_array()) return texts;
  for (const nlohmann::json& value : values) {
    if (!value.is_string()) continue;
    std::string text = value.get<std::string>();
    if (text.find("<none>") == std::string::npos) texts.push_back(std::move(text));
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

}  // namespace drover::engine
