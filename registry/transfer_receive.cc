// The receivers: each opens blobs, then fetches one range after another on a connection of its own.
#include "registry/transfer_attempt.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace drover::registry {
namespace {

// How often an idle receiver looks: at a blob that another process fetches, and at those connections that may need relief.
constexpr auto idle_interval = std::chrono::milliseconds(50);
constexpr auto watch_interval = std::chrono::milliseconds(50);
constexpr std::uint64_t progress_worth = 64U << 10U;  // an attempt that brought this much was no failure of the blob

}  // namespace

// The next blob to begin with: small ones first, then urgent ones, then what most images wait for, then the largest; no more at once than asked. Small ones
// take a connection each, of which there are two a job: only a round trip is to be waited for.
Transfer::Impl::Blob* Transfer::Impl::find_to_open() {
  const auto is_small = [](const Blob& b) { return b.descriptor.size <= ChunkLimits{}.small; };
  const auto now = Clock::now();
  std::size_t small = 0;
  std::size_t large = 0;
  std::size_t open = 0;
  Blob* best = nullptr;
  for (Blob& blob : blobs) {
    const bool is_fetching = blob.state == Blob::State::active && !scheduler.is_settled(blob.scheduled);
    if (blob.state == Blob::State::opening || is_fetching) ++(is_small(blob) ? small : large);
    if (blob.state == Blob::State::opening || blob.state == Blob::State::active || blob.state == Blob::State::committing) ++open;
    if (blob.state != Blob::State::waiting && !(blob.state == Blob::State::foreign && blob.look_again <= now)) continue;
    const auto order = [&](const Blob& b) {
      return is_small(b) ? std::tuple(0, std::size_t{0}, b.descriptor.size) : std::tuple(b.is_urgent ? 1 : 2, ~b.shares, ~b.descriptor.size);
    };
    if (best == nullptr || order(blob) < order(*best)) best = &blob;
  }
  const bool has_place = best != nullptr && is_small(*best) ? small + large < connections : small + large < options.jobs;
  return has_place && open < open_max ? best : nullptr;
}

