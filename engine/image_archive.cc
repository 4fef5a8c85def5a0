#include "engine/image_archive.h"

#include "base/error.h"
#include "engine/odd_layer.h"
#include "manifest/media_type.h"
#include "store/inflate.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace drover::engine {
namespace {


std::string blob_name(const Digest& digest) { return "blobs/" + std::string(digest.algorithm_name()) + "/" + digest.hex(); }

// containerd resolves images by their whole name only; a digest takes the tag's place (distribution/reference).
std::string containerd_name(const Reference& reference) {
  if (reference.digest()) return reference.name() + "@" + reference.digest()->to_string();
  return reference.name() + ":" + reference.tag().value_or("latest");
}

}  // namespace

std::string docker_layer_name(const Digest& diff_id) { return diff_id.hex() + ".tar"; }

std::string docker_config_name(const Digest& config) { return config.hex() + ".json"; }

namespace {

nlohmann::ordered_json docker_archive_entry(const LoadImage& image, bool with_name) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const Digest& diff_id : image.config.diff_ids) layers.push_back(docker_layer_name(diff_id));
  // The classic store makes nothing of a name with a digest in RepoTags; such an image gets its name by settling.
  nlohmann::ordered_json tags = nlohmann::ordered_json::array();
  if (with_name && !image.reference.digest()) tags.push_back(image.reference.familiar());
  nlohmann::ordered_json entry;
  entry["Config"] = docker_config_name(image.image.parsed.config.digest);
  entry["RepoTags"] = std::move(tags);
  entry["Layers"] = std::move(layers);
  return entry;
}

}  // namespace

std::string docker_archive_manifest(const LoadImage& image, bool with_name) {
  return nlohmann::ordered_json::array({docker_archive_entry(image, with_name)}).dump();
}

std::string docker_archive_manifest(const std::vector<const LoadImage*>& images) {
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const LoadImage* const image : images) entries.push_back(docker_archive_entry(*image, true));
  return entries.dump();
}

std::string oci_layout_index(const LoadImage& image) {
  nlohmann::ordered_json entry;
  entry["mediaType"] = image.root.media_type;
  entry["digest"] = image.root.digest.to_string();
  entry["size"] = image.root.size;
  entry["annotations"]["io.containerd.image.name"] = containerd_name(image.reference);
  if (image.reference.tag()) entry["annotations"]["org.opencontainers.image.ref.name"] = *image.reference.tag();
  nlohmann::ordered_json index;
  index["schemaVersion"] = 2;
  index["mediaType"] = media_type::oci_index;
  index["manifests"] = nlohmann::ordered_json::array({std::move(entry)});
  return index.dump();
}

void check_layers_stored(const store::BlobStore& store, const LoadPlan& plan) {
  for (const LayerPlan& planned : plan.layers) {
    const Descriptor& layer = planned.layer;
    if (planned.action == LayerPlan::Action::skip_known || store.has(layer.digest, layer.size)) continue;
    const std::string name = layer.digest.to_string();
    if (!is_foreign_layer_media_type(layer.media_type)) {
      throw Error(ErrorCode::io, "the store has lost " + name + "; run `drover verify --repair`");
    }
    throw Error(ErrorCode::unsupported, "layer " + name + " is neither in the store nor in the engine: it is non-distributable (" +
                                            layer.media_type + "), and its registry did not serve it; pull the image from a registry that does");
  }
}

ImageArchive::ImageArchive(const store::BlobStore& store, LayerSizes& sizes, const LoadImage& image, const LoadPlan& plan,
                           const Inventory& inventory, Hooks hooks, const std::optional<std::string>& config, Manifest manifest)
    : store_(store),
      sizes_(sizes),
      image_(image),
      plan_(plan),
      hooks_(std::move(hooks)),
      takes_zstd_(!inventory.has(Quirk::refuses_zstd_layers)) {
  check_layers_stored(store, plan);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (plan.layers[i].action == LayerPlan::Action::skip_known) continue;
    (hooks_.is_own(i) ? own_ : awaited_).push_back(i);
  }
  if (plan.format == LoadPlan::Format::docker_archive) {
    add_docker_documents(config, manifest);
  } else {
    add_oci_documents();
  }
}

