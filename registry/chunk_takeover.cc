// ChunkScheduler's end game: what idle connections do when every byte is on its way, and which requests are given up.
#include "registry/chunk_scheduler.h"

#include <algorithm>
#include <cmath>

namespace drover::registry {
namespace {

constexpr double open_round_trips = 2;            // of a connection: TCP, TLS 1.3
constexpr double split_round_trips_min = 2;       // with less to go, a range is not worth splitting: asking takes one
constexpr double split_gain_seconds_min = 0.03;   // it costs the victim's connection
constexpr double copy_gain_seconds_min = 0.1;     // it costs bytes besides, and is for what has come to a halt
constexpr double overdue_seconds_min = 0.1;       // a first byte that is late by less may be any busy machine's
constexpr std::uint64_t copies_share = 20;        // copies only within the last twentieth of all bytes ...
constexpr std::uint64_t copies_bytes = 1U << 20U;  // ... or within so many
constexpr double slow_share = 0.2;                // of the median rate: slower than this ...
constexpr auto slow_patience = std::chrono::seconds(3);  // ... for so long is given up
constexpr std::size_t patience_doublings_max = 4;

}  // namespace

// Its own of late; where that is not known, what the host's others have.
double ChunkScheduler::expected_rate(ConnectionId id, HostId host) const {
  const Connection& own = connections_[id];
  const double mine = own.host == host ? own.rate.last_bytes_per_second() : 0;
  return mine > 0 ? mine : typical_rate(host);
}

// Of its connections; 0: nothing is known.
double ChunkScheduler::typical_rate(HostId host) const {
  double sum = 0;
  std::size_t count = 0;
  for (const Connection& connection : connections_) {
    const double rate = connection.host == host ? connection.rate.last_bytes_per_second() : 0;
    if (rate <= 0) continue;
    sum += rate;
    ++count;
  }
  return count == 0 ? hosts_[host].rate_given_up : sum / static_cast<double>(count);
}

// From asking to the first byte.
double ChunkScheduler::start_seconds(ConnectionId id, HostId host) const {
  const bool is_open = connections_[id].is_open && connections_[id].host == host;
  return hosts_[host].round_trip * (is_open ? 1 : 1 + open_round_trips);
}

double ChunkScheduler::current_rate(const InFlight& request, TimePoint now) const {
  return request.is_receiving ? connections_[request.connection].rate.bytes_per_second(now) : 0;
}

ChunkScheduler::Outlook ChunkScheduler::outlook(const InFlight& request, TimePoint now) const {
  const double left = static_cast<double>(request.range.end - request.reached);
  const double waited = std::chrono::duration<double>(now - request.begun).count();
  const double start = start_seconds(request.connection, request.host);
  double rate = current_rate(request, now);
  if (rate <= 0) {
    rate = expected_rate(request.connection, request.host);
    // Overdue: the longer it is silent, the less is expected of it.
    if (const double due = 2 * start + overdue_seconds_min; waited > due) rate *= due / waited;
  }
  rate = std::max(rate, 1.0);
  const double to_wait = request.is_receiving ? 0 : std::max(0.0, start - waited);
  return {.rate = rate, .seconds = to_wait + left / rate};
}

// Indexes of those requests that may be relieved, the one that would end last first.
std::vector<std::size_t> ChunkScheduler::latest_first(TimePoint now) const {
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    const InFlight& request = in_flight_[i];
    const Blob& blob = blobs_[request.blob];
    if (request.has_twin || request.is_given_up || request.is_sequential || blob.is_sequential || blob.is_paused) continue;
    if (blob.size == 0 || !is_from(blob, request.host) || !has_room(blob)) continue;
    found.emplace_back(-outlook(request, now).seconds, i);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::size_t> indexes;
  for (const auto& entry : found) indexes.push_back(entry.second);
  return indexes;
}

std::optional<ChunkScheduler::Request> ChunkScheduler::take_over(ConnectionId id, TimePoint now) {
  for (const std::size_t i : latest_first(now)) {
    InFlight& victim = in_flight_[i];
    const Outlook its = outlook(victim, now);
    if (its.seconds < split_round_trips_min * hosts_[victim.host].round_trip) return std::nullopt;
    const HostId place = *find_place(id, blobs_[victim.blob]);
    double mine = expected_rate(id, place);
    const double start = start_seconds(id, place);
    if (mine <= 0 && is_trial(blobs_[victim.blob], place)) mine = its.rate;  // as good as who keeps us waiting, to begin with
    if (mine <= 0) continue;  // nothing is known of this host yet
    // Both end together: start + x / mine = its.seconds - x / its.rate.
    const double even = mine * its.rate * (its.seconds - start) / (mine + its.rate);
    const std::uint64_t open = victim.range.end - std::max(victim.reserved, victim.reached);
    const std::uint64_t part = std::min(open, static_cast<std::uint64_t>(std::max(even, 0.0)));
    if (part < limits_.shortest || static_cast<double>(part) / its.rate < split_gain_seconds_min) continue;
    const ByteRange taken{victim.range.end - part, victim.range.end};
    victim.range.end = taken.begin;
    victim.is_shortened = true;
    return assign(id, victim.blob, place, taken, now);
  }
  return std::nullopt;
}

std::uint64_t ChunkScheduler::bytes_to_come() const {
  std::uint64_t sum = unassigned_bytes();
  for (const InFlight& request : in_flight_) sum += request.range.end - request.reached;
  return sum;
}

std::optional<ChunkScheduler::Request> ChunkScheduler::copy(ConnectionId id, TimePoint now) {
  const bool is_near_end = bytes_to_come() <= std::max(wanted_bytes_ / copies_share, copies_bytes);
  for (const std::size_t i : latest_first(now)) {
    InFlight& original = in_flight_[i];
    const Blob& blob = blobs_[original.blob];
    const Outlook its = outlook(original, now);
    const ByteRange left{original.reached, original.range.end};
    const bool is_for_reserve = blob.is_reserve_called && left.size() <= 2 * limits_.shortest;  // too little to be split
    if (left.size() == 0 || !(is_near_end || is_for_reserve)) continue;
    const HostId place = *find_place(id, blob);
    const double mine = expected_rate(id, place);
    const double needed = start_seconds(id, place) + static_cast<double>(left.size()) / std::max(mine, 1.0);
    const bool is_worth_it = its.seconds >= 2 * needed && its.seconds - needed >= copy_gain_seconds_min;
    if (!is_worth_it && !(mine <= 0 && is_for_reserve && is_trial(blob, place))) continue;
    original.has_twin = true;
    const Request request = assign(id, original.blob, place, left, now);
    in_flight_.back().has_twin = true;
    return request;
  }
  return std::nullopt;
}

// Of all connections to where this blob comes from: a slow host is slow beside the others, not beside itself.
double ChunkScheduler::median_rate(const Blob& blob, TimePoint now) const {
  std::vector<double> rates;
  for (ConnectionId id = 0; id < connections_.size(); ++id) {
    if (!connections_[id].host || !is_from(blob, *connections_[id].host)) continue;
    const auto mine = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& r) { return r.connection == id; });
    const bool is_live = mine != in_flight_.end() && mine->is_receiving && !mine->is_held;
    const double rate = is_live ? connections_[id].rate.bytes_per_second(now) : connections_[id].rate.last_bytes_per_second();
    if (rate > 0) rates.push_back(rate);
  }
  if (rates.empty()) return 0;
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
  std::nth_element(rates.begin(), middle, rates.end());
  return *middle;
}

