// Small images put into a store for tests: real documents, made-up layers.
#pragma once

#include "base/error.h"
#include "manifest/media_type.h"
#include "store/blob_store.h"

#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

using store::BlobStore;

inline Descriptor describe(std::string_view bytes, std::string_view type) {
  return {.media_type = std::string(type), .digest = Digest::of(bytes), .size = bytes.size(), .platform = {}, .annotations = {}, .urls = {}};
}

inline Descriptor put(BlobStore& store, std::string_view bytes, std::string_view type) {
  const Descriptor descriptor = describe(bytes, type);
  store.put(descriptor.digest, bytes);
  return descriptor;
}

inline std::string to_json(const Descriptor& d) {
  std::string json = R"({"mediaType":")" + d.media_type + R"(","digest":")" + d.digest.to_string() + R"(","size":)" + std::to_string(d.size);
  if (d.platform) {
    json += R"(,"platform":{"os":")" + d.platform->os + R"(","architecture":")" + d.platform->architecture + "\"}";
  }
  return json + "}";
}

inline std::string config_json(std::string_view architecture, std::size_t layers) {
  std::string ids;
  for (std::size_t i = 0; i < layers; ++i) ids += (i == 0 ? "\"" : ",\"") + Digest::of("diff " + std::to_string(i)).to_string() + "\"";
  return R"({"os":"linux","architecture":")" + std::string(architecture) + R"(","rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
}

inline std::string manifest_json(const Descriptor& config, const std::vector<Descriptor>& layers) {
  std::string list;
  for (const Descriptor& layer : layers) list += (list.empty() ? "" : ",") + to_json(layer);
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_manifest) + R"(","config":)" + to_json(config) +
         R"(,"layers":[)" + list + "]}";
}

inline std::string index_json(const std::vector<Descriptor>& manifests) {
  std::string list;
  for (const Descriptor& child : manifests) list += (list.empty() ? "" : ",") + to_json(child);
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_index) + R"(","manifests":[)" + list + "]}";
}

// Layers of the given contents; "seed" makes images differ.
inline Descriptor put_image(BlobStore& store, std::string_view architecture, const std::vector<std::string>& contents) {
  std::vector<Descriptor> layers;
  for (const std::string& bytes : contents) layers.push_back(put(store, bytes, media_type::oci_layer_gzip));
  const Descriptor config = put(store, config_json(architecture, contents.size()), media_type::oci_config);
  Descriptor manifest = put(store, manifest_json(config, layers), media_type::oci_manifest);
  manifest.platform = Platform{.os = "linux", .architecture = std::string(architecture), .variant = {}, .os_version = {}, .os_features = {}};
  return manifest;
}

// For BOOST_CHECK_EXCEPTION.
inline auto has_code(ErrorCode code) {
  return [code](const Error& e) { return e.code() == code; };
}

}  // namespace drover::test
