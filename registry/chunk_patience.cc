// ChunkScheduler's patience with a host that is asked first: when others are asked as well, and when it has lost its place.
#include "registry/chunk_scheduler.h"

#include <algorithm>
#include <utility>

namespace drover::registry {
namespace {

constexpr double far_share = 0.1;                   // of another host's rate: slower than this is far slower
constexpr std::uint64_t sure_bytes = 512U << 10U;   // from a host whose rate is compared with: less may have come out of a buffer at once

double seconds(std::chrono::duration<double> d) { return d.count(); }

std::optional<std::chrono::milliseconds> known_time(double time) {
  if (time <= 0) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(time));
}

}  // namespace

// Since it was asked, the time in which we did not read left out.
double ChunkScheduler::busy_seconds(const InFlight& request, TimePoint now) const {
  return seconds(now - request.begun) - request.held_seconds - (request.is_held ? seconds(now - request.held_since) : 0);
}

bool ChunkScheduler::has_received_long(const InFlight& request, TimePoint now) const {
  return request.is_receiving && busy_seconds(request, now) - request.waited >= seconds(limits_.patience.shortest);
}

// Since its first byte; 0 before.
double ChunkScheduler::mean_rate(const InFlight& request, TimePoint now) const {
  const double received = static_cast<double>(request.reached - request.range.begin);
  return request.is_receiving ? received / std::max(busy_seconds(request, now) - request.waited, 1e-3) : 0;
}

// Silent for too long, or sending so slowly that its end is not near.
bool ChunkScheduler::is_overdue(const InFlight& request, TimePoint now) const {
  if (request.is_receiving) {
    const double left = static_cast<double>(request.range.end - request.reached);
    return has_received_long(request, now) && left >= seconds(limits_.patience.shortest) * mean_rate(request, now);
  }
  double other = 0;
  for (const HostId host : blobs_[request.blob].reserve) other = other > 0 ? other : hosts_[host].round_trip;
  const auto patience = patience_with(limits_.patience, known_time(hosts_[request.host].round_trip), known_time(other));
  return busy_seconds(request, now) >= seconds(patience);
}

void ChunkScheduler::call_reserves(TimePoint now) {
  for (const InFlight& request : in_flight_) {
    Blob& blob = blobs_[request.blob];
    if (blob.reserve.empty() || request.is_given_up || !is_overdue(request, now)) continue;
    blob.is_reserve_called = true;
    for (const HostId host : blob.reserve) {
      begin_with(host, 1);
      blob.hosts.push_back(host);
    }
    blob.reserve.clear();
  }
}

// A host that was called and of which nothing is known is tried by one connection.
bool ChunkScheduler::is_trial(const Blob& blob, HostId place) const { return blob.is_reserve_called && hosts_[place].in_use == 0; }

// Others have brought its bytes: where they were called because of it, they began later and were there first nevertheless.
void ChunkScheduler::note_overtaken(const InFlight& request, TimePoint now) {
  const Blob& blob = blobs_[request.blob];
  const bool is_long = busy_seconds(request, now) >= seconds(limits_.patience.shortest);
  if (blob.size > 0 && blob.is_reserve_called && is_long && request.host == blob.hosts.front()) hosts_[request.host].is_overtaken = true;
}

std::vector<ChunkScheduler::HostId> ChunkScheduler::find_slow_hosts(TimePoint now) {
  for (const InFlight& request : in_flight_) {
    const Blob& blob = blobs_[request.blob];
    if (request.is_given_up || !is_from(blob, request.host)) continue;
    if (request.is_receiving ? !has_received_long(request, now) : !is_overdue(request, now)) continue;
    double best = 0;
    for (const HostId host : blob.hosts) {
      if (host != request.host && hosts_[host].received >= sure_bytes) best = std::max(best, typical_rate(host));
    }
    if (mean_rate(request, now) < far_share * best) hosts_[request.host].is_overtaken = true;
  }
  std::vector<HostId> found;
  for (HostId host = 0; host < hosts_.size(); ++host) {
    if (hosts_[host].is_overtaken && !std::exchange(hosts_[host].is_named_slow, true)) found.push_back(host);
  }
  return found;
}

}  // namespace drover::registry
