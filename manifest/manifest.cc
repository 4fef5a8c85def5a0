#include "manifest/manifest.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/descriptor_json.h"
#include "manifest/json_document.h"
#include "manifest/media_type.h"

#include <nlohmann/json.hpp>

#include <array>
#include <limits>

namespace drover {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 9> document_keys = {"schemaVersion", "mediaType", "artifactType", "manifests", "config",
                                                           "layers",        "fsLayers",  "history",      "signatures"};
constexpr std::uint64_t schema_version = 2;

[[noreturn]] void refuse_schema1() {
  throw Error(ErrorCode::unsupported,
              "schema 1 image manifests are not supported: docker replaced them in 2016; pull the image with an old docker and push it again");
}

// The document's own word, or nothing where it has none; a word that is no media type is refused.
std::string own_media_type(const JsonObject& object) {
  const auto text = object.find_string("mediaType");
  if (!text || text->empty()) return {};
  std::string type = parse_media_type(*text);
  if (type.empty()) refuse_json(object.name_of("mediaType"), "not a media type");
  return type;
}

bool is_index_or_manifest(std::string_view type) { return is_index_media_type(type) || is_manifest_media_type(type); }

// What the members say, for a document that nothing else names.
std::string_view sniff(const JsonObject& object) {
  if (object.has("manifests")) return media_type::oci_index;
  if (!object.has("config")) refuse_json(object.where(), "neither an index (it has no manifests) nor a manifest (it has no config)");
  const Json& config = *object.find("config");
  const auto type = config.is_object() ? config.find("mediaType") : config.end();
  const bool docker = type != config.end() && type->is_string() && parse_media_type(type->get_ref<const std::string&>()) == media_type::docker_config;
  return docker ? media_type::docker_manifest : media_type::oci_manifest;
}

// One meaning, on which the header or parent, the document's mediaType and its members agree.
std::string decide_media_type(const JsonObject& object, const std::string& served_as) {
  const std::string own = own_media_type(object);
  if (is_schema1_media_type(served_as) || is_schema1_media_type(own) || object.has("fsLayers")) refuse_schema1();
  if (!own.empty() && !is_generic_media_type(served_as) && own != served_as) {
    refuse_json(object.where(), "its mediaType is " + own + ", but it was served as " + served_as);
  }
  const bool served_precisely = !is_generic_media_type(served_as);
  std::string type = served_precisely ? served_as : own;
  if (type.empty()) type = sniff(object);
  if (!is_index_or_manifest(type)) {
    throw Error(ErrorCode::unsupported, "neither an image index nor an image manifest: its media type is " + printable(type, 260));
  }
  return type;
}

// A document that could be taken for both is an attack on whoever reads the other half (CVE-2021-41190).
void refuse_second_meaning(const JsonObject& object, std::string_view type) {
  const bool index = is_index_media_type(type);
  if (index && (object.has("config") || object.has("layers"))) {
    refuse_json(object.where(), "it is served as an index and has the config or layers of a manifest");
  }
  if (!index && object.has("manifests")) refuse_json(object.where(), "it is served as a manifest and has the manifests of an index");
}

void check_schema_version(const JsonObject& object) {
  const std::uint64_t version = object.uint("schemaVersion");
  if (version == 1) refuse_schema1();
  if (version != schema_version) refuse_json(object.name_of("schemaVersion"), std::to_string(version) + " instead of 2");
}

std::vector<Descriptor> parse_descriptors(const JsonObject& object, std::string_view key, std::size_t count_max) {
  std::vector<Descriptor> descriptors;
  for (const Json* element : object.array(key, count_max)) {
    descriptors.push_back(parse_descriptor(*element, object.name_of(key) + '[' + std::to_string(descriptors.size()) + ']'));
  }
  return descriptors;
}

// So that whoever adds them up cannot overflow.
void check_sum_of_sizes(std::string_view where, const std::vector<Descriptor>& descriptors, std::uint64_t sum) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  for (const Descriptor& descriptor : descriptors) {
    if (descriptor.size > largest - sum) refuse_json(where, "its sizes add up to 2^63 bytes or more");
    sum += descriptor.size;
  }
}

Index parse_index(const JsonObject& object, std::string type) {
  Index index{std::move(type), parse_descriptors(object, "manifests", index_children_max)};
  check_sum_of_sizes(object.where(), index.manifests, 0);
  return index;
}

Manifest parse_manifest(const JsonObject& object, std::string type) {
  const Json* config = object.find("config");
  if (config == nullptr) refuse_json(object.name_of("config"), "missing");
  Manifest manifest{.media_type = std::move(type),
                    .config = parse_descriptor(*config, object.name_of("config")),
                    .layers = parse_descriptors(object, "layers", layers_max),
                    .artifact_type = object.find_string("artifactType")};
  if (manifest.artifact_type && manifest.artifact_type->empty()) manifest.artifact_type.reset();
  check_sum_of_sizes(object.where(), manifest.layers, manifest.config.size);
  return manifest;
}

void check_size(std::string_view bytes, std::uint64_t bytes_max, std::string_view what) {
  if (bytes.size() > bytes_max) {
    refuse_json(what, std::to_string(bytes.size()) + " bytes long, more than " + std::to_string(bytes_max));
  }
}

}  // namespace

Document parse_document(std::string_view bytes, std::string_view served_as_written) {
  check_size(bytes, manifest_bytes_max, "manifest");
  const std::string served_as = parse_media_type(served_as_written);
  if (served_as.empty() && !trim(served_as_written).empty()) {
    refuse_json("manifest", "served as \"" + printable(served_as_written, 80) + "\", which is not a media type");
  }
  const Json json = parse_json_strictly(bytes, "manifest");
  const JsonObject object(json, "manifest", document_keys);
  std::string type = decide_media_type(object, served_as);
  check_schema_version(object);
  refuse_second_meaning(object, type);
  if (is_index_media_type(type)) return parse_index(object, std::move(type));
  return parse_manifest(object, std::move(type));
}

std::string media_type_of(const Document& document) {
  return std::visit([](const auto& d) { return d.media_type; }, document);
}

}  // namespace drover
