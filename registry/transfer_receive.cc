// The receivers: each opens blobs, then fetches one range after another on a connection of its own.
#include "base/text.h"
#include "registry/transfer_attempt.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace drover::registry {
namespace {

constexpr auto poll_foreign = std::chrono::milliseconds(100);  // how often a blob that another process fetches is looked at
constexpr std::uint64_t progress_worth = 64U << 10U;  // an attempt that brought this much was no failure of the blob

}  // namespace

// The next blob to begin with: small ones first, then what most images wait for, then the largest; no more at once than asked.
Transfer::Impl::Blob* Transfer::Impl::find_to_open() {
  const auto now = Clock::now();
  std::size_t busy = 0;
  Blob* best = nullptr;
  for (Blob& blob : blobs) {
    const bool is_fetching = blob.state == Blob::State::active && !scheduler.is_settled(blob.scheduled);
    if (blob.state == Blob::State::opening || is_fetching) ++busy;
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
    // Looked for first, because a part takes the blob's space; again under its lock, because another run may have just let go.
    const bool is_there_already = store.has(blob.descriptor.digest, blob.descriptor.size);
    if (!is_there_already) part = store::PartFile::try_open(inner(), store, blob.descriptor);
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
  if (blob.state != Blob::State::active || blob.in_hasher || !blob.pieces.empty()) return;
  if (!scheduler.is_settled(blob.scheduled)) return;
  blob.state = Blob::State::committing;
  to_commit.push_back(&blob);
  blob_written.notify_one();
}

void Transfer::Impl::fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request, double& rate) {
  Blob& blob = *by_schedule.at(request.blob);
  const Reference repository = blob.repository;
  lock.unlock();
  Attempt attempt{.transfer = *this,
                  .blob = blob,
                  .request = request,
                  .token = stop.get_token(),
                  .reached = request.range.begin,
                  .piece = {}};
  const ByteRange asked = request.is_sequential ? ByteRange{0, blob.descriptor.size} : request.range;
  const auto begin = Clock::now();
  std::optional<Error> failure;
  try {
    const BlobSink sink = [&](std::uint64_t offset, std::span<const std::byte> bytes) { return attempt.take(offset, bytes); };
    const BlobAnswer answer = client.fetch_range(inner(), repository, blob.descriptor, asked, sink);
    attempt.is_unranged = attempt.is_unranged || answer.kind != BlobAnswer::Kind::range;
    if (attempt.reached < request.range.end && !attempt.is_unranged && !stop.stop_requested()) {
      const std::uint64_t short_by = request.range.end - attempt.reached;
      failure = Error(ErrorCode::network, "the answer ended " + std::to_string(short_by) + " bytes early");
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
    if (request.is_sequential && received == 0 && !failure) {
      failure = Error(ErrorCode::network, "the server neither serves ranges nor the whole blob");
    }
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

}  // namespace drover::registry
