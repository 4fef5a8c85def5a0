#include "registry/transfer_attempt.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace drover::registry {
namespace {

// Each piece is a record of a part's journal (store/journal.h): not more of them than that is made for.
constexpr std::size_t slow_piece_bytes = 16U << 10U;
constexpr auto slow_piece_time = std::chrono::seconds(1);

}  // namespace

bool Transfer::Impl::Attempt::take(std::uint64_t offset, std::span<const std::byte> bytes) {
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
                "the server sent bytes from " + std::to_string(offset) + " instead of " + std::to_string(reached.load()));
  }
  while (!bytes.empty()) {
    if (!piece && !begin_piece()) return false;
    const std::size_t count = await_grant(std::min<std::size_t>(bytes.size(), piece_end - reached));
    if (count == 0) return false;
    std::memcpy(piece->buffer.bytes.get() + piece->size, bytes.data(), count);
    piece->size += count;
    reached.store(reached + count, std::memory_order_relaxed);
    bytes = bytes.subspan(count);
    if (reached == piece_end) flush();
  }
  if (piece && is_worth_flushing()) flush();
  return true;
}

// How many of so many bytes may be taken in, once they may; 0: it was stopped.
std::size_t Transfer::Impl::Attempt::await_grant(std::size_t bytes) {
  const auto now = Clock::now();
  const RateLimiter::Grant grant = transfer.limiter.reserve(now, bytes);
  if (grant.at <= now) return grant.bytes;
  const auto hold = [this](bool is_held) {
    const std::lock_guard lock(transfer.mutex);
    const auto changed = Clock::now();
    if (is_held) transfer.scheduler.progress(request.id, reached, changed);
    transfer.scheduler.set_held(request.id, is_held, changed);
  };
  hold(true);
  drover::Clock::real().sleep_for(std::chrono::ceil<std::chrono::milliseconds>(grant.at - now), stop.get_token());
  hold(false);
  return stop.stop_requested() ? 0 : grant.bytes;
}

// On a slow connection, so that what came is seen, and kept for the next run.
bool Transfer::Impl::Attempt::is_worth_flushing() const { return piece->size >= slow_piece_bytes && Clock::now() - piece_begun >= slow_piece_time; }

bool Transfer::Impl::Attempt::begin_piece() {
  std::unique_lock lock(transfer.mutex);
  const std::uint64_t room = reserve(lock);
  if (room == 0) return false;
  std::optional<Buffer> buffer = take_buffer(lock);
  if (!buffer) return false;
  piece = Piece{.offset = reached, .size = 0, .buffer = *std::move(buffer), .origin = origin};
  piece_end = reached + room;
  piece_begun = Clock::now();
  return true;
}

// How many bytes from `reached` on are this attempt's.
std::uint64_t Transfer::Impl::Attempt::reserve(std::unique_lock<std::mutex>&) {
  const auto now = Clock::now();
  transfer.break_off_superfluous(now);
  if (reached == request.range.end) {  // more than was asked for: the whole blob
    is_unranged = true;
    // Where others serve ranges, nobody gets all of it for himself.
    if (transfer.is_one_of_several(blob, origin) || !transfer.scheduler.extend(request.id)) return 0;
    request.range.end = blob.descriptor.size;
    request.is_sequential = true;
  }
  const std::uint64_t room = transfer.scheduler.reserve(request.id, reached, buffer_bytes, now);
  is_ended_early = room == 0;
  if (transfer.scheduler.has_room()) transfer.work_ready.notify_one();
  return room;
}

std::optional<Transfer::Impl::Buffer> Transfer::Impl::Attempt::take_buffer(std::unique_lock<std::mutex>& lock) {
  const auto is_there = [this] { return !transfer.free_buffers.empty() || transfer.buffers_made < buffers_max; };
  if (!is_there()) {
    transfer.scheduler.set_held(request.id, true, Clock::now());
    transfer.buffer_freed.wait(lock, [&] { return is_there() || stop.stop_requested(); });
    transfer.scheduler.set_held(request.id, false, Clock::now());
  }
  if (stop.stop_requested()) {
    transfer.buffer_freed.notify_one();  // that it was woken by is somebody else's
    return std::nullopt;
  }
  if (transfer.free_buffers.empty()) {
    ++transfer.buffers_made;
    return Buffer{};
  }
  Buffer buffer = std::move(transfer.free_buffers.back());
  transfer.free_buffers.pop_back();
  return buffer;
}

void Transfer::Impl::Attempt::flush() {
  if (!piece) return;
  const std::lock_guard lock(transfer.mutex);
  blob.pieces.push_back(*std::exchange(piece, std::nullopt));
  ++transfer.pieces_waiting;
  transfer.piece_received.notify_all();
  if (!blob.in_writer && blob.pieces.size() == 1) transfer.to_write.push_back(&blob);  // else queued, or will be by who has it
}

}  // namespace drover::registry
