#include "registry/chunk_scheduler.h"

#include <algorithm>
#include <tuple>

namespace drover::registry {

ChunkScheduler::BlobId ChunkScheduler::add(std::uint64_t size, const RangeSet& present) {
  Blob blob{.size = size, .unassigned = {}};
  for (const ByteRange& hole : present.missing(size)) blob.unassigned.add(hole);
  blobs_.push_back(std::move(blob));
  return blobs_.size() - 1;
}

std::optional<ChunkScheduler::BlobId> ChunkScheduler::choose() const {
  // Small before large; among small ones the smallest; among large ones the most shared, then that with the most left for each
  // connection it would then have.
  const auto rank = [this](const Blob& blob) {
    const std::uint64_t wanted = blob.unassigned.bytes();
    if (wanted <= limits_.small) return std::tuple(1, std::size_t{0}, -static_cast<double>(wanted));
    return std::tuple(0, blob.shares, static_cast<double>(wanted) / static_cast<double>(blob.in_flight + 1));
  };
  std::optional<BlobId> best;
  for (BlobId id = 0; id < blobs_.size(); ++id) {
    const Blob& blob = blobs_[id];
    if (blob.unassigned.bytes() == 0 || blob.is_paused || (blob.is_sequential && blob.in_flight > 0)) continue;
    if (!best || rank(blob) > rank(blobs_[*best])) best = id;
  }
  return best;
}

std::uint64_t ChunkScheduler::chunk_bytes(const ConnectionRate& rate) const {
  if (rate.bytes_per_second <= 0) return limits_.first;
  const double mine = rate.bytes_per_second;
  const double comfortable = mine * std::max(20 * rate.round_trip_seconds, 1.0);
  const double all = std::max(rate.all_bytes_per_second, mine);
  const double fair = mine * static_cast<double>(unassigned_bytes()) / (2 * all);
  // Below two round trips' worth a request costs more than it brings.
  const double floor = std::max(static_cast<double>(limits_.shortest), 2 * mine * rate.round_trip_seconds);
  return static_cast<std::uint64_t>(std::clamp(std::min(comfortable, fair), floor, std::max(floor, static_cast<double>(limits_.longest))));
}

std::optional<ChunkScheduler::Request> ChunkScheduler::next(const ConnectionRate& rate) {
  const std::optional<BlobId> id = choose();
  if (!id) return std::nullopt;
  Blob& blob = blobs_[*id];
  const ByteRange hole = blob.unassigned.list().front();
  ByteRange range = hole;
  if (blob.is_sequential) {
    range.end = blob.size;
  } else if (const std::uint64_t chunk = chunk_bytes(rate); hole.size() > chunk + chunk / 4) {
    range.end = range.begin + chunk;
  }
  blob.unassigned.remove(range);
  ++blob.in_flight;
  return Request{.blob = *id, .range = range, .is_sequential = blob.is_sequential};
}

void ChunkScheduler::returned(const Request& request, std::uint64_t reached) {
  Blob& blob = blobs_[request.blob];
  --blob.in_flight;
  if (blob.size > 0) blob.unassigned.add({std::clamp(reached, request.range.begin, request.range.end), request.range.end});
}

void ChunkScheduler::set_sequential(BlobId blob) { blobs_[blob].is_sequential = true; }

void ChunkScheduler::restart(BlobId id) {
  Blob& blob = blobs_[id];
  blob.unassigned = {};
  blob.unassigned.add({0, blob.size});
  blob.is_sequential = true;
}

void ChunkScheduler::drop(BlobId id) {
  blobs_[id].unassigned = {};
  blobs_[id].size = 0;
}

bool ChunkScheduler::is_settled(BlobId id) const { return blobs_[id].in_flight == 0 && blobs_[id].unassigned.bytes() == 0; }

std::uint64_t ChunkScheduler::unassigned_bytes() const {
  std::uint64_t sum = 0;
  for (const Blob& blob : blobs_) sum += blob.unassigned.bytes();
  return sum;
}

}  // namespace drover::registry
