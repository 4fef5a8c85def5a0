#include "registry/transfer.h"

#include "base/text.h"
#include "registry/chunk_scheduler.h"
#include "registry/rate_limiter.h"
#include "store/part_file.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace drover::registry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t buffer_bytes = 256U << 10U;
constexpr std::size_t buffers_max = 64;       // 16 MiB: the memory of all transfers together
constexpr std::size_t connections_max = 32;   // each may hold one unfinished buffer; enough must be left to go round
constexpr std::size_t hashers = 2;
constexpr std::size_t committers = 2;
constexpr auto poll_foreign = std::chrono::milliseconds(100);  // how often a blob that another process fetches is looked at
constexpr std::uint64_t progress_worth = 64U << 10U;  // an attempt that brought this much was no failure of the blob

struct Buffer {
  std::unique_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
};

struct Piece {
  std::uint64_t offset = 0;
  std::size_t size = 0;
  Buffer buffer;
};

struct Blob {
  enum class State { waiting, opening, foreign, active, committing, done };

  Descriptor descriptor;
  Reference repository;                 // that it is fetched from now
  std::vector<Reference> alternatives;  // others that name it too, should this one not have it
  std::string label;
  std::size_t shares = 1;               // images that wait for it
  State state = State::waiting;
  Clock::time_point look_again{};       // foreign: when
  ChunkScheduler::BlobId scheduled = 0;
  std::optional<store::PartFile> part;  // used by one hasher or committer at a time
  std::deque<Piece> pieces;             // received, not written
  bool in_hasher = false;
  bool was_restarted = false;           // the bytes were wrong once
  int attempt = 1;
  bool is_backing_off = false;
  std::uint64_t written = 0;
};

}  // namespace

struct Transfer::Impl {
  Impl(const Context& context, Client& c, store::BlobStore& s, const TransferOptions& o, Done d)
      : ctx(context), client(c), store(s), options(o), done(std::move(d)), limiter(o.rate_bytes_per_second) {}

  Context ctx;
  Client& client;
  store::BlobStore& store;
  TransferOptions options;
  Done done;
  RateLimiter limiter;

  std::mutex mutex;
  std::condition_variable work_ready;         // receivers, finish: something to open or fetch, or the end
  std::condition_variable buffer_freed;        // receivers: a buffer
  std::condition_variable piece_received;     // hashers: a piece, or no more receivers
  std::condition_variable blob_written;      // committers: a blob, or no more hashers
  std::deque<Blob> blobs;               // never shrinks: references stay good
  ChunkScheduler scheduler;
  std::unordered_map<ChunkScheduler::BlobId, Blob*> by_schedule;
  std::vector<Buffer> free_buffers;
  std::size_t buffers_made = 0;
  std::deque<Blob*> to_hash;
  std::deque<Blob*> to_commit;
  std::size_t receivers_left = 0;
  std::size_t hashers_left = 0;
  std::size_t unfinished = 0;
  bool is_closed = false;
  std::optional<Error> fatal;
  double rates = 0;                     // of all connections, bytes a second
  double round_trip = 0;                // the shortest seen, seconds
  std::uint64_t resumed = 0;

  std::stop_source stop;
  std::optional<std::stop_callback<std::function<void()>>> forward;  // the caller's stop is ours
  std::vector<std::jthread> threads;    // last: they end before the rest goes

  void wake_all();
  void request_stop();
  bool is_over() const { return fatal || stop.stop_requested() || (is_closed && unfinished == 0); }
  Context inner() const;
  void start();
  void fail_all(const Error& error);
  void finish_blob(std::unique_lock<std::mutex>& lock, Blob& blob, const std::optional<Error>& error);
  void report(ProgressEvent::Kind kind, const Blob& blob, std::uint64_t written, std::string_view text = {}) const;

