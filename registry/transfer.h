// Blobs from registries into the store: many connections, bounded memory, hashed and written apart from the receiving.
//
// Receivers (a thread and a connection each) fetch bounded ranges into recycled buffers; writers put each blob's buffers in their
// place; one thread hashes all blobs at their frontiers side by side; committers sync and publish. A full pool of buffers stops the
// receivers, and so the sockets. A large blob that a mirror serves as well is fetched from all its sources at once.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "manifest/descriptor.h"
#include "manifest/reference.h"
#include "registry/client.h"
#include "registry/rate_limiter.h"
#include "store/blob_store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace drover::registry {

struct TransferOptions {
  std::size_t jobs = 8;                     // blobs in transfer at once; connections: twice as many, and so many small blobs
  std::uint64_t rate_bytes_per_second = 0;  // of all transfers together; 0: no cap
  RateLimiter* limiter = nullptr;           // counts instead, where one is shared; borrowed
};

// Blobs of this size and more are fetched from several sources side by side, where there are several. Smaller ones are a request or two: they
// come from the first, and from the others only when that one is slow.
inline constexpr std::uint64_t side_by_side_bytes_min = 16U << 20U;

class Transfer {
 public:
  // Called from a committer's thread, once a blob: when it is durable in the store, or given up.
  using Done = std::function<void(const Digest& digest, const std::optional<Error>& error)>;

  Transfer(const Context& ctx, Client& client, store::BlobStore& store, const TransferOptions& options, Done done);
  // Stops what is under way; what arrived is kept for the next run.
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Thread-safe. `label` is for progress. Each digest once; again when it was given up.
  void add(const Descriptor& descriptor, const Reference& repository, std::string label);
  // Another image needs this blob too: it becomes more urgent, and that image's repository is asked when the first cannot serve
  // it. False: it has ended already, and Done says or will say how. Thread-safe.
  bool add_source(const Digest& digest, const Reference& repository);
  // Somebody waits for this blob more than for the others. Nothing happens where it has ended. Thread-safe.
  void hurry(const Digest& digest);
  // Returns when all added blobs are done. Throws interrupted, and what concerns all of them (io, no_space).
  void finish();

  // Of what lies in the store now, each byte once: neither copies nor what came wrong.
  struct Brought {
    std::uint64_t fetched_bytes = 0;
    std::uint64_t resumed_bytes = 0;  // taken over from an earlier run
  };
  Brought brought() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::registry
