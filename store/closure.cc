#include "store/closure.h"

#include "manifest/media_type.h"
#include "store/blob_file.h"

#include <unordered_set>
#include <utility>

namespace drover::store {
namespace {

class ClosureReader {
 public:
  ClosureReader(std::filesystem::path store_root, const Descriptor& root)
      : store_root_(std::move(store_root)), result_{.closure = {.root = root, .images = {}, .blobs = {}}, .problems = {}} {}

  LenientClosure read() {
    visit(Descriptor(result_.closure.root), 1);
    return std::move(result_);
  }

 private:
  // False when the digest was there before.
  bool add(const Descriptor& descriptor) {
    if (!seen_.insert(descriptor.digest).second) return false;
    result_.closure.blobs.push_back(descriptor);
    return true;
  }

  bool is_stored(const Descriptor& descriptor) const { return find_file_size(blob_path(store_root_, descriptor.digest)).has_value(); }

  std::string read_document(const Descriptor& descriptor, std::uint64_t bytes_max) const {
    std::string bytes = read_blob(store_root_, descriptor.digest, bytes_max);
    if (bytes.size() != descriptor.size) {
      throw Error(ErrorCode::invalid, "blob " + descriptor.digest.to_string() + " has " + std::to_string(bytes.size()) +
                                          " bytes, its descriptor says " + std::to_string(descriptor.size));
    }
    return bytes;
  }

  void visit(const Descriptor& descriptor, int depth) {
    if (!add(descriptor)) return;
    try {
      if (depth > index_depth_max) {
        throw Error(ErrorCode::invalid, "indexes below " + result_.closure.root.digest.to_string() + " are nested more than " +
                                            std::to_string(index_depth_max) + " deep");
      }
      const Document document = parse_document(read_document(descriptor, manifest_bytes_max), descriptor.media_type);
      if (const Index* index = std::get_if<Index>(&document)) {
        for (const Descriptor& child : index->manifests) visit_child(child, depth + 1);
      } else {
        add_image(descriptor, std::get<Manifest>(document));
      }
    } catch (const Error& e) {
      result_.problems.push_back({.what = ClosureProblem::What::document, .descriptor = descriptor, .error = e});
    }
  }

  void visit_child(const Descriptor& child, int depth) {
    if (!is_stored(child)) return;  // a platform that was not pulled
    if (is_index_media_type(child.media_type) || is_manifest_media_type(child.media_type)) {
      visit(child, depth);
    } else {
      add(child);  // an artifact that is named by an index directly: kept, not understood
    }
  }

  void add_image(const Descriptor& descriptor, Manifest manifest) {
    add(manifest.config);
    for (const Descriptor& layer : manifest.layers) add(layer);
    Platform platform = descriptor.platform ? normalise(*descriptor.platform) : read_platform(manifest);
    result_.closure.images.push_back({.platform = std::move(platform), .manifest = descriptor, .parsed = std::move(manifest)});
  }

  // Artifacts have configs that say nothing of a platform; theirs stays empty.
  Platform read_platform(const Manifest& manifest) {
    const std::string_view type = manifest.config.media_type;
    if (type != media_type::oci_config && type != media_type::docker_config) return {};
    try {
      return parse_image_config(read_document(manifest.config, config_bytes_max)).platform;
    } catch (const Error& e) {
      result_.problems.push_back({.what = ClosureProblem::What::config, .descriptor = manifest.config, .error = e});
      return {};
    }
  }

  std::filesystem::path store_root_;
  LenientClosure result_;
  std::unordered_set<Digest> seen_;
};

}  // namespace

LenientClosure read_closure_leniently(const std::filesystem::path& store_root, const Descriptor& root) {
  return ClosureReader(store_root, root).read();
}

Closure read_closure(const BlobStore& store, const Descriptor& root) {
  LenientClosure result = read_closure_leniently(store.root(), root);
  if (!result.problems.empty()) throw Error(result.problems.front().error);
  return std::move(result.closure);
}

}  // namespace drover::store
