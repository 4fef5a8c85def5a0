// Store to engine: only the layers that this engine lacks, in the archive that it takes.
//
// Classic store: docker-archive whose manifest.json names every layer and whose files leave out those with a known chain ID.
// containerd store: OCI layout with the original bytes, without blobs whose layer stack or digest is known. Podman: everything.
// Success is what inspect says afterwards, not what the load answered (Engine API POST /images/load).
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "manifest/manifest.h"
#include "manifest/reference.h"
#include "store/blob_store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

enum class Settle {
  automatic,  // after a load into a classic store, let the engine fetch the manifest alone so that RepoDigests are true
  never,
};

struct LoadImage {
  Reference reference;              // the tag the engine will know it by
  Descriptor root;                  // index or manifest as pulled
  store::Closure::Image image;      // of the engine's platform
  ImageConfig config;
};

// One layer's way into the engine.
struct LayerPlan {
  Descriptor layer;
  Digest diff_id;
  Digest chain_id;
  enum class Action { skip_known, send_as_is, send_inflated } action = Action::send_as_is;
};

struct LoadPlan {
  enum class Format { docker_archive, oci_layout } format = Format::docker_archive;
  enum class Verdict {
    present,
    retag,   // all bytes are there under another name
    unpack,  // all bytes are there, packed: to be loaded once more, without what the engine has
    load,
  } verdict = Verdict::load;
  std::vector<LayerPlan> layers;
  std::string cause;                // "engine has 2 of 3 layers", for people

  bool is_load() const { return verdict == Verdict::load || verdict == Verdict::unpack; }
};

// What the engine is asked by to see the image: "redis:7"; "redis@sha256:…" where the reference has a digest.
std::string engine_name(const Reference& reference);

// Pure. Throws invalid when the numbers of layers and diff IDs differ. `force_all` is for the retry after an engine disagreed with its own inventory.
LoadPlan plan_load(const LoadImage& image, const Inventory& inventory, bool force_all = false);
std::string to_text(const LoadPlan& plan);

struct LoadOutcome {
  Reference reference;
  std::string image_id;             // as the engine names it afterwards
  enum class State { present, loaded } state = State::loaded;
  std::size_t layers_total = 0;
  std::size_t layers_sent = 0;
  std::uint64_t bytes_sent = 0;     // of the archive
  bool settled = false;             // RepoDigests agree with the registry's
};

struct LoadOptions {
  Settle settle = Settle::automatic;
  std::string registry_auth;        // X-Registry-Auth for settling: base64url JSON; empty: none
};

// Loads images into one engine; what one load brings is known to the next. Thread-safe: images that share a missing layer wait for
// each other so that no layer is sent twice, others load at once.
class Loader {
 public:
  // Borrows client and store. In the containerd store, layers of manifests that both sides have are known from ours.
  Loader(Client& client, const store::BlobStore& store, Inventory inventory);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  // Grows with every load; read it only while none runs.
  const Inventory& inventory() const;
  // Throws engine, network, interrupted; platform_missing when the image has no manifest for the engine's platform.
  LoadOutcome load(const Context& ctx, const LoadImage& image, const LoadOptions& options);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The image of a tag in the store for `platform` (best fallback); throws platform_missing and names what there is.
LoadImage find_load_image(const store::BlobStore& store, const Reference& reference, const Descriptor& root, const Platform& platform);

}  // namespace drover::engine
