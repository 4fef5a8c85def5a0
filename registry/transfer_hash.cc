// The hashing thread: takes every blob that has bytes at its frontier and hashes them side by side, read back from the page cache.
//
// Apart from the writers, because a range that closes a gap may bring hundreds of megabytes to the frontier at once: whoever hashed them
// while it held buffers would stop the receivers for that long.
#include "digest/sha256_lanes.h"
#include "registry/transfer_state.h"

#include <algorithm>

namespace drover::registry {
namespace {

constexpr std::size_t lanes_max = 16;  // 4 MiB of memory

}  // namespace

void Transfer::Impl::hash_if_needed(Blob& blob) {
  if (blob.in_hasher || blob.state != Blob::State::active || !blob.part || !blob.part->has_unhashed()) return;
  blob.in_hasher = true;
  to_hash.push_back(&blob);
  bytes_written.notify_one();
}

void Transfer::Impl::hash() {
  const Sha256Lanes lanes;
  std::vector<std::byte> memory;
  std::unique_lock lock(mutex);
  for (;;) {
    bytes_written.wait(lock, [&] { return !to_hash.empty() || writers_left == 0 || fatal; });
    // After a stop nothing is committed any more; what is not hashed yet is hashed by the next run.
    if (fatal || to_hash.empty() || (writers_left == 0 && stop.stop_requested())) return;
    const std::size_t count = std::min(to_hash.size(), lanes_max);
    const std::vector<Blob*> ready(to_hash.begin(), to_hash.begin() + static_cast<std::ptrdiff_t>(count));
    to_hash.erase(to_hash.begin(), to_hash.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<store::PartFile*> parts;
    for (Blob* const blob : ready) parts.push_back(&*blob->part);
    lock.unlock();
    store::PartFile::hash_frontiers(lanes, parts, memory);
    lock.lock();
    for (Blob* const blob : ready) {
      blob->in_hasher = false;
      hash_if_needed(*blob);
      commit_if_complete(*blob);
      close_if_given_up(lock, *blob);
    }
  }
}

}  // namespace drover::registry