bool ChunkScheduler::is_too_slow(const InFlight& request, TimePoint now) {
  Connection& connection = connections_[request.connection];
  if (request.is_held || request.is_sequential || current_rate(request, now) >= slow_share * median_rate(blobs_[request.blob], now)) {
    connection.slow_since.reset();
    return false;
  }
  if (!connection.slow_since) connection.slow_since = now;
  // A server that takes its time before each answer must have its chance.
  const std::size_t waited_in_vain = std::min(hosts_[request.host].given_up_waiting, patience_doublings_max);
  const std::size_t doublings = request.is_receiving ? 0 : waited_in_vain;
  return now - *connection.slow_since >= slow_patience * (1U << doublings);
}

std::vector<ChunkScheduler::RequestId> ChunkScheduler::find_superfluous(TimePoint now) {
  call_reserves(now);
  std::vector<RequestId> found;
  std::vector<HostId> starving;
  for (InFlight& request : in_flight_) {
    if (request.is_given_up || request.reached == request.range.end) continue;
    const Blob& blob = blobs_[request.blob];
    const bool is_needless = blob.size == 0 || blob.arrived.contains({request.reached, request.range.end});
    if (is_needless) note_overtaken(request, now);
    if (!is_needless && !is_too_slow(request, now)) continue;
    request.is_given_up = true;
    found.push_back(request.id);
    if (!is_needless && !request.is_receiving) starving.push_back(request.host);
  }
  for (HostId host = 0; host < hosts_.size(); ++host) {
    if (std::find(starving.begin(), starving.end(), host) == starving.end()) continue;
    ++hosts_[host].given_up_waiting;
    const auto is_answered = [&](const InFlight& r) { return r.host == host && r.is_receiving; };
    const auto answered = std::count_if(in_flight_.begin(), in_flight_.end(), is_answered);
    hosts_[host].limit.starved(now, static_cast<std::size_t>(answered));
  }
  return found;
}

}  // namespace drover::registry
