#include "store/index_json.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/media_type.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace drover::store {
namespace {

using Json = nlohmann::ordered_json;  // keeps other tools' order of members

constexpr const char* ref_name_key = "org.opencontainers.image.ref.name";
constexpr const char* containerd_name_key = "io.containerd.image.name";

[[noreturn]] void throw_invalid(const std::string& what) { throw Error(ErrorCode::invalid, "index.json " + what); }

Json parse(std::string_view text) {
  const auto limit_depth = [](int depth, Json::parse_event_t, Json&) {
    if (depth > index_json_depth_max) throw_invalid("is nested more than " + std::to_string(index_json_depth_max) + " levels deep");
    return true;
  };
  // The parser takes a NUL for the end and would not see what follows.
  if (text.find('\0') != std::string_view::npos) throw_invalid("holds NUL bytes");
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), limit_depth);
  } catch (const Json::exception& e) {
    throw_invalid("is not JSON: " + printable(e.what(), 160));
  }
  if (!json.is_object()) throw_invalid("is not a JSON object");
  const auto version = json.find("schemaVersion");
  if (version == json.end() || *version != 2) throw_invalid("has no schemaVersion 2");
  const auto manifests = json.find("manifests");
  if (manifests == json.end() || manifests->is_null()) {
    json["manifests"] = Json::array();  // Go tools write null for none
  } else if (!manifests->is_array()) {
    throw_invalid("has a member manifests that is not an array");
  }
  return json;
}

const std::string* find_string(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto member = object.find(key);
  return member == object.end() ? nullptr : member->get_ptr<const std::string*>();
}

std::optional<std::string> entry_name(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto annotations = entry.find("annotations");
  if (annotations == entry.end()) return std::nullopt;
  for (const char* key : {containerd_name_key, ref_name_key}) {
    const std::string* name = find_string(*annotations, key);
    if (name != nullptr && !name->empty()) return *name;
  }
  return std::nullopt;
}

std::string describe(const Json& entry) {
  const std::optional<std::string> name = entry_name(entry);
  return name ? "entry " + printable(*name, 200) : "an entry without a name";
}

std::optional<Platform> read_platform(const Json& entry) {
  const auto member = entry.find("platform");
  if (member == entry.end() || !member->is_object()) return std::nullopt;
  const auto text = [&](const char* key) {
    const std::string* value = find_string(*member, key);
    return value == nullptr ? std::string() : *value;
  };
  Platform platform{
      .os = text("os"), .architecture = text("architecture"), .variant = text("variant"), .os_version = text("os.version"), .os_features = {}};
  const auto features = member->find("os.features");
  if (features != member->end() && features->is_array()) {
    for (const Json& feature : *features) {
      if (feature.is_string()) platform.os_features.push_back(feature.get<std::string>());
    }
  }
  return platform;
}

std::uint64_t read_size(const Json& entry) {
  const auto size = entry.find("size");
  if (size == entry.end() || !size->is_number_unsigned()) throw_invalid("gives " + describe(entry) + " no size in whole bytes");
  const std::uint64_t value = size->get<std::uint64_t>();
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) throw_invalid("gives " + describe(entry) + " an absurd size");
  return value;
}

IndexEntry read_entry(const Json& entry) {
  if (!entry.is_object()) throw_invalid("has an entry that is not an object");
  IndexEntry result{.name = entry_name(entry), .descriptor = std::nullopt, .digest_text = {}};
  const std::string* digest = find_string(entry, "digest");
  if (digest == nullptr) throw_invalid("gives " + describe(entry) + " no digest");
  result.digest_text = *digest;
  const std::optional<Digest> parsed = Digest::try_parse(*digest);
  if (!parsed) {
    if (digest->starts_with("sha256:") || digest->starts_with("sha512:") || digest->find(':') == std::string::npos) {
      throw_invalid("gives " + describe(entry) + " a malformed digest: " + printable(*digest, 160));
    }
    return result;
  }
  const std::string* type = find_string(entry, "mediaType");
  Descriptor descriptor{.media_type = type == nullptr ? std::string() : to_lower(trim(*type)),
                        .digest = *parsed,
                        .size = read_size(entry),
                        .platform = read_platform(entry),
                        .annotations = {},
                        .urls = {}};
  const auto annotations = entry.find("annotations");
  if (annotations != entry.end() && annotations->is_object()) {
    for (const auto& [key, value] : annotations->items()) {
      if (value.is_string() && key != ref_name_key && key != containerd_name_key) descriptor.annotations[key] = value.get<std::string>();
    }
  }
  result.descriptor = std::move(descriptor);
  return result;
}

