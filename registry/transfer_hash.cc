// The hashers: what was received goes to its place on disk and, at the frontier, through the hash.
#include "registry/transfer_state.h"

namespace drover::registry {

// One hasher takes all blobs that have something ready, so that they could be hashed side by side; its helper comes in only when
// more than half of the buffers wait for them.
void Transfer::Impl::hash(bool is_helper) {
  std::unique_lock lock(mutex);
  const auto is_needed = [&] { return !to_hash.empty() && (!is_helper || is_hasher_behind()); };
  for (;;) {
    piece_received.wait(lock, [&] { return is_needed() || receivers_left == 0 || fatal; });
    if (fatal || (to_hash.empty() && receivers_left == 0)) return;
    for (Blob* const blob : take_ready()) write_pieces(lock, *blob);
  }
}

// A helper is left its half.
std::vector<Transfer::Impl::Blob*> Transfer::Impl::take_ready() {
  const std::size_t count = is_hasher_behind() ? (to_hash.size() + 1) / 2 : to_hash.size();
  std::vector<Blob*> ready(to_hash.begin(), to_hash.begin() + static_cast<std::ptrdiff_t>(count));
  to_hash.erase(to_hash.begin(), to_hash.begin() + static_cast<std::ptrdiff_t>(count));
  for (Blob* const blob : ready) blob->in_hasher = true;
  return ready;
}

void Transfer::Impl::write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob) {
  std::deque<Piece> pieces = std::exchange(blob.pieces, {});
  pieces_waiting -= pieces.size();
  lock.unlock();
  // Nothing that arrived is lost to a stop: writing it takes no time worth interrupting.
  Context patient = ctx;
  patient.stop = {};
  std::uint64_t written = 0;
  for (Piece& piece : pieces) {
    if (blob.part) written += write_new(patient, blob, piece);
    const std::lock_guard relock(mutex);
    free_buffers.push_back(std::move(piece.buffer));
    buffer_freed.notify_one();
  }
  lock.lock();
  blob.in_hasher = false;
  blob.written += written;
  if (blob.state != Blob::State::done) report(ProgressEvent::Kind::advanced, blob, blob.written);
  if (!blob.pieces.empty()) {
    to_hash.push_back(&blob);
    piece_received.notify_all();  // the helper may not be the one to go on
  }
  commit_if_complete(blob);
}

// Bytes that came twice are written once: those that are hashed must stay what they were, whatever the second copy says.
std::uint64_t Transfer::Impl::write_new(const Context& patient, Blob& blob, const Piece& piece) {
  RangeSet fresh;
  fresh.add({piece.offset, piece.offset + piece.size});
  for (const ByteRange& there : blob.landed.list()) fresh.remove(there);
  for (const ByteRange& range : fresh.list()) {
    blob.part->write(patient, range.begin, std::span(piece.buffer.bytes.get() + (range.begin - piece.offset), range.size()));
    blob.landed.add(range);
  }
  return fresh.bytes();
}

}  // namespace drover::registry
