// One blob on its way into the store: ranges written in place, in any order, resumable after kill -9.
//
// `ingest/<algorithm>-<hex>.part` is preallocated to the blob's size; `.journal` beside it records finished ranges with their CRC and
// the hash state at the frontier (docs/formats.md); `.lock` is held by flock for the life of the object. A journal is honoured only in
// a folder that nobody else can write, each recorded range is checked against its CRC first, and records that were not synced count
// only within the boot that wrote them. Below resume_hash_bytes the prefix is hashed again instead of trusting the saved state.
#pragma once

#include "base/context.h"
#include "digest/hasher.h"
#include "manifest/descriptor.h"
#include "store/blob_store.h"
#include "store/ranges.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace drover {
class Sha256Lanes;
}

namespace drover::store {

inline constexpr std::uint64_t resume_hash_bytes = 256U << 20U;
inline constexpr std::size_t hash_step_bytes = 256U << 10U;

// Two threads at a time may work on one part: one in write(), which also flushes the journal, and one in hash_frontiers().
class PartFile {
 public:
  // Nothing when another process or thread is writing this blob now. Takes up what an earlier attempt left.
  static std::optional<PartFile> try_open(const Context& ctx, BlobStore& store, const Descriptor& descriptor);
  PartFile(PartFile&&) noexcept;
  PartFile& operator=(PartFile&&) noexcept;
  ~PartFile();  // flushes the journal; the part stays for the next attempt

  const Descriptor& descriptor() const;
  // What is on disk now; the caller fetches the rest.
  RangeSet present() const;
  // Bytes taken over from an earlier attempt, at opening.
  std::uint64_t resumed_bytes() const;
  std::uint64_t hashed_bytes() const;  // the frontier

  // Writes at `offset`; it is hashed later, from the page cache. Throws size_mismatch past the descriptor's size, io, no_space.
  void write(const Context& ctx, std::uint64_t offset, std::span<const std::byte> bytes);

  // Whether bytes lie at the frontier that are written and not hashed.
  bool has_unhashed() const;
  // Hashes one step of each part, all of them together: what lies contiguous behind the frontier, at most `hash_step_bytes`, read back from
  // the page cache into `memory`, which is made as large as that takes. Throws io.
  static void hash_frontiers(const Sha256Lanes& lanes, std::span<PartFile* const> parts, std::vector<std::byte>& memory);

  // Everything is present: hashes what is left, compares, syncs, renames, syncs the folder, drops the journal. On digest_mismatch the
  // part is dropped: a wrong prefix can never be resumed into a right blob.
  void commit(const Context& ctx, BlobStore& store);
  // Drops part and journal, e.g. when the blob arrived by another way.
  void abandon();

 private:
  struct Impl;
  explicit PartFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::store
