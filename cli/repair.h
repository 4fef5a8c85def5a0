// Fetches again what verify found wrong, by the tags that need it and in exactly the versions that they name.
#pragma once

#include "base/error.h"
#include "registry/pull.h"
#include "registry/resolve.h"
#include "store/blob_store.h"
#include "store/verify.h"

#include <string>
#include <vector>

namespace drover::cli {

// The tags that faults belong to, by name; a tag without faults is not among them.
std::vector<std::string> tags_to_repair(const store::VerifyReport& report);

// Which platforms of a tag the store holds, damaged ones included. `fallback` where the tag's own document cannot be read.
registry::PlatformChoice held_platforms(const store::BlobStore& store, const Descriptor& root, const store::VerifyReport& report,
                                        const registry::PlatformChoice& fallback);

struct RepairRound {
  std::vector<Error> failures;   // what could not be fetched
  std::vector<Digest> removed;   // damaged, and no tag needs it
};

// One round: pulls every tag that misses something by the digest it has; a damaged blob stays until its like is verified and takes its
// place. Once nothing that is needed is wrong, those that no tag needs are moved away. Tags stay as they are. Throws what concerns the
// whole store.
RepairRound repair(const Context& ctx, registry::Client& registry, store::BlobStore& store, const store::VerifyReport& report,
                   const registry::PullOptions& options);

}  // namespace drover::cli
