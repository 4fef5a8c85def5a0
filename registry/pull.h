// Registry to store: many references at once, each blob once, resumable, verified.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "registry/client.h"
#include "registry/rate_limiter.h"
#include "registry/resolve.h"
#include "store/blob_store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drover::registry {

struct PullOptions {
  PlatformChoice platforms;
  std::size_t jobs = 8;                         // blobs in transfer at once
  std::uint64_t rate_bytes_per_second = 0;      // of all transfers together; 0: no cap
  RateLimiter* limiter = nullptr;               // counts instead, where the caller changes the rate on the way; borrowed
  bool keep_going = true;                       // false: the first image that fails ends the pull for all
};

struct PulledImage {
  Reference reference;
  std::optional<ResolvedReference> resolved;    // nothing when resolving failed
  bool complete = false;                        // everything is in the store and the tag is set
  std::optional<Error> error;
};

struct PullReport {
  std::vector<PulledImage> images;              // in the order asked; a reference asked for twice is here once
  struct {
    std::uint64_t total = 0;                    // of all blobs needed, each once
    std::uint64_t fetched = 0;                  // over the network in this run, and kept
    std::uint64_t reused = 0;                   // complete in the store before
    std::uint64_t resumed = 0;                  // taken over from part files; with what was fetched and reused it makes up the total
    std::uint64_t wasted = 0;                   // came besides: twice, wrong, or as an answer of another kind
  } bytes;
  std::uint64_t requests = 0;
  double seconds = 0;
};

// What references mean, found out before anything of them is fetched.
struct Resolutions {
  struct One {
    Reference reference;
    std::optional<ResolvedReference> resolved = {};
    std::optional<Error> error = {};  // why it could not be found out, or a platform is missing
  };
  std::vector<One> list;                // each reference once, in the order given
  Counters spent = {};                  // on finding out
  std::chrono::duration<double> took{0};
};

// What a pull would fetch; printable, decided without side effects.
struct PullPlan {
  struct Blob {
    Descriptor descriptor;
    Reference repository;                // one that has it
    std::vector<std::size_t> images;     // indexes into PullReport::images that need it
    bool is_present = false;
    bool is_layer = false;               // else a document, which resolving has brought already
  };
  std::vector<Blob> blobs;               // each digest once: missing ones first, small ones first among them, then large to small
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_missing = 0;
};
// Null: an image that nothing is known of; its index stays. Pure but for a look at what the store has.
PullPlan plan_pull(const std::vector<const ResolvedReference*>& images, const store::BlobStore& store);
PullPlan plan_pull(const Resolutions& resolutions, const store::BlobStore& store);
std::string to_text(const PullPlan& plan);

// Called from a thread of the pull, as soon as all blobs of these images are in the store and their tags are set: loading can begin while
// others are still fetched. Images that become complete together, as a shared layer lands, come in one call.
struct ReadyImage {
  std::size_t index = 0;              // of PullReport::images
  const PulledImage* image = nullptr; // valid during the call
};
using ImagesReady = std::function<void(const std::vector<ReadyImage>& images)>;

// Every image is tried, unless it is not to keep going; failures are in the report, an image that was given up because of another's is
// neither complete nor has an error. Throws only interrupted and what concerns all (the store, the disk).
PullReport pull(const Context& ctx, Client& client, store::BlobStore& store, const std::vector<Reference>& references,
                const PullOptions& options, const ImagesReady& on_ready = {});

// Resolves only, with what the store has; each failure is in its place. Throws interrupted.
Resolutions resolve_all(const Context& ctx, Client& client, const store::BlobStore& store, const std::vector<Reference>& references,
                        const PullOptions& options);
// The same as with references, without asking again what they mean. What that cost is in the report.
PullReport pull(const Context& ctx, Client& client, store::BlobStore& store, Resolutions resolutions, const PullOptions& options,
                const ImagesReady& on_ready = {});

}  // namespace drover::registry
