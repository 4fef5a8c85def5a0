#include "registry/transfer_attempt.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace drover::registry {

bool Transfer::Impl::Attempt::take(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (first_byte == Clock::time_point{}) first_byte = Clock::now();
  if (offset < reached) {  // the whole blob from its start, although a later part was asked for
    if (!request.is_sequential) {
      is_unranged = true;
      return false;
    }
    const std::uint64_t skip = std::min<std::uint64_t>(reached - offset, bytes.size());
    bytes = bytes.subspan(skip);
    offset += skip;
    if (bytes.empty()) return true;
  }
  if (offset != reached) {
    throw Error(ErrorCode::network,
                "the server sent bytes from " + std::to_string(offset) + " instead of " + std::to_string(reached));
  }
  if (bytes.size() > request.range.end - reached) {
    is_unranged = true;  // more than was asked for: a whole answer to a bounded request
    bytes = bytes.first(request.range.end - reached);
  }
  while (!bytes.empty()) {
    if (!piece && !begin_piece()) return false;
    const std::size_t count = std::min(bytes.size(), buffer_bytes - piece->size);
    std::memcpy(piece->buffer.bytes.get() + piece->size, bytes.data(), count);
    piece->size += count;
    reached += count;
    bytes = bytes.subspan(count);
    if (piece->size == buffer_bytes) flush();
  }
  return !is_unranged;
}

bool Transfer::Impl::Attempt::begin_piece() {
  std::optional<Buffer> buffer = transfer.take_buffer();
  if (!buffer) return false;
  piece = Piece{.offset = reached, .size = 0, .buffer = *std::move(buffer)};
  return true;
}

void Transfer::Impl::Attempt::flush() {
  if (!piece) return;
  // A whole buffer at a time: sleeps of less than a millisecond take longer than they say.
  transfer.limiter.take(Context{.stop = token}, piece->size);
  transfer.submit(blob, *std::exchange(piece, std::nullopt));
}

std::optional<Transfer::Impl::Buffer> Transfer::Impl::take_buffer() {
  std::unique_lock lock(mutex);
  buffer_freed.wait(lock, [this] { return !free_buffers.empty() || buffers_made < buffers_max || stop.stop_requested(); });
  if (stop.stop_requested()) return std::nullopt;
  if (free_buffers.empty()) {
    ++buffers_made;
    return Buffer{};
  }
  Buffer buffer = std::move(free_buffers.back());
  free_buffers.pop_back();
  return buffer;
}

void Transfer::Impl::submit(Blob& blob, Piece piece) {
  const std::lock_guard lock(mutex);
  blob.pieces.push_back(std::move(piece));
  if (blob.in_hasher || blob.pieces.size() > 1) return;  // queued already, or will be by the hasher that has it
  to_hash.push_back(&blob);
  piece_received.notify_one();
}

}  // namespace drover::registry
