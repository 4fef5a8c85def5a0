// What the store has of a tag: read, looked at, not hashed.
#pragma once

#include "manifest/descriptor.h"
#include "manifest/manifest.h"
#include "store/blob_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

// One image of a document that names several, registry's or store's.
struct ImageView {
  std::string platform;
  Descriptor manifest;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::string created;               // may be empty
  std::vector<Digest> missing = {};  // of config and layers: what the store lacks, or has in another size

  bool is_missing(const Digest& digest) const;
};
ImageView make_view(std::string platform, const Descriptor& descriptor, const Manifest& manifest, std::string created);

struct StoredImage {
  store::Tag tag;
  std::vector<ImageView> images;
  std::uint64_t bytes = 0;            // of every blob that the tag needs and the store has, each once
  std::optional<std::string> damage;  // what cannot be read or is not there; for wrong bytes see store::verify
};

// `wanted`: only the image that serves each of these best; empty: all. Throws platform_missing.
StoredImage read_stored_image(const store::BlobStore& store, const store::Tag& tag, const std::vector<Platform>& wanted = {});

}  // namespace drover::cli
