// Index, manifest and image configuration, parsed strictly from bytes that stay beside them.
//
// Strict: a duplicate key or two keys that differ only in case, a document that is both index and manifest, a mediaType unlike the
// one it was served as, a size that is not a plain integer below 2^63: refused, and the error names it (invalid). Unknown members
// and unknown media types of layers are fine, null stands for a member that is absent, and maps of labels may hold what they like.
//
// Why keys that differ only in case: parsers of Go match members without regard to case (U+017F and U+212A are "s" and "k" to them),
// so that "layers" and "Layers" in one document would be one image here and another in the engine. For the same reason a member that
// is read here and spelt in another case is refused. OCI image-spec v1.1 image-index.md, manifest.md, config.md; Docker schema 2.
#pragma once

#include "digest/digest.h"
#include "manifest/descriptor.h"
#include "manifest/platform.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace drover {

// distribution-spec v1.1 §pushing-manifests: registries accept at least 4 MiB; nobody needs more.
inline constexpr std::uint64_t manifest_bytes_max = 4U << 20U;
inline constexpr std::uint64_t config_bytes_max = 8U << 20U;
inline constexpr std::size_t index_children_max = 1000;
inline constexpr std::size_t layers_max = 1000;
inline constexpr int index_depth_max = 3;
// What a document of images ever needs is below ten levels and some thousands of values; these keep a hostile one cheap.
inline constexpr std::size_t json_depth_max = 64;
inline constexpr std::size_t json_values_max = 250'000;

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers = {};
  std::optional<std::string> artifact_type = {};
};

using Document = std::variant<Index, Manifest>;

// `served_as` is the media type of the header or the parent descriptor; empty or generic (is_generic_media_type) means: look at the
// document. Throws unsupported, with a clear word, for schema 1 and for documents that are neither index nor manifest.
Document parse_document(std::string_view bytes, std::string_view served_as);
std::string media_type_of(const Document& document);

struct ImageConfig {
  Platform platform;              // normalised
  std::vector<Digest> diff_ids;   // of the uncompressed layers, lowest first
  std::string created;            // RFC 3339, as written; may be empty

  // OCI image-spec v1.1 config.md §layer-chainid: the name of the stack of layers 0..i, for every i.
  std::vector<Digest> chain_ids() const;
};

// Throws invalid when rootfs is missing or malformed.
ImageConfig parse_image_config(std::string_view bytes);

// Throws invalid unless the numbers of layers and diff IDs agree.
void check_layers_match(const Manifest& manifest, const ImageConfig& config);

}  // namespace drover
