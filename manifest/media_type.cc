#include "manifest/media_type.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace drover {

namespace {

constexpr std::size_t name_bytes_max = 127;  // RFC 6838 section 4.2, of each side of the slash

bool is_restricted_name(std::string_view name) {
  constexpr std::string_view marks = "!#$&-^_.+";
  return !name.empty() && name.size() <= name_bytes_max && is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || marks.find(c) != std::string_view::npos; });
}

template <std::size_t size>
bool is_among(const std::array<std::string_view, size>& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

constexpr std::array<std::string_view, 5> generic_types = {"", "application/json", "text/plain", "application/octet-stream",
                                                           "binary/octet-stream"};

constexpr std::array plain_layer_types = {media_type::oci_layer,    media_type::oci_layer_gzip,    media_type::oci_layer_zstd,
                                          media_type::docker_layer, media_type::docker_layer_gzip, media_type::docker_layer_zstd};

constexpr std::array foreign_layer_types = {media_type::oci_foreign_layer, media_type::oci_foreign_layer_gzip, media_type::oci_foreign_layer_zstd,
                                            media_type::docker_foreign_layer, media_type::docker_foreign_layer_gzip};

}  // namespace

std::string parse_media_type(std::string_view text) {
  const std::string type = to_lower(trim(text.substr(0, text.find(';'))));
  const std::size_t slash = type.find('/');
  if (slash == std::string::npos) return {};
  const bool ok = is_restricted_name(std::string_view(type).substr(0, slash)) && is_restricted_name(std::string_view(type).substr(slash + 1));
  return ok ? type : std::string();
}

bool is_generic_media_type(std::string_view type) { return is_among(generic_types, type); }

bool is_index_media_type(std::string_view type) { return type == media_type::oci_index || type == media_type::docker_manifest_list; }

bool is_manifest_media_type(std::string_view type) { return type == media_type::oci_manifest || type == media_type::docker_manifest; }

bool is_schema1_media_type(std::string_view type) {
  return type == media_type::docker_schema1 || type == media_type::docker_schema1_signed;
}

bool is_layer_media_type(std::string_view type) { return is_among(plain_layer_types, type) || is_foreign_layer_media_type(type); }

bool is_foreign_layer_media_type(std::string_view type) { return is_among(foreign_layer_types, type); }

}  // namespace drover
