#include "registry/chunk_scheduler.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace drover::registry {
namespace {

constexpr std::size_t connections_at_first = 4;  // of a host, one a blob; more as they prove themselves
constexpr double comfortable_seconds = 1.0;      // of one request
constexpr double comfortable_round_trips = 20;
constexpr double shortest_round_trips = 2;       // a request for less costs more than it brings
constexpr double worth_of_moving = 0.8;          // of a new connection's rate: it begins slowly
constexpr double worth_of_trying = 1e18;         // bytes a second: more than anything known

}  // namespace

ChunkScheduler::HostId ChunkScheduler::add_host() {
  hosts_.emplace_back(limits_.connections_each_host);
  return hosts_.size() - 1;
}

ChunkScheduler::BlobId ChunkScheduler::add(std::uint64_t size, const RangeSet& present, HostId host) {
  Blob blob{.size = size, .hosts = {host}, .unassigned = {}, .arrived = present};
  for (const ByteRange& hole : present.missing(size)) blob.unassigned.add(hole);
  wanted_bytes_ += blob.unassigned.bytes();
  blobs_.push_back(std::move(blob));
  welcome(host);
  return blobs_.size() - 1;
}

// A connection for each blob that begins there, up to a few.
void ChunkScheduler::welcome(HostId host) {
  const auto is_active = [&](const Blob& b) { return b.hosts.front() == host && (b.in_flight > 0 || b.unassigned.bytes() > 0); };
  const auto active = static_cast<std::size_t>(std::count_if(blobs_.begin(), blobs_.end(), is_active));
  begin_with(host, std::min(active, connections_at_first));
}

void ChunkScheduler::set_hosts(BlobId blob, std::vector<HostId> hosts, std::vector<HostId> reserve) {
  for (const HostId host : hosts) begin_with(host, 1);
  blobs_[blob].hosts = std::move(hosts);
  blobs_[blob].reserve = std::move(reserve);
  welcome(blobs_[blob].hosts.front());
}

void ChunkScheduler::leave_out(BlobId blob, HostId host) {
  Blob& left = blobs_[blob];
  if (host_count(blob) == 1) return;
  std::erase(left.reserve, host);
  std::erase(left.hosts, host);
  if (left.hosts.empty()) set_hosts(blob, std::exchange(left.reserve, {}));
}

bool ChunkScheduler::is_from(const Blob& blob, HostId host) const {
  return std::find(blob.hosts.begin(), blob.hosts.end(), host) != blob.hosts.end();
}

bool ChunkScheduler::has_room(const Blob& blob) const {
  return std::any_of(blob.hosts.begin(), blob.hosts.end(), [this](HostId host) { return has_room(hosts_[host]); });
}

// Where a connection carries most; a host that nothing is known of is tried by one. Going elsewhere costs a connection that stands.
std::optional<ChunkScheduler::HostId> ChunkScheduler::find_place(ConnectionId id, const Blob& blob) const {
  const Connection& connection = connections_[id];
  std::optional<HostId> best;
  double best_worth = 0;
  for (const HostId host : blob.hosts) {
    if (!has_room(hosts_[host])) continue;
    const bool is_here = connection.host == host && connection.is_open;
    double worth = expected_rate(id, host) * (is_here ? 1 : worth_of_moving);
    if (worth <= 0 && hosts_[host].in_use == 0) worth = worth_of_trying;
    if (best && worth <= best_worth) continue;
    best = host;
    best_worth = worth;
  }
  return best;
}

ChunkScheduler::InFlight& ChunkScheduler::find(RequestId request) {
  return *std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& r) { return r.id == request; });
}

bool ChunkScheduler::has_work(const Blob& blob) const {
  return blob.unassigned.bytes() > 0 && !blob.is_paused && !(blob.is_sequential && blob.in_flight > 0);
}

std::optional<ChunkScheduler::BlobId> ChunkScheduler::choose() const {
  // Small before urgent before others; among small ones the smallest; among the rest the most shared, then that with the most left for
  // each connection it would then have.
  const auto rank = [this](const Blob& blob) {
    const std::uint64_t wanted = blob.unassigned.bytes();
    if (wanted <= limits_.small) return std::tuple(2, std::size_t{0}, -static_cast<double>(wanted));
    return std::tuple(blob.is_urgent ? 1 : 0, blob.shares, static_cast<double>(wanted) / static_cast<double>(blob.in_flight + 1));
  };
  std::optional<BlobId> best;
  for (BlobId id = 0; id < blobs_.size(); ++id) {
    const Blob& blob = blobs_[id];
    if (!has_work(blob) || !has_room(blob)) continue;
    if (!best || rank(blob) > rank(blobs_[*best])) best = id;
  }
  return best;
}

