// Many SHA-256 streams hashed together: up to three times what one stream at a time gives on the same core.
//
// One stream waits for its own results, so a core that hashes several has more to do at every moment. Streams share nothing: each
// has its Sha256 (or its Midstate), goes into a call with the bytes that it has ready, and may be continued alone before and
// after. Nobody waits for lanes: hash what is ready now, and the fastest row for so many streams is taken, anew whenever one of
// them ends.
//
//   Sha256 blob, diff_id;                       // a layer being inflated: the same object for as long as the layers last
//   const Sha256Lanes lanes(total_bytes);
//   while (more) lanes.update(std::array{Sha256Piece{&blob, compressed}, Sha256Piece{&diff_id, inflated}});
//
// Pieces of 16 KiB and more are worth it; below 1 KiB the loading and storing of the states shows. Buffers whose starts lie a
// multiple of 4 KiB apart compete for the same sets of the first cache: 64 bytes more between each cost nothing and save up to 5 %.
#pragma once

#include "digest/sha256.h"
#include "digest/sha256_choice.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace drover {

// Bytes that are ready for a stream; any number of them.
struct Sha256Piece {
  Sha256* stream;
  std::span<const std::byte> bytes;
};

// Whole blocks that are ready for a state: as many bytes as a multiple of 64.
struct Sha256Job {
  Sha256::Midstate* midstate;
  std::span<const std::byte> blocks;
};

// A value without state of its own: one object serves any number of threads and streams.
class Sha256Lanes {
 public:
  // For about so many bytes in all; 0 for few or nobody knows. It only decides whether measuring this machine's rows pays
  // (digest/sha256_figures.h). Throws usage for a wrong DROVER_SHA256.
  explicit Sha256Lanes(std::uint64_t expected_bytes = 0);
  // By figures of choice: for tests and benches.
  explicit Sha256Lanes(const Sha256Choice& choice) : choice_(choice) {}

  // How many streams fill the widest row that is ever chosen: more at once bring nothing, fewer leave a part of it idle.
  std::size_t width() const { return choice_.row_for(sha256_lanes_max).lanes; }

  // Feeds every piece to its stream, as Sha256::update would. No stream may be named twice in a call. On the calling thread.
  void update(std::span<const Sha256Piece> pieces) const;

  // The same for bare states, whose `bytes` are counted on. Throws invalid, before anything is hashed, for a part of a block.
  void run(std::span<const Sha256Job> jobs) const;

 private:
  Sha256Choice choice_;
};

}  // namespace drover
