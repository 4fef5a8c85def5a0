#include "store/blob_store.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/media_type.h"

#include <algorithm>
#include <unordered_set>

namespace drover::store {
namespace {

class ClosureReader {
 public:
  ClosureReader(const BlobStore& store, const Descriptor& root) : store_(store), closure_{.root = root, .images = {}, .blobs = {}} {}

  Closure read() {
    visit(closure_.root, 1);
    return std::move(closure_);
  }

 private:
  // False when the digest was there before.
  bool add(const Descriptor& descriptor) {
    if (!seen_.insert(descriptor.digest).second) return false;
    closure_.blobs.push_back(descriptor);
    return true;
  }

  std::string read_document(const Descriptor& descriptor, std::uint64_t bytes_max) const {
    std::string bytes = store_.read(descriptor.digest, bytes_max);
    if (bytes.size() != descriptor.size) {
      throw Error(ErrorCode::invalid, "blob " + descriptor.digest.to_string() + " has " + std::to_string(bytes.size()) +
                                          " bytes, its descriptor says " + std::to_string(descriptor.size));
    }
    return bytes;
  }

  void visit(const Descriptor& descriptor, int depth) {
    if (depth > index_depth_max) {
      throw Error(ErrorCode::invalid, "indexes below " + closure_.root.digest.to_string() + " are nested more than " +
                                          std::to_string(index_depth_max) + " deep");
    }
    if (!add(descriptor)) return;
    const Document document = parse_document(read_document(descriptor, manifest_bytes_max), descriptor.media_type);
    if (const Index* index = std::get_if<Index>(&document)) {
      for (const Descriptor& child : index->manifests) visit_child(child, depth + 1);
    } else {
      add_image(descriptor, std::get<Manifest>(document));
    }
  }

  void visit_child(const Descriptor& child, int depth) {
    if (!store_.find_size(child.digest)) return;  // a platform that was not pulled
    if (is_index_media_type(child.media_type) || is_manifest_media_type(child.media_type)) {
      visit(child, depth);
    } else {
      add(child);  // an artifact that is named by an index directly: kept, not understood
    }
  }

  void add_image(const Descriptor& descriptor, Manifest manifest) {
    add(manifest.config);
    for (const Descriptor& layer : manifest.layers) {
      if (is_foreign_layer_media_type(layer.media_type) && !store_.find_size(layer.digest)) continue;  // no registry has its bytes
      add(layer);
    }
    Platform platform = descriptor.platform ? normalise(*descriptor.platform) : read_platform(manifest);
    closure_.images.push_back({.platform = std::move(platform), .manifest = descriptor, .parsed = std::move(manifest)});
  }

  // Artifacts have configs that say nothing of a platform; theirs stays empty.
  Platform read_platform(const Manifest& manifest) const {
    const std::string_view type = manifest.config.media_type;
    if (type != media_type::oci_config && type != media_type::docker_config) return {};
    return parse_image_config(read_document(manifest.config, config_bytes_max)).platform;
  }

  const BlobStore& store_;
  Closure closure_;
  std::unordered_set<Digest> seen_;
};

}  // namespace

Closure read_closure(const BlobStore& store, const Descriptor& root) { return ClosureReader(store, root).read(); }

}  // namespace drover::store
