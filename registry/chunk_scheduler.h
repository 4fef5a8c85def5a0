// Which connection fetches which range next: a pure decision over the state of all blobs in transfer; time is given.
//
// Small blobs go first and whole, then urgent ones, then what several images wait for, then so that the large ones finish together. Large ones are
// cut into bounded ranges: what the connection has shown that it can carry within about a second, towards the end its share of
// what is left. When nothing is unassigned, an idle connection takes over the second part of the range that would end last, so
// that both end together, or fetches it once more when it is too short to be split: the first complete copy counts. A connection
// that has become much slower than the others is given up. How many connections a host gets is ConnectionLimit's to say.
//
// A blob that several hosts serve is fetched from all of them: each idle connection goes where a connection carries most, as long as that
// host takes another one. So shares follow the rates, and a slow host is left with what the others cannot carry. Some hosts may be a blob's
// reserve: asked only once the others keep us waiting for longer than they should.
// Not thread-safe.
#pragma once

#include "registry/connection_limit.h"
#include "registry/hedge.h"
#include "registry/rate_meter.h"
#include "store/ranges.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace drover::registry {

struct ChunkLimits {
  std::uint64_t small = 1U << 20U;    // blobs up to this go ahead of everything
  std::uint64_t whole = 8U << 20U;    // blobs below this are one request each
  std::uint64_t first = 4U << 20U;    // of a connection whose rate is not known yet
  std::uint64_t shortest = 256U << 10U;
  std::uint64_t longest = 64U << 20U;
  std::size_t connections_each_host = 16;
  Patience patience = {};             // with a request before its blob's reserve is called
};

class ChunkScheduler {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using BlobId = std::size_t;
  using HostId = std::size_t;
  using ConnectionId = std::size_t;  // the caller's own numbers, from 0
  using RequestId = std::uint64_t;

  struct Request {
    RequestId id = 0;
    BlobId blob = 0;
    HostId host = 0;             // to be asked
    ByteRange range;             // as it was handed out; reserve() says when it became shorter
    bool is_sequential = false;  // the only request of this blob: the server may send from 0 whatever is asked
  };

  explicit ChunkScheduler(ChunkLimits limits = {}) : limits_(limits) {}

  // Somewhere that blobs come from; it has a limit of connections and a round trip of its own.
  HostId add_host();
  // So many connections to it stand already.
  void begin_with(HostId host, std::size_t connections) { hosts_[host].limit.begin_with(connections); }
  // A blob of which `present` is on disk already.
  BlobId add(std::uint64_t size, const RangeSet& present, HostId host);
  // It is fetched from somewhere else from now on.
  void set_host(BlobId blob, HostId host) { set_hosts(blob, {host}); }
  // From any of these from now on, in whatever shares they can carry; at least one, the likeliest first. From those in reserve only when it
  // has to be.
  void set_hosts(BlobId blob, std::vector<HostId> hosts, std::vector<HostId> reserve = {});
  // Nothing more of this blob is asked of that host. The last one is not taken away.
  void leave_out(BlobId blob, HostId host);
  // How many it is fetched from, or may be.
  std::size_t host_count(BlobId blob) const { return blobs_[blob].hosts.size() + blobs_[blob].reserve.size(); }

  // What this connection, which is idle, should fetch. Nothing when its host has enough of them, or when every missing byte is
  // on its way and not worth taking over.
  std::optional<Request> next(ConnectionId connection, TimePoint now);
  // The request goes on at `at`: how many of the next `wanted` bytes it should still bring; they are its own from now on.
  // 0: it has ended, others have the rest. The first call says when the answer began.
  std::uint64_t reserve(RequestId request, std::uint64_t at, std::uint64_t wanted, TimePoint now);
  // We do not read from it for now, or do again.
  void set_held(RequestId request, bool is_held, TimePoint now);
  // The bytes up to `reached` have come.
  void progress(RequestId request, std::uint64_t reached, TimePoint now);
  // The answer turned out to be the whole blob from its start: what nobody has is this request's. False: it cannot be.
  bool extend(RequestId request);
  // The request ended; the bytes from range.begin to `reached` arrived, the rest is handed out again.
  void returned(RequestId request, std::uint64_t reached, TimePoint now);
  // Its host does not want so many connections. Before returned().
  void refused(RequestId request, TimePoint now);
  // Requests to be broken off: others have brought their bytes, or they are too slow. Each is named once.
  std::vector<RequestId> find_superfluous(TimePoint now);
  // Hosts that others of a blob's hosts have turned out to be far faster than. Each is named once.
  std::vector<HostId> find_slow_hosts(TimePoint now);

  // This blob's server does not range: one request at a time from now on, to the end.
  void set_sequential(BlobId blob);
  // All of it is wanted again, in one piece: what arrived was wrong.
  void restart(BlobId blob);
  // How many images wait for this blob; more go first.
  void set_shares(BlobId blob, std::size_t shares) { blobs_[blob].shares = shares; }
  // Before all but small ones.
  void set_urgent(BlobId blob) { blobs_[blob].is_urgent = true; }
  // While paused, nothing of it is handed out: a failure's delay.
  void set_paused(BlobId blob, bool is_paused) { blobs_[blob].is_paused = is_paused; }
  // While paused, nothing from there is handed out: it asked to wait.
  void set_host_paused(HostId host, bool is_paused) { hosts_[host].is_paused = is_paused; }
  // Nothing more of this blob is wanted.
  void drop(BlobId blob);