  // Receivers.
  void receive();
  Blob* find_to_open();
  void open(std::unique_lock<std::mutex>& lock, Blob& blob);
  struct Attempt;
  void fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request, double& rate);
  std::optional<Buffer> take_buffer();
  void commit_if_complete(Blob& blob);
  void submit(Blob& blob, Piece piece);
  void after_failure(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error, std::uint64_t received);

  // Hashers and committers.
  void hash();
  void write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob);
  void commit();
  void commit_blob(std::unique_lock<std::mutex>& lock, Blob& blob);
};

// What the threads work with: it also stops when the transfer does.
Context Transfer::Impl::inner() const {
  Context context = ctx;
  context.stop = stop.get_token();
  return context;
}

void Transfer::Impl::report(ProgressEvent::Kind kind, const Blob& blob, std::uint64_t written, std::string_view text) const {
  const std::string id = blob.descriptor.digest.to_string();
  ctx.progress->on({.kind = kind, .phase = "fetch", .id = id, .label = blob.label, .done = written, .total = blob.descriptor.size, .text = text});
}

void Transfer::Impl::wake_all() {
  const std::lock_guard lock(mutex);  // so that nobody is between looking and sleeping
  work_ready.notify_all();
  buffer_freed.notify_all();
  piece_received.notify_all();
  blob_written.notify_all();
}

void Transfer::Impl::request_stop() {
  stop.request_stop();
  wake_all();
}

void Transfer::Impl::start() {
  forward.emplace(ctx.stop, [this] { request_stop(); });
  const std::size_t connections = std::clamp<std::size_t>(options.jobs * 2, 1, connections_max);
  receivers_left = connections;
  hashers_left = hashers;
  const auto guarded = [this](void (Impl::*loop)()) {
    try {
      (this->*loop)();
    } catch (const Error& e) {
      fail_all(e);
    } catch (const std::exception& e) {
      fail_all(Error(ErrorCode::failed, e.what()));
    }
  };
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([this, guarded] {
      guarded(&Impl::receive);
      const std::lock_guard lock(mutex);
      --receivers_left;
      piece_received.notify_all();
    });
  }
  for (std::size_t i = 0; i < hashers; ++i) {
    threads.emplace_back([this, guarded] {
      guarded(&Impl::hash);
      const std::lock_guard lock(mutex);
      --hashers_left;
      blob_written.notify_all();
    });
  }
  for (std::size_t i = 0; i < committers; ++i) threads.emplace_back([this, guarded] { guarded(&Impl::commit); });
}

// The disk or the store is at fault: nothing else can succeed either.
void Transfer::Impl::fail_all(const Error& error) {
  {
    const std::lock_guard lock(mutex);
    if (!fatal && error.code() != ErrorCode::interrupted) fatal = error;
  }
  request_stop();
}

void Transfer::Impl::finish_blob(std::unique_lock<std::mutex>& lock, Blob& blob, const std::optional<Error>& error) {
  if (blob.state == Blob::State::done) return;
  blob.state = Blob::State::done;
  const std::uint64_t written = blob.written;
  lock.unlock();
  // Without the lock: whoever hears of a failure may stop the run at once, and our answer to that takes it.
  report(error ? ProgressEvent::Kind::failed : ProgressEvent::Kind::finished, blob, written, error ? error->what() : "");
  done(blob.descriptor.digest, error);
  lock.lock();
  --unfinished;
  work_ready.notify_all();
}

// --- Receivers ---------------------------------------------------------------------------------------------------------------------

// The next blob to begin with: small ones first, then what most images wait for, then the largest; no more at once than asked for.
Blob* Transfer::Impl::find_to_open() {
  const auto now = Clock::now();
  std::size_t busy = 0;
  Blob* best = nullptr;
  for (Blob& blob : blobs) {
    if (blob.state == Blob::State::opening || (blob.state == Blob::State::active && !scheduler.is_settled(blob.scheduled))) ++busy;
    if (blob.state != Blob::State::waiting && !(blob.state == Blob::State::foreign && blob.look_again <= now)) continue;
    const auto order = [](const Blob& b) {
      const bool is_small = b.descriptor.size <= ChunkLimits{}.small;
      return std::tuple(is_small ? 0 : 1, is_small ? 0 : ~b.shares, is_small ? b.descriptor.size : ~b.descriptor.size);
    };
    if (best == nullptr || order(blob) < order(*best)) best = &blob;
  }
  return busy < options.jobs ? best : nullptr;
}

