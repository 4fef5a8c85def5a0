// A blob that several sources serve: ranges come from all of them side by side, or, of a smaller one, from the first as long as it is not slow.
// One that fails is left out, and when the whole turns out wrong, it is found out who sent the wrong bytes.
//
// While it is so, each request goes to the source that the scheduler names and nowhere else: also to the last one that is left, which is
// taken for what it can do itself. When that one fails for good, or all bytes have to come once more, the blob is like any other: from
// wherever its repository leads to, the sources in turn (Client::fetch_range).
#include "base/file.h"
#include "base/text.h"
#include "registry/failure.h"
#include "registry/transfer_attempt.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>

namespace drover::registry {
namespace {

constexpr int origin_failures_max = 3;  // in a row
constexpr std::string_view without_ranges = "it does not serve ranges";

}  // namespace

void Transfer::Impl::begin_side_by_side(Blob& blob) {
  if (blob.descriptor.size == 0 || blob.was_restarted || !blob.origins.empty()) return;
  std::vector<BlobSource> sources = client.blob_sources(ctx, blob.repository, blob.descriptor);
  if (sources.size() < 2) return;
  const bool is_in_parts = blob.descriptor.size >= ChunkLimits{}.whole || blob.landed.bytes() > 0;
  const auto can_serve = [&](const BlobSource& source) { return source.has_ranges || !is_in_parts; };
  if (std::none_of(sources.begin(), sources.end(), can_serve)) return;
  std::vector<ChunkScheduler::HostId> ids;
  for (BlobSource& source : sources) {
    std::string name = source.is_mirror ? "mirror " + source.key : blob.repository.registry();
    ids.push_back(host_named(name).scheduled);
    blob.origins.push_back({.source = std::move(source), .host = ids.back(), .host_name = std::move(name)});
  }
  // Its images were resolved there, and those connections stand.
  scheduler.begin_with(ids.front(), host_of(blob.repository).images.size());
  const auto side_by_side = ids.begin() + (blob.descriptor.size < side_by_side_bytes_min ? 1 : static_cast<std::ptrdiff_t>(ids.size()));
  scheduler.set_hosts(blob.scheduled, {ids.begin(), side_by_side}, {side_by_side, ids.end()});
  blob.brought.resize(blob.origins.size());
  blob.is_side_by_side = true;
  for (std::size_t i = 0; i < blob.origins.size(); ++i) {
    if (!can_serve(blob.origins[i].source)) leave_out(blob, i, without_ranges);
  }
}

void Transfer::Impl::end_side_by_side(Blob& blob) {
  if (!std::exchange(blob.is_side_by_side, false)) return;
  scheduler.set_host(blob.scheduled, host_of(blob.repository).scheduled);
}

std::optional<std::size_t> Transfer::Impl::find_origin(const Blob& blob, ChunkScheduler::HostId host) const {
  if (!blob.is_side_by_side) return std::nullopt;
  const auto found = std::find_if(blob.origins.begin(), blob.origins.end(), [&](const Origin& origin) { return origin.host == host; });
  return found == blob.origins.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - blob.origins.begin()));
}

// Others may bring what this one does not, or is not to bring any more.
bool Transfer::Impl::is_one_of_several(const Blob& blob, std::optional<std::size_t> origin) const {
  if (!origin || !blob.is_side_by_side) return false;
  return blob.origins[*origin].is_left_out || scheduler.host_count(blob.scheduled) > 1;
}

// After a request to one of several. What may be better soon is tried again, while the others go on.
void Transfer::Impl::judge_origin(std::unique_lock<std::mutex>& lock, Blob& blob, std::size_t index, const std::optional<Error>& failure,
                                  bool is_unranged) {
  Origin& origin = blob.origins[index];
  if (!blob.is_side_by_side || blob.state != Blob::State::active || origin.is_left_out) return;
  if (scheduler.host_count(blob.scheduled) <= 1) return;  // the others went meanwhile: its next request is judged as that of the last one
  if (is_unranged) return leave_out(blob, index, without_ranges);
  if (!failure) {
    origin.failures = 0;
    return;
  }
  if (failure->code() == ErrorCode::interrupted) return;
  const bool is_final = !is_worth_retrying(*failure) || ++origin.failures >= origin_failures_max;
  if (is_final || !is_still_asked(blob, origin)) return leave_out(blob, index, failure->what());
  wait_for_origin(lock, origin, *failure);
}