std::uint64_t ChunkScheduler::chunk_bytes(const Connection& connection, HostId host) const {
  const double mine = connection.host == host ? connection.rate.last_bytes_per_second() : 0;
  if (mine <= 0) return limits_.first;
  const double round_trip = hosts_[host].round_trip;
  const double comfortable = mine * std::max(comfortable_round_trips * round_trip, comfortable_seconds);
  double all = mine;
  for (const InFlight& request : in_flight_) all += expected_rate(request.connection, request.host);
  // With this share of all that is to come it would end when the others do; what turns out otherwise is taken over later.
  const double fair = mine * static_cast<double>(bytes_to_come()) / all;
  const double floor = std::max(static_cast<double>(limits_.shortest), shortest_round_trips * mine * round_trip);
  const double ceiling = std::max(floor, static_cast<double>(limits_.longest));
  return static_cast<std::uint64_t>(std::clamp(std::min(comfortable, fair), floor, ceiling));
}

std::optional<ChunkScheduler::Request> ChunkScheduler::next(ConnectionId id, TimePoint now) {
  if (connections_.size() <= id) connections_.resize(id + 1);
  call_reserves(now);
  for (HostId host = 0; host < hosts_.size(); ++host) {
    if (hosts_[host].in_use >= hosts_[host].limit.limit()) look_at_limit(host, now);
  }
  const std::optional<BlobId> chosen = choose();
  if (!chosen) {
    std::optional<Request> taken = take_over(id, now);
    return taken ? taken : copy(id, now);
  }
  Blob& blob = blobs_[*chosen];
  const HostId host = *find_place(id, blob);
  const ByteRange hole = blob.unassigned.list().front();
  ByteRange range = hole;
  if (blob.is_sequential) {
    range.end = blob.size;
  } else if (blob.size >= limits_.whole) {
    const std::uint64_t chunk = chunk_bytes(connections_[id], host);
    if (hole.size() > chunk + chunk / 4) range.end = range.begin + chunk;
  }
  blob.unassigned.remove(range);
  return assign(id, *chosen, host, range, now);
}

ChunkScheduler::Request ChunkScheduler::assign(ConnectionId id, BlobId blob_id, HostId host, ByteRange range, TimePoint now) {
  Blob& blob = blobs_[blob_id];
  Connection& connection = connections_[id];
  if (connection.host != host) connection = Connection{.host = host, .rate = {}, .slow_since = {}};
  ++blob.in_flight;
  ++hosts_[host].in_use;
  const Request request{.id = next_request_++, .blob = blob_id, .host = host, .range = range, .is_sequential = blob.is_sequential};
  in_flight_.push_back({.id = request.id,
                        .connection = id,
                        .blob = blob_id,
                        .host = host,
                        .range = range,
                        .reached = range.begin,
                        .reserved = range.begin,
                        .begun = now,
                        .is_sequential = blob.is_sequential});
  return request;
}

std::uint64_t ChunkScheduler::reserve(RequestId id, std::uint64_t at, std::uint64_t wanted, TimePoint now) {
  InFlight& request = find(id);
  Connection& connection = connections_[request.connection];
  const Blob& blob = blobs_[request.blob];
  Host& host = hosts_[request.host];
  if (!request.is_receiving) {
    const double waited = std::chrono::duration<double>(now - request.begun).count();
    host.round_trip = host.round_trip == 0 ? waited : std::min(host.round_trip, waited);
    request.is_receiving = true;
    request.waited = busy_seconds(request, now);
    connection.rate.start(now);
  }
  progress(id, at, now);
  if (at - request.range.begin >= limits_.shortest) connection.is_proven = true;
  look_at_limit(request.host, now);
  const ByteRange rest{at, request.range.end};
  if (rest.begin < rest.end && blob.arrived.contains(rest)) note_overtaken(request, now);
  if (rest.begin >= rest.end || blob.size == 0 || blob.arrived.contains(rest)) return 0;
  request.reserved = std::min(rest.end, at + wanted);
  return request.reserved - at;
}

void ChunkScheduler::progress(RequestId id, std::uint64_t reached, TimePoint now) {
  InFlight& request = find(id);
  if (!request.is_receiving || reached < request.reached) return;
  connections_[request.connection].rate.add(now, reached - request.reached);
  hosts_[request.host].received += reached - request.reached;
  request.reached = reached;
}