Json to_json(const Platform& platform) {
  Json json{{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.os_version.empty()) json["os.version"] = platform.os_version;
  if (!platform.os_features.empty()) json["os.features"] = platform.os_features;
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

Json to_json(const Tag& tag) {
  const Descriptor& d = tag.descriptor;
  Json json{{"mediaType", d.media_type}, {"digest", d.digest.to_string()}, {"size", d.size}};
  if (d.platform) json["platform"] = to_json(*d.platform);
  Json annotations = Json::object();
  for (const auto& [key, value] : d.annotations) annotations[key] = value;
  annotations[containerd_name_key] = tag.name;
  annotations[ref_name_key] = tag.name;
  json["annotations"] = std::move(annotations);
  return json;
}

// The first entry of that name is replaced where it stands, further ones go.
void replace_tag(Json& manifests, const Tag& tag) {
  bool is_placed = false;
  Json result = Json::array();
  for (Json& entry : manifests) {
    if (entry_name(entry) != tag.name) {
      result.push_back(std::move(entry));
    } else if (!is_placed) {
      result.push_back(to_json(tag));
      is_placed = true;
    }
  }
  if (!is_placed) result.push_back(to_json(tag));
  manifests = std::move(result);
}

std::string to_text(const Json& json) {
  std::string text = json.dump();
  if (text.size() > index_json_bytes_max) throw_invalid("would be larger than " + format_bytes(index_json_bytes_max));
  return text;
}

void check_tag_name(std::string_view name) {
  const bool is_bad = name.empty() || name.size() > 4096 || std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
  });
  if (is_bad) throw Error(ErrorCode::usage, "cannot use \"" + printable(name, 80) + "\" as the name of a tag");
}

}  // namespace

std::string empty_index_json() {
  return Json{{"schemaVersion", 2}, {"mediaType", media_type::oci_index}, {"manifests", Json::array()}}.dump();
}

std::vector<IndexEntry> parse_index_entries(std::string_view json) {
  std::vector<IndexEntry> entries;
  const Json document = parse(json);
  for (const Json& entry : document.at("manifests")) entries.push_back(read_entry(entry));
  return entries;
}

std::vector<Tag> parse_index_tags(std::string_view json) {
  std::vector<Tag> tags;
  std::set<std::string> seen;
  for (IndexEntry& entry : parse_index_entries(json)) {
    if (!entry.name || !entry.descriptor || !seen.insert(*entry.name).second) continue;
    tags.push_back({.name = *std::move(entry.name), .descriptor = *std::move(entry.descriptor)});
  }
  std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) { return a.name < b.name; });
  return tags;
}

std::string with_tags(std::string_view json, const std::vector<Tag>& tags) {
  Json document = parse(json);
  for (const Tag& tag : tags) {
    check_tag_name(tag.name);
    replace_tag(document.at("manifests"), tag);
  }
  return to_text(document);
}

std::optional<std::string> without_tag(std::string_view json, std::string_view name) {
  Json document = parse(json);
  Json& manifests = document.at("manifests");
  Json kept = Json::array();
  for (Json& entry : manifests) {
    if (entry_name(entry) != name) kept.push_back(std::move(entry));
  }
  if (kept.size() == manifests.size()) return std::nullopt;
  manifests = std::move(kept);
  return to_text(document);
}

}  // namespace drover::store