void Transfer::Impl::receive() {
  double rate = 0;
  std::unique_lock lock(mutex);
  while (!is_over()) {
    if (Blob* const blob = find_to_open()) {
      open(lock, *blob);
      continue;
    }
    const ConnectionRate known{.bytes_per_second = rate, .all_bytes_per_second = rates, .round_trip_seconds = round_trip};
    if (const std::optional<ChunkScheduler::Request> request = scheduler.next(known)) {
      fetch(lock, *request, rate);
      continue;
    }
    // Foreign blobs have no event of their own to wake us.
    work_ready.wait_for(lock, poll_foreign, [this, seen = scheduler.unassigned_bytes()] {
      return is_over() || scheduler.unassigned_bytes() != seen || find_to_open() != nullptr;
    });
  }
}

void Transfer::Impl::open(std::unique_lock<std::mutex>& lock, Blob& blob) {
  const bool is_first_look = blob.state == Blob::State::waiting;
  blob.state = Blob::State::opening;
  lock.unlock();
  std::optional<store::PartFile> part;
  std::optional<Error> failure;
  try {
    // Looked for first, because a part takes the blob's space; again under its lock, because another run may have just let go of it.
    if (!store.has(blob.descriptor.digest, blob.descriptor.size)) part = store::PartFile::try_open(inner(), store, blob.descriptor);
  } catch (const Error& e) {
    failure = e;  // no room for this one, or a size that no file can have: smaller blobs may still fit
  }
  const bool is_there = store.has(blob.descriptor.digest, blob.descriptor.size);
  if (part && is_there) {
    part->abandon();
    part.reset();
  }
  const std::uint64_t taken_over = part ? part->resumed_bytes() : 0;
  const store::PartFile* const opened = part ? &*part : nullptr;
  const RangeSet present = opened != nullptr ? opened->present() : RangeSet{};
  lock.lock();
  if (is_there || failure) {
    finish_blob(lock, blob, is_there ? std::nullopt : failure);
    return;
  }
  if (!part) {
    blob.state = Blob::State::foreign;
    blob.look_again = Clock::now() + poll_foreign;
    if (is_first_look) report(ProgressEvent::Kind::message, blob, 0, "another run is fetching this blob; waiting for it");
    return;
  }
  blob.part = std::move(part);
  blob.written = taken_over;
  resumed += taken_over;
  blob.scheduled = scheduler.add(blob.descriptor.size, present);
  scheduler.set_shares(blob.scheduled, blob.shares);
  by_schedule[blob.scheduled] = &blob;
  blob.state = Blob::State::active;
  report(ProgressEvent::Kind::started, blob, blob.written);
  commit_if_complete(blob);
  work_ready.notify_all();
}

// All bytes are there and written: on to the committers.
void Transfer::Impl::commit_if_complete(Blob& blob) {
  if (blob.state != Blob::State::active || blob.in_hasher || !blob.pieces.empty() || !scheduler.is_settled(blob.scheduled)) return;
  blob.state = Blob::State::committing;
  to_commit.push_back(&blob);
  blob_written.notify_one();
}

