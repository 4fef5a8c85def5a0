#include "manifest/descriptor_json.h"

#include "base/error.h"
#include "manifest/media_type.h"

#include <nlohmann/json.hpp>

#include <array>

namespace drover {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 7> descriptor_keys = {"mediaType", "digest", "size", "platform", "annotations", "urls", "artifactType"};
constexpr std::array<std::string_view, 5> platform_keys = {"architecture", "os", "variant", "os.version", "os.features"};

// Free words: keys that differ in case are two keys here. null as a value is an empty one, as Go reads it.
std::map<std::string, std::string> find_annotations(const JsonObject& object) {
  std::map<std::string, std::string> annotations;
  const Json* value = object.find("annotations");
  if (value == nullptr) return annotations;
  if (!value->is_object()) refuse_json(object.name_of("annotations"), "not an object of strings");
  for (const auto& [key, text] : value->get_ref<const Json::object_t&>()) {
    if (!text.is_string() && !text.is_null()) refuse_json(object.name_of("annotations"), "not an object of strings");
    annotations.emplace(key, text.is_null() ? std::string() : text.get_ref<const std::string&>());
  }
  return annotations;
}

}  // namespace

Digest parse_digest(const Json& value, const std::string& name) {
  if (!value.is_string()) refuse_json(name, "not a string");
  try {
    return Digest::parse(value.get_ref<const std::string&>());
  } catch (Error& error) {
    throw error.add_frame(name);
  }
}

std::optional<Platform> find_platform(const JsonObject& object) {
  Platform platform;
  platform.os = object.find_string("os").value_or("");
  platform.architecture = object.find_string("architecture").value_or("");
  platform.variant = object.find_string("variant").value_or("");
  platform.os_version = object.find_string("os.version").value_or("");
  platform.os_features = object.find_strings("os.features");
  if (platform.os.empty() && platform.architecture.empty()) return std::nullopt;
  return normalise(std::move(platform));
}

Descriptor parse_descriptor(const Json& value, std::string where) {
  const JsonObject object(value, std::move(where), descriptor_keys);
  const std::string media_type = parse_media_type(object.string("mediaType"));
  if (media_type.empty()) refuse_json(object.name_of("mediaType"), "not a media type");
  const Json* digest = object.find("digest");
  if (digest == nullptr) refuse_json(object.name_of("digest"), "missing");

  Descriptor descriptor{.media_type = media_type,
                        .digest = parse_digest(*digest, object.name_of("digest")),
                        .size = object.uint("size"),
                        .platform = std::nullopt,
                        .annotations = find_annotations(object),
                        .urls = object.find_strings("urls"),
                        .artifact_type = object.find_string("artifactType").value_or("")};
  if (const Json* platform = object.find("platform")) {
    descriptor.platform = find_platform(JsonObject(*platform, object.name_of("platform"), platform_keys));
  }
  return descriptor;
}

}  // namespace drover
