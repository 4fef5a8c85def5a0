// The hashers: what was received goes to its place on disk and, at the frontier, through the hash.
#include "registry/transfer_state.h"

namespace drover::registry {

void Transfer::Impl::hash() {
  std::unique_lock lock(mutex);
  for (;;) {
    piece_received.wait(lock, [this] { return !to_hash.empty() || receivers_left == 0 || fatal; });
    if (fatal || (to_hash.empty() && receivers_left == 0)) return;
    Blob& blob = *to_hash.front();
    to_hash.pop_front();
    write_pieces(lock, blob);
  }
}

void Transfer::Impl::write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob) {
  std::deque<Piece> pieces = std::exchange(blob.pieces, {});
  blob.in_hasher = true;
  lock.unlock();
  // Nothing that arrived is lost to a stop: writing it takes no time worth interrupting.
  Context patient = ctx;
  patient.stop = {};
  std::uint64_t written = 0;
  for (Piece& piece : pieces) {
    if (blob.part) blob.part->write(patient, piece.offset, std::span(piece.buffer.bytes.get(), piece.size));
    written += piece.size;
    const std::lock_guard relock(mutex);
    free_buffers.push_back(std::move(piece.buffer));
    buffer_freed.notify_one();
  }
  lock.lock();
  blob.in_hasher = false;
  blob.written += written;
  if (blob.state != Blob::State::done) report(ProgressEvent::Kind::advanced, blob, blob.written);
  if (!blob.pieces.empty()) to_hash.push_back(&blob);
  commit_if_complete(blob);
}

}  // namespace drover::registry