std::optional<Buffer> Transfer::Impl::take_buffer() {
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

// One request's receiving side: bytes into buffers, from the first wanted byte to the last.
struct Transfer::Impl::Attempt {
  Impl& transfer;
  Blob& blob;
  const ChunkScheduler::Request& request;
  std::stop_token token;
  std::uint64_t reached;               // the next byte that is wanted
  bool is_unranged = false;            // the server sent other bytes than those asked for
  Clock::time_point first_byte{};
  std::optional<Piece> piece;

  bool take(std::uint64_t offset, std::span<const std::byte> bytes) {
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
    if (offset != reached) throw Error(ErrorCode::network, "the server sent bytes from " + std::to_string(offset) + " instead of " + std::to_string(reached));
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

  bool begin_piece() {
    std::optional<Buffer> buffer = transfer.take_buffer();
    if (!buffer) return false;
    piece = Piece{.offset = reached, .size = 0, .buffer = *std::move(buffer)};
    return true;
  }

  void flush() {
    if (!piece) return;
    // A whole buffer at a time: sleeps of less than a millisecond take longer than they say.
    transfer.limiter.take(Context{.stop = token}, piece->size);
    transfer.submit(blob, *std::exchange(piece, std::nullopt));
  }
};

void Transfer::Impl::fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request, double& rate) {
  Blob& blob = *by_schedule.at(request.blob);
  const Reference repository = blob.repository;
  lock.unlock();
  Attempt attempt{.transfer = *this, .blob = blob, .request = request, .token = stop.get_token(), .reached = request.range.begin, .piece = {}};
  const ByteRange asked = request.is_sequential ? ByteRange{0, blob.descriptor.size} : request.range;
  const auto begin = Clock::now();
  std::optional<Error> failure;
  try {
    const BlobAnswer answer = client.fetch_range(inner(), repository, blob.descriptor, asked,
                                                 [&](std::uint64_t offset, std::span<const std::byte> bytes) { return attempt.take(offset, bytes); });
    attempt.is_unranged = attempt.is_unranged || answer.kind != BlobAnswer::Kind::range;
    if (attempt.reached < request.range.end && !attempt.is_unranged && !stop.stop_requested()) {
      failure = Error(ErrorCode::network, "the answer ended " + std::to_string(request.range.end - attempt.reached) + " bytes early");
    }
  } catch (const Error& e) {
    failure = e;
  }
  attempt.flush();
  const auto end = Clock::now();
  const std::uint64_t received = attempt.reached - request.range.begin;

  lock.lock();
  if (attempt.first_byte != Clock::time_point{}) {
    const double wait = std::chrono::duration<double>(attempt.first_byte - begin).count();
    round_trip = round_trip == 0 ? wait : std::min(round_trip, wait);
    const double seconds = std::max(1e-4, std::chrono::duration<double>(end - attempt.first_byte).count());
    if (received >= progress_worth) {
      const double now = static_cast<double>(received) / seconds;
      rates += now - rate;
      rate = now;
    }
  }
  const bool whole_blob = request.range == ByteRange{0, blob.descriptor.size};
  if (attempt.is_unranged && !whole_blob) {
    scheduler.set_sequential(request.blob);
    if (request.is_sequential && received == 0 && !failure) failure = Error(ErrorCode::network, "the server neither serves ranges nor the whole blob");
  }
  scheduler.returned(request, attempt.reached);
  commit_if_complete(blob);
  work_ready.notify_all();
  if (failure && blob.state == Blob::State::active) after_failure(lock, blob, *failure, received);
}

// Waits as the failure asks for, so that the same range can be tried again; gives the blob up when it is final.
void Transfer::Impl::after_failure(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error, std::uint64_t received) {
  if (error.code() == ErrorCode::interrupted) return;
  if (received >= progress_worth) {
    blob.attempt = 1;
    return;
  }
  if (blob.is_backing_off) return;  // several connections failed at once: that counts once
  blob.is_backing_off = true;
  scheduler.set_paused(blob.scheduled, true);
  const int attempt = ++blob.attempt;
  lock.unlock();
  std::optional<Error> final;
  try {
    client.wait_before_retry(inner(), error, attempt);
  } catch (const Error& e) {
    final = e;
  }
  lock.lock();
  blob.is_backing_off = false;
  scheduler.set_paused(blob.scheduled, false);
  work_ready.notify_all();
  if (!final || final->code() == ErrorCode::interrupted || blob.state != Blob::State::active) return;
  if (!blob.alternatives.empty()) {
    ctx.warn(std::string(final->what()) + "; trying " + blob.alternatives.back().name());
    blob.repository = blob.alternatives.back();
    blob.alternatives.pop_back();
    blob.attempt = 1;
    return;
  }
  scheduler.drop(blob.scheduled);
  finish_blob(lock, blob, final);
}

// --- Hashers -----------------------------------------------------------------------------------------------------------------------

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

// --- Committers --------------------------------------------------------------------------------------------------------------------

void Transfer::Impl::commit() {
  std::unique_lock lock(mutex);
  for (;;) {
    blob_written.wait(lock, [this] { return !to_commit.empty() || (receivers_left == 0 && hashers_left == 0) || fatal; });
    if (fatal || to_commit.empty()) return;
    Blob& blob = *to_commit.front();
    to_commit.pop_front();
    commit_blob(lock, blob);
  }
}

void Transfer::Impl::commit_blob(std::unique_lock<std::mutex>& lock, Blob& blob) {
  lock.unlock();
  Context patient = ctx;
  patient.stop = {};
  std::optional<Error> failure;
  std::optional<store::PartFile> fresh;
  try {
    blob.part->commit(patient, store);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::digest_mismatch) throw;
    failure = e;
    blob.part.reset();
    if (!blob.was_restarted) fresh = store::PartFile::try_open(patient, store, blob.descriptor);
  }
  if (!failure) blob.part.reset();
  lock.lock();
  if (!fresh) {
    finish_blob(lock, blob, failure);
    return;
  }
  // Once more in one piece: a proxy that mangles ranges often serves whole blobs rightly.
  ctx.warn(std::string(failure->what()) + "; fetching it once more");
  blob.part = std::move(fresh);
  blob.was_restarted = true;
  blob.written = 0;
  scheduler.restart(blob.scheduled);
  blob.state = Blob::State::active;
  work_ready.notify_all();
}

