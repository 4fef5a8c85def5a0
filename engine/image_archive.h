// The files of the archive that brings one image into an engine, in the order in which they are sent: layers first, then the
// documents that name them, so that the engine begins only when all is there.
#pragma once

#include "engine/archive_source.h"
#include "engine/inventory.h"
#include "engine/layer_size.h"
#include "engine/load.h"
#include "store/blob_store.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::engine {

// manifest.json of a docker-archive (docker image spec v1.2); file names are docker_layer_name and docker_config_name.
std::string docker_archive_manifest(const LoadImage& image, bool with_name = true);
// Of one archive for all of them.
std::string docker_archive_manifest(const std::vector<const LoadImage*>& images);
// index.json of an OCI layout whose one entry is the image's root, under its name (containerd: io.containerd.image.name).
std::string oci_layout_index(const LoadImage& image);
std::string docker_layer_name(const Digest& diff_id);
std::string docker_config_name(const Digest& config);

// Throws when the store has not all of the layers that the plan sends, before any of them is on its way: io, or unsupported for a
// non-distributable one, which nobody could fetch.
void check_layers_stored(const store::BlobStore& store, const LoadPlan& plan);

// Not thread-safe; borrows everything it is given.
class ImageArchive {
 public:
  // `is_needed` is asked once for each layer of `plan` that is not skipped and that `is_own` denies, after the own ones were sent; it may
  // block until somebody else has brought that layer. So may `before_layer`, called before a layer's first byte, and `before_documents`,
  // called once, after the last layer: behind it nothing blocks, and the engine begins to unpack.
  // `config`: bytes of a config that is not in the store; makes a docker-archive without a name.
  struct Hooks {
    std::function<bool(std::size_t layer)> is_own;
    std::function<bool(std::size_t layer)> is_needed;
    std::function<void(std::size_t layer)> before_layer;
    std::function<void()> before_documents;
    std::function<void(std::size_t layer, const std::string& what)> on_odd_layer;  // it is not what its media type says, or not strictly
  };
  enum class Manifest {
    own,
    shared,  // somebody else's, behind several images: this docker-archive ends with the config
  };
  ImageArchive(const store::BlobStore& store, LayerSizes& sizes, const LoadImage& image, const LoadPlan& plan,
               const Inventory& inventory, Hooks hooks, const std::optional<std::string>& config = {}, Manifest manifest = Manifest::own);

  // For ArchiveSource.
  std::optional<ArchiveFile> next();

  std::size_t layers_sent() const { return layers_sent_; }
  // The layer that is being inflated: whose size was wrong when the archive ends in size_mismatch, whose blob is bad on invalid.
  const std::optional<Digest>& inflating() const { return inflating_; }

 private:
  void report_odd(std::size_t index) const;
  std::optional<std::uint64_t> find_plain_size(std::size_t index);
  std::optional<std::uint64_t> count_plain_size(std::size_t index);
  std::optional<ArchiveFile> layer_file(std::size_t index);
  void add_docker_documents(const std::optional<std::string>& config, Manifest manifest);
  void add_oci_documents();

  const store::BlobStore& store_;
  LayerSizes& sizes_;
  const LoadImage& image_;
  const LoadPlan& plan_;
  Hooks hooks_;
  bool takes_zstd_;
  bool has_begun_documents_ = false;
  std::deque<std::size_t> own_;
  std::deque<std::size_t> awaited_;
  std::deque<ArchiveFile> documents_;
  std::set<std::string> sent_names_;
  std::size_t layers_sent_ = 0;
  std::optional<Digest> inflating_;
};

}  // namespace drover::engine
