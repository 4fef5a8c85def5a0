// Manifests and image configurations of one reference: from the store where a digest names them and it has them, else from the registry.
//
// What one reference may make us hold in memory is bounded. Thread-safe.
#pragma once

#include "base/context.h"
#include "manifest/descriptor.h"
#include "manifest/reference.h"
#include "registry/client.h"
#include "store/blob_store.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::registry {

// Of all documents of a reference together. The largest seen: an index of 50 platforms with configurations of 30 KiB, 2 MiB.
inline constexpr std::uint64_t documents_bytes_max = 32U << 20U;

class Documents {
 public:
  // `store`: null, or where to look first; borrowed.
  Documents(Client& client, const store::BlobStore* store, const Reference& reference) : client_(client), store_(store), reference_(reference) {}

  // What the reference names: asked of the registry unless it names a digest. Throws what Client::fetch_manifest throws.
  FetchedManifest root(const Context& ctx);
  // Makes sure beforehand that all of these may be read, by the sizes that their index says. Throws invalid.
  void expect(const std::vector<Descriptor>& descriptors);
  // A child of an index. Throws also invalid when all of them together are too large.
  FetchedManifest manifest(const Context& ctx, const Descriptor& descriptor);
  struct Config {
    std::string bytes;
    bool was_stored = false;
  };
  // Throws what Client::fetch_blob throws, and the same.
  Config config(const Context& ctx, const Descriptor& descriptor);

 private:
  std::optional<std::string> find(const Context& ctx, const Digest& digest, std::uint64_t bytes_max) const;
  void charge(const Descriptor& descriptor);

  Client& client_;
  const store::BlobStore* store_;
  const Reference& reference_;
  std::mutex mutex_;
  std::set<Digest> charged_;
  std::uint64_t bytes_ = 0;
};

}  // namespace drover::registry
