// Which connection fetches which range next: a pure decision over the state of all blobs in transfer.
//
// Small blobs go first and whole, then what several images wait for. Large ones are cut into bounded ranges, sized by what the connection has shown that it can carry
// within about a second, and smaller towards the end so that all connections finish together. Not thread-safe.
#pragma once

#include "store/ranges.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace drover::registry {

struct ChunkLimits {
  std::uint64_t small = 1U << 20U;    // blobs up to this go ahead of everything
  std::uint64_t first = 4U << 20U;    // of a connection whose rate is not known yet
  std::uint64_t shortest = 256U << 10U;
  std::uint64_t longest = 64U << 20U;
};

// What a connection has shown so far.
struct ConnectionRate {
  double bytes_per_second = 0;        // 0: nothing yet
  double all_bytes_per_second = 0;    // of all connections together
  double round_trip_seconds = 0;
};

class ChunkScheduler {
 public:
  using BlobId = std::size_t;

  struct Request {
    BlobId blob = 0;
    ByteRange range;
    bool is_sequential = false;  // the only request of this blob: the server may send from 0 whatever is asked
  };

  explicit ChunkScheduler(ChunkLimits limits = {}) : limits_(limits) {}

  // A blob of which `present` is on disk already.
  BlobId add(std::uint64_t size, const RangeSet& present);
  // Nothing when every missing byte is on its way.
  std::optional<Request> next(const ConnectionRate& rate);
  // The request ended; the bytes from range.begin to `reached` arrived, the rest is handed out again.
  void returned(const Request& request, std::uint64_t reached);
  // This blob's server does not range: one request at a time from now on, to the end.
  void set_sequential(BlobId blob);
  // All of it is wanted again, in one piece: what arrived was wrong.
  void restart(BlobId blob);
  // How many images wait for this blob; more go first.
  void set_shares(BlobId blob, std::size_t shares) { blobs_[blob].shares = shares; }
  // While paused, nothing of it is handed out: its server asked to wait.
  void set_paused(BlobId blob, bool is_paused) { blobs_[blob].is_paused = is_paused; }
  // Nothing more of this blob is wanted.
  void drop(BlobId blob);

  bool is_settled(BlobId blob) const;  // nothing unassigned and nothing in flight
  std::uint64_t unassigned_bytes() const;

 private:
  struct Blob {
    std::uint64_t size = 0;
    RangeSet unassigned;
    std::size_t in_flight = 0;
    std::size_t shares = 1;
    bool is_sequential = false;
    bool is_paused = false;
  };

  std::optional<BlobId> choose() const;
  std::uint64_t chunk_bytes(const ConnectionRate& rate) const;

  ChunkLimits limits_;
  std::vector<Blob> blobs_;
};

}  // namespace drover::registry
