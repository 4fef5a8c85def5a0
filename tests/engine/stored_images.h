// Small real images in a store.
#pragma once

#include "engine/load.h"
#include "manifest/media_type.h"
#include "store/blob_store.h"
#include "tests/support/layer_bytes.h"

#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

inline Descriptor put_blob(store::BlobStore& store, std::string_view bytes, std::string_view type) {
  const Digest digest = Digest::of(bytes);
  store.put(digest, bytes);
  return {.media_type = std::string(type), .digest = digest, .size = bytes.size(), .platform = {}, .annotations = {}, .urls = {}};
}

inline std::string to_json(const Descriptor& d) {
  std::string json = R"({"mediaType":")" + d.media_type + R"(","digest":")" + d.digest.to_string() + R"(","size":)" + std::to_string(d.size);
  if (d.platform) json += R"(,"platform":{"os":")" + d.platform->os + R"(","architecture":")" + d.platform->architecture + "\"}";
  return json + "}";
}

// An image of one platform; what is put is its manifest.
inline Descriptor put_manifest(store::BlobStore& store, std::string_view architecture, const std::vector<StoredLayer>& layers) {
  std::string diff_ids;
  std::string list;
  for (const StoredLayer& layer : layers) {
    diff_ids += (diff_ids.empty() ? "\"" : ",\"") + Digest::of(layer.plain).to_string() + "\"";
    list += (list.empty() ? "" : ",") + to_json(put_blob(store, layer.blob, layer.media_type));
  }
  const Descriptor config = put_blob(store,
                                     R"({"os":"linux","architecture":")" + std::string(architecture) +
                                         R"(","rootfs":{"type":"layers","diff_ids":[)" + diff_ids + "]}}",
                                     media_type::oci_config);
  Descriptor manifest = put_blob(store,
                                 R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_manifest) + R"(","config":)" +
                                     to_json(config) + R"(,"layers":[)" + list + "]}",
                                 media_type::oci_manifest);
  manifest.platform = Platform::parse("linux/" + std::string(architecture));
  return manifest;
}

inline Descriptor put_index(store::BlobStore& store, const std::vector<Descriptor>& manifests) {
  std::string list;
  for (const Descriptor& child : manifests) list += (list.empty() ? "" : ",") + to_json(child);
  return put_blob(store, R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_index) + R"(","manifests":[)" + list + "]}",
                  media_type::oci_index);
}

// An amd64 image behind an index, as a loader wants it.
inline engine::LoadImage put_image(store::BlobStore& store, std::string_view reference, const std::vector<StoredLayer>& layers) {
  const Descriptor root = put_index(store, {put_manifest(store, "amd64", layers)});
  return engine::find_load_image(store, Reference::parse(reference), root, Platform::parse("linux/amd64"));
}

}  // namespace drover::test