  bool is_settled(BlobId blob) const;  // nothing unassigned and nothing in flight
  std::size_t in_flight(BlobId blob) const { return blobs_[blob].in_flight; }
  std::size_t limit(HostId host) const { return hosts_[host].limit.limit(); }
  // Whether another connection would be given something that nobody fetches.
  bool has_room() const;
  std::uint64_t unassigned_bytes() const;

 private:
  struct Blob {
    std::uint64_t size = 0;
    std::vector<HostId> hosts;  // never empty
    std::vector<HostId> reserve = {};
    bool is_reserve_called = false;
    RangeSet unassigned;
    RangeSet arrived;
    std::size_t in_flight = 0;
    std::size_t shares = 1;
    bool is_urgent = false;
    bool is_sequential = false;
    bool is_paused = false;
  };
  struct Host {
    explicit Host(std::size_t connections_max) : limit(connections_max) {}
    ConnectionLimit limit;
    std::size_t in_use = 0;
    std::uint64_t received = 0;
    double round_trip = 0;  // the shortest seen, seconds
    bool is_paused = false;
    std::size_t given_up_waiting = 0;  // how often requests were broken off without a byte
    double rate_given_up = 0;          // of the last one that was broken off for being slow; bytes a second
    bool is_overtaken = false;         // those that were called in its place were there first
    bool is_named_slow = false;
  };
  struct Connection {
    std::optional<HostId> host;
    RateMeter rate;
    bool is_open = false;    // ended its last request in order: needs no new connection
    bool is_proven = false;  // has brought something
    std::optional<TimePoint> slow_since;
  };
  struct InFlight {
    RequestId id = 0;
    ConnectionId connection = 0;
    BlobId blob = 0;
    HostId host = 0;
    ByteRange range;
    std::uint64_t reached = 0;
    std::uint64_t reserved = 0;  // its own up to here, whatever happens
    TimePoint begun;
    bool is_receiving = false;
    double waited = 0;           // seconds, for the first byte
    bool is_sequential = false;
    bool is_shortened = false;   // another took its second part over
    bool has_twin = false;       // another fetches the same bytes
    bool is_held = false;        // by us: its silence is not the server's
    TimePoint held_since = {};
    double held_seconds = 0;     // before that
    bool is_given_up = false;
  };

  // chunk_scheduler.cc
  InFlight& find(RequestId request);
  std::optional<BlobId> choose() const;
  std::uint64_t chunk_bytes(const Connection& connection, HostId host) const;
  std::optional<HostId> find_place(ConnectionId connection, const Blob& blob) const;
  bool is_from(const Blob& blob, HostId host) const;
  Request assign(ConnectionId connection, BlobId blob, HostId host, ByteRange range, TimePoint now);
  void look_at_limit(HostId host, TimePoint now);
  bool has_work(const Blob& blob) const;
  bool has_room(const Host& host) const { return !host.is_paused && host.in_use < host.limit.limit(); }
  bool has_room(const Blob& blob) const;
  void welcome(HostId host);

  // chunk_patience.cc
  double busy_seconds(const InFlight& request, TimePoint now) const;
  bool has_received_long(const InFlight& request, TimePoint now) const;
  double mean_rate(const InFlight& request, TimePoint now) const;
  bool is_overdue(const InFlight& request, TimePoint now) const;
  void call_reserves(TimePoint now);
  bool is_trial(const Blob& blob, HostId place) const;
  void note_overtaken(const InFlight& request, TimePoint now);

  // chunk_takeover.cc
  struct Outlook {
    double rate = 0;     // bytes a second, expected
    double seconds = 0;  // to its end
  };
  Outlook outlook(const InFlight& request, TimePoint now) const;
  double expected_rate(ConnectionId connection, HostId host) const;
  double typical_rate(HostId host) const;
  double start_seconds(ConnectionId connection, HostId host) const;
  std::vector<std::size_t> latest_first(TimePoint now) const;
  std::optional<Request> take_over(ConnectionId connection, TimePoint now);
  std::optional<Request> copy(ConnectionId connection, TimePoint now);
  std::uint64_t bytes_to_come() const;
  double current_rate(const InFlight& request, TimePoint now) const;
  bool is_too_slow(const InFlight& request, TimePoint now);
  double median_rate(const Blob& blob, TimePoint now) const;

  ChunkLimits limits_;
  std::vector<Blob> blobs_;
  std::vector<Host> hosts_;
  std::vector<Connection> connections_;
  std::vector<InFlight> in_flight_;
  RequestId next_request_ = 1;
  std::uint64_t wanted_bytes_ = 0;  // of all blobs, what was missing when they were added
};

}  // namespace drover::registry