// --- The face ----------------------------------------------------------------------------------------------------------------------

Transfer::Transfer(const Context& ctx, Client& client, store::BlobStore& store, const TransferOptions& options, Done done)
    : impl_(std::make_unique<Impl>(ctx, client, store, options, std::move(done))) {
  impl_->start();
}

Transfer::~Transfer() {
  impl_->request_stop();
  impl_->threads.clear();
}

void Transfer::add(const Descriptor& descriptor, const Reference& repository, std::string label) {
  const std::lock_guard lock(impl_->mutex);
  impl_->blobs.push_back(Blob{.descriptor = descriptor, .repository = repository, .alternatives = {}, .label = std::move(label), .part = {}, .pieces = {}});
  ++impl_->unfinished;
  impl_->work_ready.notify_all();
}

void Transfer::add_source(const Digest& digest, const Reference& repository) {
  const std::lock_guard lock(impl_->mutex);
  for (Blob& blob : impl_->blobs) {
    if (blob.descriptor.digest != digest) continue;
    ++blob.shares;
    if (blob.repository.name() != repository.name()) blob.alternatives.push_back(repository);
    if (blob.state == Blob::State::active) impl_->scheduler.set_shares(blob.scheduled, blob.shares);
  }
}

void Transfer::finish() {
  {
    std::unique_lock lock(impl_->mutex);
    impl_->is_closed = true;
    impl_->work_ready.notify_all();
    impl_->work_ready.wait(lock, [this] { return impl_->is_over(); });
  }
  impl_->request_stop();
  impl_->threads.clear();
  for (Blob& blob : impl_->blobs) blob.part.reset();  // flushes the journals
  if (impl_->fatal) throw Error(*impl_->fatal);
  impl_->ctx.check_stop();
}

std::uint64_t Transfer::resumed_bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->resumed;
}

}  // namespace drover::registry