// Only this receiver waits; told when to ask again, nobody asks that source until then.
void Transfer::Impl::wait_for_origin(std::unique_lock<std::mutex>& lock, Origin& origin, const Error& failure) {
  Host& host = host_named(origin.host_name);
  if (failure.retry_at && host.is_waited_for) return;
  const bool is_host_waiting = failure.retry_at.has_value();
  if (is_host_waiting) {
    host.is_waited_for = true;
    scheduler.set_host_paused(host.scheduled, true);
  }
  lock.unlock();
  bool is_given_up = false;
  try {
    client.wait_before_retry(inner(), failure, 2);
  } catch (const Error&) {
    is_given_up = true;  // it wants to be left alone for longer than we wait for anybody
  }
  lock.lock();
  if (is_given_up) origin.failures = origin_failures_max - 1;
  if (is_host_waiting) {
    host.is_waited_for = false;
    scheduler.set_host_paused(host.scheduled, false);
  }
  work_ready.notify_all();
}

// What it is about to send is broken off: others have it to bring now, and what came stays.
void Transfer::Impl::leave_out(Blob& blob, std::size_t index, std::string_view why) {
  Origin& origin = blob.origins[index];
  origin.is_left_out = true;
  ctx.debug(printable(origin.source.name, 120) + " is left out for " + blob.descriptor.digest.to_string() + ": " + std::string(why));
  scheduler.leave_out(blob.scheduled, origin.host);
  for (Attempt* const attempt : attempts) {
    if (&attempt->blob == &blob && attempt->origin == index) break_off(*attempt);
  }
  work_ready.notify_all();
}

// Whether its failures have not cost it its place.
bool Transfer::Impl::is_still_asked(const Blob& blob, const Origin& origin) const {
  const std::vector<BlobSource> sources = client.blob_sources(ctx, blob.repository, blob.descriptor);
  return std::any_of(sources.begin(), sources.end(), [&](const BlobSource& source) { return source.key == origin.source.key; });
}

void Transfer::Impl::leave_out_slow_mirrors(Clock::time_point now) {
  if (limiter.is_limited()) return;  // what is held back says nothing of who sends it, and nobody is in a hurry
  for (const ChunkScheduler::HostId host : scheduler.find_slow_hosts(now)) {
    for (Blob& blob : blobs) {
      if (blob.state != Blob::State::active) continue;
      const std::optional<std::size_t> index = find_origin(blob, host);
      if (!index || blob.origins[*index].is_left_out || !blob.origins[*index].source.is_mirror) continue;
      client.note_slow(ctx, blob.origins[*index].source);
      if (scheduler.host_count(blob.scheduled) > 1) leave_out(blob, *index, "it is slow");
    }
  }
}

// Nobody is left who serves its ranges, so that those who were left out may be better than nobody.
void Transfer::Impl::ask_in_turn_again(Blob& blob) {
  end_side_by_side(blob);
  blob.attempt = 1;
  if (!client.can_range(blob.repository, blob.descriptor)) scheduler.set_sequential(blob.scheduled);
  work_ready.notify_all();
}

// Nothing where all of it came from one: then it is clear already.
void Transfer::Impl::suspect_origins(Blob& blob, int part) const {
  const bool is_clear = std::any_of(blob.brought.begin(), blob.brought.end(), [&](const RangeSet& b) { return b.bytes() == blob.descriptor.size; });
  if (!is_clear) blob.suspected = hash_sent_ranges(part, "the wrong copy of " + blob.descriptor.digest.to_string(), blob.brought);
}

// The right blob is in the store.
void Transfer::Impl::judge_suspects(const Context& patient, Blob& blob) const {
  if (blob.suspected.empty()) return;
  const std::filesystem::path path = store.blob_path(blob.descriptor.digest);
  const std::vector<std::size_t> guilty = find_senders_of_wrong_bytes(open_file(path, O_RDONLY).get(), path.string(), blob.suspected);
  for (std::size_t i = 0; i < blob.origins.size(); ++i) {
    const BlobSource& source = blob.origins[i].source;
    if (std::find(guilty.begin(), guilty.end(), i) != guilty.end()) {
      client.blame(patient, source, blob.descriptor);
    } else {
      client.pardon(source, blob.descriptor);
    }
  }
}

// Once: where the registry itself turned out wrong, the mirrors that were suspected in its place may be right.
bool Transfer::Impl::pardon_mirrors(Blob& blob) const {
  if (blob.suspected.empty() || std::exchange(blob.was_pardoned, true)) return false;
  for (const Origin& origin : blob.origins) {
    if (origin.source.is_mirror) client.pardon(origin.source, blob.descriptor);
  }
  return true;
}

// Nothing runs any more.
void Transfer::Impl::report_sources() const {
  std::map<std::string, std::uint64_t> bytes;
  for (const Blob& blob : blobs) {
    if (blob.descriptor.size < side_by_side_bytes_min) continue;
    for (std::size_t i = 0; i < blob.origins.size(); ++i) bytes[blob.origins[i].source.name] += blob.brought[i].bytes();
  }
  if (bytes.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [name, count] : bytes) parts.push_back(format_bytes(count) + " from " + printable(name, 120));
  ctx.log->write(LogLevel::info, "large blobs came side by side: " + join(parts, ", "));
}

}  // namespace drover::registry
