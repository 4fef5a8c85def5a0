// The writers: what was received goes to its place on disk.
#include "registry/transfer_state.h"

namespace drover::registry {

// One writer takes all blobs that have something ready; its helper comes in only when more than half of the buffers wait for them.
void Transfer::Impl::write(bool is_helper) {
  std::unique_lock lock(mutex);
  const auto is_needed = [&] { return !to_write.empty() && (!is_helper || is_writer_behind()); };
  for (;;) {
    piece_received.wait(lock, [&] { return is_needed() || receivers_left == 0 || fatal; });
    if (fatal || (to_write.empty() && receivers_left == 0)) return;
    for (Blob* const blob : take_ready()) write_pieces(lock, *blob);
  }
}

// A helper is left its half.
std::vector<Transfer::Impl::Blob*> Transfer::Impl::take_ready() {
  const std::size_t count = is_writer_behind() ? (to_write.size() + 1) / 2 : to_write.size();
  std::vector<Blob*> ready(to_write.begin(), to_write.begin() + static_cast<std::ptrdiff_t>(count));
  to_write.erase(to_write.begin(), to_write.begin() + static_cast<std::ptrdiff_t>(count));
  for (Blob* const blob : ready) blob->in_writer = true;
  return ready;
}

void Transfer::Impl::write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob) {
  std::deque<Piece> pieces = std::exchange(blob.pieces, {});
  pieces_waiting -= pieces.size();
  lock.unlock();
  // Nothing that arrived is lost to a stop: writing it takes no time worth interrupting.
  const Context patient = ctx.without_stop();
  std::uint64_t written = 0;
  for (Piece& piece : pieces) {
    if (blob.part) written += write_new(patient, blob, piece);
    const std::lock_guard relock(mutex);
    free_buffers.push_back(std::move(piece.buffer));
    buffer_freed.notify_one();
  }
  lock.lock();
  blob.in_writer = false;
  blob.written += written;
  if (blob.state != Blob::State::done) report(ProgressEvent::Kind::advanced, blob, blob.written);
  if (!blob.pieces.empty()) {
    to_write.push_back(&blob);
    piece_received.notify_all();  // the helper may not be the one to go on
  }
  hash_if_needed(blob);
  commit_if_complete(blob);
  close_if_given_up(lock, blob);
}

// Bytes that came twice are written once: those that are hashed must stay what they were, whatever the second copy says.
std::uint64_t Transfer::Impl::write_new(const Context& patient, Blob& blob, const Piece& piece) {
  RangeSet fresh;
  fresh.add({piece.offset, piece.offset + piece.size});
  for (const ByteRange& there : blob.landed.list()) fresh.remove(there);
  for (const ByteRange& range : fresh.list()) {
    blob.part->write(patient, range.begin, std::span(piece.buffer.bytes.get() + (range.begin - piece.offset), range.size()));
    blob.landed.add(range);
    if (piece.origin) blob.brought[*piece.origin].add(range);
  }
  return fresh.bytes();
}

}  // namespace drover::registry
