// Which blobs and leftovers of a store nobody needs, and their removal: a plan that can be printed, then a walk over it.
//
// Nothing that an entry of index.json reaches is ever removed, entries of other tools and without a name included: every digest that is
// written anywhere in a reachable document counts as needed. When a document on the way is damaged or missing, what it needs cannot be
// told and the plan is refused.
#pragma once

#include "base/context.h"
#include "store/blob_store.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace drover::store {

struct GcPolicy {
  // Blobs that changed less long ago are kept: a pull that was cut may go on with them.
  std::chrono::seconds blob_grace = std::chrono::hours(1);
  // Part files, journals and damaged blobs in ingest/, temporary files.
  std::chrono::seconds leftover_grace = std::chrono::hours(24);
};

enum class GcKind { index, manifest, blob, leftover };
std::string_view to_string(GcKind kind);

// What is in the store now.
struct GcListing {
  struct Blob {
    Digest digest;
    std::uint64_t bytes = 0;
    std::chrono::system_clock::time_point changed;  // the later of mtime and ctime
    GcKind kind = GcKind::blob;                     // told apart only where nobody needs it
    std::vector<std::string> needed_by;             // names of index.json's entries, or digests of those without one
  };
  struct Leftover {
    std::string path;  // below the root: "ingest/sha256-….part"
    std::uint64_t bytes = 0;
    std::chrono::system_clock::time_point changed;
    bool is_in_use = false;  // its lock is held
  };
  std::vector<Blob> blobs;          // by digest
  std::vector<Leftover> leftovers;  // by path
};

struct GcItem {
  GcKind kind = GcKind::blob;
  std::string id;  // a digest, or a leftover's path
  std::uint64_t bytes = 0;
  std::vector<std::string> names;  // of what needs it
  std::string reason;
};

struct GcPlan {
  GcPolicy policy;
  std::vector<GcItem> keep;
  std::vector<GcItem> remove;  // in the order of removal: indexes, manifests, other blobs, leftovers
  std::uint64_t bytes = 0;     // of `remove`
};

// Throws data_safety when it cannot be told what is needed, saying which document is to be repaired.
GcListing read_gc_listing(const std::filesystem::path& root);
// Pure.
GcPlan plan_gc(const GcListing& listing, const GcPolicy& policy, std::chrono::system_clock::time_point now);
GcPlan plan_gc(const Context& ctx, const BlobStore& store, const GcPolicy& policy);
std::string to_text(const GcPlan& plan);  // a line an item, then the sum

struct GcReport {
  std::uint64_t removed = 0;
  std::uint64_t bytes = 0;
  std::vector<GcItem> kept;  // planned, and needed or changed again by the time of removal
};

// Takes store.lock exclusively, so the caller must have closed its BlobStore; throws locked when anybody else has the store open. Plans
// again under the lock and removes what both plans say. A cut at any moment leaves a sound store; the next run goes on.
GcReport apply_gc(const Context& ctx, const std::filesystem::path& root, const GcPlan& plan);

}  // namespace drover::store