void ChunkScheduler::set_held(RequestId id, bool is_held, TimePoint now) {
  InFlight& request = find(id);
  if (request.is_held) request.held_seconds += std::chrono::duration<double>(now - request.held_since).count();
  request.is_held = is_held;
  request.held_since = now;
  connections_[request.connection].slow_since.reset();
  if (!is_held && request.is_receiving) connections_[request.connection].rate.start(now);
}

bool ChunkScheduler::extend(RequestId id) {
  InFlight& request = find(id);
  Blob& blob = blobs_[request.blob];
  if (request.range.end == blob.size) return true;
  if (request.has_twin || request.is_given_up || blob.size == 0) return false;
  blob.is_sequential = true;
  request.is_sequential = true;
  request.range.end = blob.size;
  blob.unassigned.remove(request.range);
  return true;
}

void ChunkScheduler::refused(RequestId id, TimePoint now) {
  Host& host = hosts_[find(id).host];
  host.limit.refused(now, host.in_use);
}

void ChunkScheduler::returned(RequestId id, std::uint64_t reached, TimePoint now) {
  progress(id, reached, now);
  const InFlight request = find(id);
  std::erase_if(in_flight_, [&](const InFlight& r) { return r.id == id; });
  Blob& blob = blobs_[request.blob];
  Connection& connection = connections_[request.connection];
  --blob.in_flight;
  --hosts_[request.host].in_use;
  reached = std::clamp(reached, request.range.begin, request.range.end);
  const bool is_done = reached == request.range.end && !request.is_given_up;
  connection.is_open = is_done && !request.is_shortened;
  connection.is_proven = is_done;
  if (request.is_given_up) hosts_[request.host].rate_given_up = connection.rate.last_bytes_per_second();
  if (request.is_given_up || reached == request.range.begin) connection.rate = {};
  if (connection.rate.last_bytes_per_second() == 0) connection.slow_since.reset();
  if (blob.size == 0) return;
  blob.arrived.add({request.range.begin, reached});
  // Handed out again: what neither came by another request nor is on its way by one.
  RangeSet rest;
  rest.add({reached, request.range.end});
  for (const ByteRange& came : blob.arrived.list()) rest.remove(came);
  for (InFlight& other : in_flight_) {
    if (other.blob != request.blob) continue;
    rest.remove(other.range);
    if (other.range.begin < request.range.end && request.range.begin < other.range.end) other.has_twin = false;
  }
  for (const ByteRange& hole : rest.list()) blob.unassigned.add(hole);
}

// After what a connection has shown, or when one ended, or time has passed.
void ChunkScheduler::look_at_limit(HostId id, TimePoint now) {
  Host& host = hosts_[id];
  ConnectionLimit::Sample sample{.received = host.received,
                                 .in_use = host.in_use,
                                 .is_all_receiving = true,
                                 .round_trip_seconds = host.round_trip};
  for (const InFlight& request : in_flight_) {
    if (request.host != id) continue;
    sample.in_use_and_proven += connections_[request.connection].is_proven ? 1U : 0U;
    sample.is_all_receiving = sample.is_all_receiving && request.is_receiving;
  }
  const auto is_waiting = [&](const Blob& blob) { return is_from(blob, id) && has_work(blob); };
  sample.is_more_wanted = std::any_of(blobs_.begin(), blobs_.end(), is_waiting);
  host.limit.look(now, sample);
}

void ChunkScheduler::set_sequential(BlobId blob) { blobs_[blob].is_sequential = true; }

void ChunkScheduler::restart(BlobId id) {
  Blob& blob = blobs_[id];
  blob.unassigned = {};
  blob.arrived = {};
  blob.unassigned.add({0, blob.size});
  blob.is_sequential = true;
  wanted_bytes_ += blob.size;
}

void ChunkScheduler::drop(BlobId id) {
  blobs_[id].unassigned = {};
  blobs_[id].size = 0;
}

bool ChunkScheduler::is_settled(BlobId id) const { return blobs_[id].in_flight == 0 && blobs_[id].unassigned.bytes() == 0; }

bool ChunkScheduler::has_room() const {
  return std::any_of(hosts_.begin(), hosts_.end(), [this](const Host& host) { return has_room(host); }) && choose().has_value();
}

std::uint64_t ChunkScheduler::unassigned_bytes() const {
  std::uint64_t sum = 0;
  for (const Blob& blob : blobs_) sum += blob.unassigned.bytes();
  return sum;
}

}  // namespace drover::registry