void Transfer::Impl::receive(ChunkScheduler::ConnectionId connection) {
  std::unique_lock lock(mutex);
  while (!is_over()) {
    if (Blob* const blob = find_to_open()) {
      open(lock, *blob);
      continue;
    }
    const auto now = Clock::now();
    break_off_superfluous(now);
    if (const std::optional<ChunkScheduler::Request> request = scheduler.next(connection, now)) {
      fetch(lock, *request);
      continue;
    }
    // Neither foreign blobs nor slow connections have an event of their own to wake us.
    work_ready.wait_for(lock, idle_interval);
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
  const store::PartFile* const opened = part ? &*part : nullptr;
  const RangeSet present = opened != nullptr ? opened->present() : RangeSet{};
  lock.lock();
  if (is_there || failure) {
    finish_blob(lock, blob, is_there ? std::nullopt : failure);
    return;
  }
  if (!part) {
    blob.state = Blob::State::foreign;
    blob.look_again = Clock::now() + idle_interval;
    if (is_first_look) report(ProgressEvent::Kind::message, blob, 0, "another run is fetching this blob; waiting for it");
    return;
  }
  schedule(blob, std::move(part), present);
}

void Transfer::Impl::schedule(Blob& blob, std::optional<store::PartFile> part, const RangeSet& present) {
  blob.part = std::move(part);
  blob.landed = present;
  blob.written = blob.part->resumed_bytes();
  blob.resumed = blob.written;
  blob.scheduled = scheduler.add(blob.descriptor.size, present, host_of(blob.repository).scheduled);
  scheduler.set_shares(blob.scheduled, blob.shares);
  if (blob.is_urgent) scheduler.set_urgent(blob.scheduled);
  begin_side_by_side(blob);
  if (!blob.is_side_by_side && !client.can_range(blob.repository, blob.descriptor)) scheduler.set_sequential(blob.scheduled);
  by_schedule[blob.scheduled] = &blob;
  blob.state = Blob::State::active;
  report(ProgressEvent::Kind::started, blob, blob.written);
  commit_if_complete(blob);
  work_ready.notify_all();
}

// Requests whose bytes have come by others, or that have become too slow.
void Transfer::Impl::break_off_superfluous(Clock::time_point now) {
  if (now - watched < watch_interval) return;
  watched = now;
  for (const Attempt* attempt : attempts) scheduler.progress(attempt->request.id, attempt->reached, now);
  for (const ChunkScheduler::RequestId id : scheduler.find_superfluous(now)) {
    for (Attempt* attempt : attempts) {
      if (attempt->request.id == id) break_off(*attempt);
    }
  }
  leave_out_slow_mirrors(now);
}

void Transfer::Impl::break_off(Attempt& attempt) {
  attempt.is_broken_off = true;
  attempt.stop.request_stop();
  buffer_freed.notify_all();  // it may wait for one
}

void Transfer::Impl::fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request) {
  Blob& blob = *by_schedule.at(request.blob);
  const Reference repository = blob.repository;
  const std::optional<std::size_t> origin = find_origin(blob, request.host);
  const std::optional<BlobSource> source = origin ? std::optional(blob.origins[*origin].source) : std::nullopt;
  Attempt attempt(*this, blob, request, origin);
  attempts.push_back(&attempt);
  lock.unlock();
  std::optional<Error> failure = fetch_into(attempt, repository, source);
  attempt.flush();
  lock.lock();

  std::erase(attempts, &attempt);
  if (attempt.is_broken_off) failure.reset();
  const std::uint64_t received = attempt.reached - request.range.begin;
  if (received >= progress_worth) blob.attempt = 1;
  const bool is_all = request.range == ByteRange{0, blob.descriptor.size};
  const bool is_unranged = attempt.is_unranged && !is_all;
  const bool is_current = !origin || blob.is_side_by_side;
  const bool is_one = is_one_of_several(blob, origin);
  if (is_unranged && is_current && !is_one) {
    scheduler.set_sequential(request.blob);
    if (request.is_sequential && received == 0 && !failure) {
      failure = Error(ErrorCode::network, "the server neither serves ranges nor the whole blob");
    }
  }
  const auto now = Clock::now();
  const bool is_shared = !is_one && scheduler.in_flight(request.blob) > 1;
  if (failure && received == 0 && is_refusal(*failure, is_shared)) scheduler.refused(request.id, now);
  scheduler.returned(request.id, attempt.reached, now);
  watched = {};  // a copy of what came may be under way
  break_off_superfluous(now);
  commit_if_complete(blob);
  work_ready.notify_all();
  if (is_one) {
    judge_origin(lock, blob, *origin, received < progress_worth ? failure : std::nullopt, is_unranged);
    return;
  }
  // That of a repository or a source which has been given up already tells nothing new.
  const bool is_news = blob.state == Blob::State::active && blob.repository == repository && is_current;
  if (!failure || received >= progress_worth || !is_news) return;
  const bool has_range = !is_all && !request.is_sequential;
  if (has_range && may_be_about_range(*failure)) {
    // Once without: if that is refused as well, it was meant.
    ctx.debug(std::string(failure->what()) + "; asking for all of it, without a range");
    scheduler.set_sequential(request.blob);
    return;
  }
  after_failure(lock, blob, *failure);
}

std::optional<Error> Transfer::Impl::fetch_into(Attempt& attempt, const Reference& repository, const std::optional<BlobSource>& source) {
  const Descriptor& descriptor = attempt.blob.descriptor;
  Context context = ctx;
  context.stop = attempt.stop.get_token();
  const ByteRange asked = attempt.request.is_sequential ? ByteRange{0, descriptor.size} : attempt.request.range;
  try {
    const BlobSink sink = [&](std::uint64_t offset, std::span<const std::byte> bytes) { return attempt.take(offset, bytes); };
    const BlobAnswer answer = source ? client.fetch_range_from(context, *source, repository, descriptor, asked, sink)
                                     : client.fetch_range(context, repository, descriptor, asked, sink);
    if (answer.kind != BlobAnswer::Kind::range) attempt.is_unranged = true;
  } catch (const Error& e) {
    return e;
  } catch (const std::exception& e) {
    return Error(ErrorCode::failed, e.what());
  }
  const std::uint64_t missing = attempt.request.range.end - attempt.reached;
  if (missing == 0 || attempt.is_unranged || attempt.is_ended_early || attempt.stop.stop_requested()) return std::nullopt;
  return Error(ErrorCode::network, "the answer ended " + std::to_string(missing) + " bytes early");
}

}  // namespace drover::registry
