// What a reference means: its index or manifest, and the images behind it for the wanted platforms.
#pragma once

#include "base/context.h"
#include "manifest/manifest.h"
#include "manifest/reference.h"
#include "manifest/selection.h"
#include "registry/client.h"
#include "store/blob_store.h"

#include <optional>
#include <string>
#include <vector>

namespace drover::registry {

// Which platforms of an image are wanted: the listed ones, or all that the index has.
struct PlatformChoice {
  bool all = false;
  std::vector<Platform> wanted = {};
};

struct ResolvedImage {
  Platform platform;                 // as the index says, or the config when there is no index
  std::vector<Platform> chosen_for;  // which wanted platforms it serves
  FetchedManifest manifest;
  std::string config_bytes;          // verified against the manifest
  ImageConfig config;
  bool config_was_stored = false;    // read from the store, not fetched
};

struct ResolvedReference {
  Reference reference;
  FetchedManifest root;                    // what the tag or digest names: index or manifest
  std::vector<FetchedManifest> indexes;    // nested ones, root excluded
  std::vector<ResolvedImage> images;       // one a chosen platform manifest, in index order
  std::vector<Descriptor> other_platforms; // entries of the index that were not chosen
  std::vector<std::string> reasons;        // Selection's, for --explain
  std::vector<Platform> missing;           // wanted, and nothing there runs on them
};

// Throws what the client throws; a missing platform is reported in `missing`, the caller decides. Nested indexes are followed to
// index_depth_max; artifacts and attestations are not images and are left out. What digests name is read from `store` where that has it;
// null: all of it is asked for.
ResolvedReference resolve(const Context& ctx, Client& client, const Reference& reference, const PlatformChoice& platforms,
                          const store::BlobStore* store = nullptr);

}  // namespace drover::registry
