#include "digest/sha256_lanes.h"

#include "base/error.h"
#include "digest/sha256_figures.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace drover {

namespace {

constexpr std::size_t block_bytes = 64;

// Blocks that a stream still has to take.
struct Work {
  std::uint32_t* words;
  const std::uint8_t* blocks;
  std::size_t count;
};

// The streams that take turns: twice the widest row, so that among them it finds lanes of about one length.
constexpr std::size_t window_size = std::size_t{2} * sha256_lanes_max;
// A turn while others wait, 16 KiB: long enough that loading and storing the states does not count, short enough that streams of
// one length end together.
constexpr std::size_t blocks_a_turn = 256;

void compress(const Sha256Backend& row, std::span<Work> works, std::size_t count) {
  std::array<Sha256Lane, sha256_lanes_max> lanes;
  for (std::size_t i = 0; i < works.size(); ++i) lanes[i] = {works[i].words, works[i].blocks};
  // Lanes without a stream do what the first does, into a state that nobody reads.
  std::array<std::uint32_t, 8> unread{};
  for (std::size_t i = works.size(); i < row.lanes; ++i) lanes[i] = {unread.data(), works[0].blocks};
  row.compress(lanes.data(), count);
  for (Work& work : works) {
    work.blocks += block_bytes * count;
    work.count -= count;
  }
}

// One turn: those with the most to do, as many as the best row for so many has lanes, up to where the first of them ends.
void take_turn(const Sha256Choice& choice, std::span<Work> window) {
  const Sha256Backend& row = choice.row_for(window.size());
  const std::size_t busy = std::min<std::size_t>(row.lanes, window.size());
  const auto last = window.begin() + static_cast<std::ptrdiff_t>(busy - 1);  // of those that are taken, the one with the least to do
  std::nth_element(window.begin(), last, window.end(), [](const Work& a, const Work& b) { return a.count > b.count; });
  const bool is_anyone_waiting = busy < window.size();
  compress(row, window.first(busy), is_anyone_waiting ? std::min(last->count, blocks_a_turn) : last->count);
}

void run_all(const Sha256Choice& choice, std::span<const Work> works) {
  std::array<Work, window_size> window;
  std::size_t live = 0;
  for (;;) {
    for (; live < window.size() && !works.empty(); works = works.subspan(1)) {
      if (works.front().count != 0) window[live++] = works.front();
    }
    if (live == 0) return;
    take_turn(choice, std::span(window).first(live));
    const auto end = std::remove_if(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(live),
                                    [](const Work& work) { return work.count == 0; });
    live = static_cast<std::size_t>(end - window.begin());
  }
}

const std::uint8_t* as_octets(const std::byte* bytes) { return reinterpret_cast<const std::uint8_t*>(bytes); }

}  // namespace

Sha256Lanes::Sha256Lanes(std::uint64_t expected_bytes) : choice_(sha256_choice_for(expected_bytes)) {}

void Sha256Lanes::update(std::span<const Sha256Piece> pieces) const {
  std::vector<Work> works;
  works.reserve(pieces.size());
  for (const Sha256Piece& piece : pieces) {
    Sha256& stream = *piece.stream;
    const auto bytes = stream.fill_block(piece.bytes);
    const std::size_t blocks = bytes.size() / block_bytes;
    works.push_back({stream.words_.data(), as_octets(bytes.data()), blocks});
    stream.begin_block(bytes.subspan(blocks * block_bytes));
    stream.bytes_ += piece.bytes.size();
  }
  run_all(choice_, works);
}

void Sha256Lanes::run(std::span<const Sha256Job> jobs) const {
  std::vector<Work> works;
  works.reserve(jobs.size());
  for (const Sha256Job& job : jobs) {
    if (job.blocks.size() % block_bytes != 0 || job.midstate->bytes % block_bytes != 0) {
      throw Error(ErrorCode::invalid, "cannot hash " + std::to_string(job.blocks.size()) + " bytes after " +
                                          std::to_string(job.midstate->bytes) + " as blocks: not multiples of 64");
    }
    works.push_back({job.midstate->words.data(), as_octets(job.blocks.data()), job.blocks.size() / block_bytes});
  }
  run_all(choice_, works);
  for (const Sha256Job& job : jobs) job.midstate->bytes += job.blocks.size();
}

}  // namespace drover