void ImageArchive::add_docker_documents(const std::optional<std::string>& config, Manifest manifest) {
  const Digest& digest = image_.image.parsed.config.digest;
  documents_.push_back(text_file(docker_config_name(digest), config ? *config : store_.read(digest, config_bytes_max)));
  if (manifest == Manifest::shared) return;
  documents_.push_back(text_file("manifest.json", docker_archive_manifest(image_, !config)));
}

void ImageArchive::add_oci_documents() {
  const Descriptor& config = image_.image.parsed.config;
  documents_.push_back(text_file(blob_name(config.digest), store_.read(config.digest, config_bytes_max)));
  const Digest& manifest = image_.image.manifest.digest;
  documents_.push_back(text_file(blob_name(manifest), store_.read(manifest, manifest_bytes_max)));
  if (image_.root.digest != manifest) {
    documents_.push_back(text_file(blob_name(image_.root.digest), store_.read(image_.root.digest, manifest_bytes_max)));
  }
  documents_.push_back(text_file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  documents_.push_back(text_file("index.json", oci_layout_index(image_)));
}

void ImageArchive::report_odd(std::size_t index) const {
  const Descriptor& layer = plan_.layers[index].layer;
  if (const auto what = describe_odd_layer(layer.media_type, store::sniff_compression(store_.blob_path(layer.digest)))) {
    hooks_.on_odd_layer(index, *what);
  }
}

// Nothing: the layer crosses as it is.
std::optional<std::uint64_t> ImageArchive::find_plain_size(std::size_t index) {
  const LayerPlan& layer = plan_.layers[index];
  if (layer.action != LayerPlan::Action::send_inflated) return std::nullopt;
  const std::filesystem::path blob = store_.blob_path(layer.layer.digest);
  if (const std::optional<std::uint64_t> hint = sizes_.find(layer.layer.digest, blob)) return hint;
  // To inflate twice costs less than to let Go inflate gzip; not so zstd, which the engine reads as fast, where it can (decision 0017).
  const store::Compression compression = store::sniff_compression(blob);
  const bool is_counted = compression == store::Compression::gzip || (compression == store::Compression::zstd && !takes_zstd_);
  return is_counted ? count_plain_size(index) : std::nullopt;
}

// A layer that is not strictly what it should be is the engine's to judge.
std::optional<std::uint64_t> ImageArchive::count_plain_size(std::size_t index) {
  const Digest& layer = plan_.layers[index].layer.digest;
  try {
    return sizes_.count(layer, store_.blob_path(layer));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    hooks_.on_odd_layer(index, std::string("is sent as it is: ") + error.what());
    return std::nullopt;
  }
}

std::optional<ArchiveFile> ImageArchive::layer_file(std::size_t index) {
  const LayerPlan& layer = plan_.layers[index];
  const bool is_docker = plan_.format == LoadPlan::Format::docker_archive;
  std::string name = is_docker ? docker_layer_name(layer.diff_id) : blob_name(layer.layer.digest);
  if (!sent_names_.insert(name).second) return std::nullopt;  // the same bytes twice in one image
  hooks_.before_layer(index);
  ++layers_sent_;
  const std::filesystem::path blob = store_.blob_path(layer.layer.digest);
  report_odd(index);
  if (const std::optional<std::uint64_t> plain_size = find_plain_size(index)) {
    inflating_ = layer.layer.digest;
    return inflated_file(std::move(name), blob, *plain_size);
  }
  return blob_file(std::move(name), blob, layer.layer.digest, layer.layer.size);
}

std::optional<ArchiveFile> ImageArchive::next() {
  inflating_.reset();
  while (!own_.empty()) {
    const std::size_t index = own_.front();
    own_.pop_front();
    if (std::optional<ArchiveFile> file = layer_file(index)) return file;
  }
  while (!awaited_.empty()) {
    const std::size_t index = awaited_.front();
    awaited_.pop_front();
    if (!hooks_.is_needed(index)) continue;
    if (std::optional<ArchiveFile> file = layer_file(index)) return file;
  }
  if (!std::exchange(has_begun_documents_, true)) hooks_.before_documents();
  if (documents_.empty()) return std::nullopt;
  ArchiveFile document = std::move(documents_.front());
  documents_.pop_front();
  return document;
}

}  // namespace drover::engine
