// index.json as text to text: which tags it holds, and the same document with tags replaced (OCI image-spec v1.1 image-layout.md
// §index.json file). Pure; what other tools put into the document (members, annotations, entries without a name) stays as it is.
//
// A tag's name is the annotation io.containerd.image.name where there is one, else org.opencontainers.image.ref.name; drover writes both
// alike. Where several entries carry one name the first counts, as containers/image has it.
#pragma once

#include "store/blob_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

// About 30,000 tags; a layout of that many is another mistake.
inline constexpr std::uint64_t index_json_bytes_max = 16U << 20U;
// Depth of members that other tools added: bounded because writing them again recurses.
inline constexpr int index_json_depth_max = 64;

struct IndexEntry {
  std::optional<std::string> name;  // nothing: an entry without one
  // Nothing when the digest is of an algorithm that drover does not know.
  std::optional<Descriptor> descriptor;
  std::string digest_text;
};

// A document without entries.
std::string empty_index_json();

// All throw invalid, saying what is wrong, when the document is not an OCI index; the first two also when an entry's descriptor is
// malformed. The others touch no entry but those of their names, so that a broken one can be replaced or removed.
std::vector<IndexEntry> parse_index_entries(std::string_view json);  // in document order
std::vector<Tag> parse_index_tags(std::string_view json);            // by name, each name once
std::string with_tags(std::string_view json, const std::vector<Tag>& tags);
// Nothing when there is no such tag.
std::optional<std::string> without_tag(std::string_view json, std::string_view name);

}  // namespace drover::store
