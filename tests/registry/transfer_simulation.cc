#include "tests/registry/transfer_simulation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace drover::test {
namespace {

constexpr std::uint64_t buffer_bytes = 256U << 10U;
constexpr double poll_seconds = 0.05;     // how often idle connections look
constexpr double back_off_seconds = 0.2;  // after a refusal
constexpr double never = std::numeric_limits<double>::infinity();

class Simulation {
 public:
  explicit Simulation(const SimulatedTransfer& transfer)
      : transfer_(transfer), scheduler_({.connections_each_host = transfer.connections}), slots_(transfer.connections) {
    hosts_.push_back(transfer.host);
    hosts_.insert(hosts_.end(), transfer.mirrors.begin(), transfer.mirrors.end());
    std::vector<ChunkScheduler::HostId> ids;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      ids.push_back(scheduler_.add_host());
      if (!transfer.is_adapting) scheduler_.begin_with(ids.back(), transfer.connections);
    }
    const std::vector<ChunkScheduler::HostId> first = {ids.front()};
    const std::vector<ChunkScheduler::HostId> others(ids.begin() + 1, ids.end());
    for (const std::uint64_t size : transfer.sizes) {
      const ChunkScheduler::BlobId blob = scheduler_.add(size, {}, ids.front());
      scheduler_.set_hosts(blob, transfer.is_in_reserve ? first : ids, transfer.is_in_reserve ? others : std::vector<ChunkScheduler::HostId>());
    }
    result_.requests_by_host.resize(hosts_.size());
    got_.resize(transfer.sizes.size());
    result_.received_by_host.resize(hosts_.size());
  }

  SimulationResult run() {
    double next_poll = 0;
    while (!is_complete() && now_ <= transfer_.seconds_max) {
      if (now_ >= next_poll) {
        next_poll = now_ + poll_seconds;
        give_up();
      }
      for (std::size_t i = 0; i < slots_.size(); ++i) begin(i);
      double next = next_poll;
      for (const Slot& slot : slots_) next = std::min(next, slot.event);
      advance(next);
      for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].event > now_) continue;
        happen(i);
        begin(i);  // at once: others must not see a connection less in between
      }
    }
    result_.is_complete = is_complete();
    result_.seconds = now_;
    result_.limit = scheduler_.limit(0);
    return result_;
  }

 private:
  enum class State { idle, asking, refused, receiving, backing_off };
  struct Slot {
    State state = State::idle;
    ChunkScheduler::Request request;
    double event = never;
    double rate = 0;
    double reached = 0;
    std::uint64_t until = 0;  // the buffer's end
    std::uint64_t answer_begin = 0;
    bool is_open = false;
    ChunkScheduler::HostId host = 0;  // of the connection
    std::size_t openings = 0;
  };

  ChunkScheduler::TimePoint time() const {
    return ChunkScheduler::TimePoint(std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(1e9 * (now_ + 1)))));
  }
  std::size_t count(const std::function<bool(const Slot&)>& is_so) const {
    return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), is_so));
  }
  std::size_t busy() const {
    return count([](const Slot& s) { return s.state != State::idle && s.state != State::backing_off; });
  }
  std::size_t admitted(ChunkScheduler::HostId host) const {
    return count([host](const Slot& s) { return s.is_open && s.host == host; });
  }
  bool is_complete() const {
    for (std::size_t i = 0; i < got_.size(); ++i) {
      if (!got_[i].contains({0, transfer_.sizes[i]})) return false;
    }
    return true;
  }

  void begin(std::size_t i) {
    Slot& slot = slots_[i];
    if (slot.state != State::idle) return;
    tell_progress();
    const auto request = scheduler_.next(i, time());
    if (!request) return;
    const SimulatedHost& host = hosts_[request->host];
    const bool is_new = !slot.is_open || slot.host != request->host;
    if (is_new) slot.is_open = false;
    slot.host = request->host;
    slot.request = *request;
    slot.reached = static_cast<double>(request->range.begin);
    ++result_.requests;
    ++result_.requests_by_host[request->host];
    // A server counts connections, kept-alive ones included, and keeps those that it has let in.
    const bool is_excess = !slot.is_open && admitted(slot.host) >= host.connections_max;
    result_.connections_peak = std::max(result_.connections_peak, busy() + 1);
    double wait = host.round_trip;
    if (is_new) {
      wait += host.open_round_trips * host.round_trip;
      slot.openings += 1;
      ++result_.openings;
    }
    slot.is_open = !is_excess;
    slot.state = is_excess && host.excess == SimulatedHost::Excess::refused ? State::refused : State::asking;
    slot.event = is_excess && host.excess == SimulatedHost::Excess::unanswered ? never : now_ + wait;
  }

  void happen(std::size_t i) {
    Slot& slot = slots_[i];
    switch (slot.state) {
      case State::idle: break;
      case State::backing_off: slot = Slot{.state = State::idle, .request = {}, .host = slot.host, .openings = slot.openings}; break;
      case State::refused:
        ++result_.refusals;
        scheduler_.refused(slot.request.id, time());
        scheduler_.returned(slot.request.id, slot.request.range.begin, time());
        slot.state = State::backing_off;
        slot.event = now_ + back_off_seconds;
        break;
      case State::asking:
        slot.state = State::receiving;
        slot.until = slot.request.range.begin;
        if (!hosts_[slot.host].has_ranges && !slot.request.is_sequential) answer_whole(slot);
        if (slot.state == State::receiving) go_on(i);
        break;
      case State::receiving: go_on(i); break;
    }
  }

  // As the transfer does: taken if it begins where the request does, else thrown away.
  void answer_whole(Slot& slot) {
    if (slot.request.range.begin == 0 && scheduler_.extend(slot.request.id)) {
      slot.request.range.end = transfer_.sizes[slot.request.blob];
      return;
    }
    scheduler_.set_sequential(slot.request.blob);
    end(slot, slot.request.range.begin);
    slot.is_open = false;
  }

  // A buffer is full, or the answer begins.
  void go_on(std::size_t i) {
    Slot& slot = slots_[i];
    const std::uint64_t at = slot.until;
    if (at > slot.request.range.begin) slot.reached = static_cast<double>(at);
    const std::uint64_t more = at == slot.request.range.end ? 0 : scheduler_.reserve(slot.request.id, at, buffer_bytes, time());
    if (more == 0) {
      const bool is_whole = at == slot.request.range.end;
      end(slot, at);
      slot.is_open = is_whole;
      return;
    }
    slot.until = at + more;
    set_event(i);
  }

  void end(Slot& slot, std::uint64_t at) {
    scheduler_.returned(slot.request.id, at, time());
    if (at > slot.request.range.begin) {
      got_[slot.request.blob].add({slot.request.range.begin, at});
      result_.received += at - slot.request.range.begin;
      result_.received_by_host[slot.host] += at - slot.request.range.begin;
    }
    slot.state = State::idle;
    slot.event = never;
  }

  double rate_of(std::size_t i) const {
    const SimulatedHost& host = hosts_[slots_[i].host];
    const double own = host.rate(i, slots_[i].openings - 1, now_);
    if (host.link_rate <= 0) return own;
    const std::size_t receiving = count([id = slots_[i].host](const Slot& s) { return s.state == State::receiving && s.host == id; });
    return std::min(own, host.link_rate / static_cast<double>(std::max<std::size_t>(receiving, 1)));
  }

  void set_event(std::size_t i) {
    Slot& slot = slots_[i];
    slot.rate = rate_of(i);
    slot.event = slot.rate > 0 ? now_ + (static_cast<double>(slot.until) - slot.reached) / slot.rate : never;
  }

  void advance(double to) {
    for (Slot& slot : slots_) {
      if (slot.state == State::receiving) slot.reached += slot.rate * (to - now_);
    }
    now_ = to;
    // Rates depend on time, and on each other where the link is shared.
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].state == State::receiving && slots_[i].event > now_) set_event(i);
    }
  }

  void tell_progress() {
    for (const Slot& slot : slots_) {
      if (slot.state == State::receiving) scheduler_.progress(slot.request.id, static_cast<std::uint64_t>(slot.reached), time());
    }
  }

  void give_up() {
    tell_progress();
    for (const ChunkScheduler::RequestId id : scheduler_.find_superfluous(time())) {
      break_off([id](const Slot& slot) { return slot.request.id == id; });
    }
    if (!transfer_.is_in_reserve) return;
    for (const ChunkScheduler::HostId host : scheduler_.find_slow_hosts(time())) {
      result_.slow.push_back(host);
      for (std::size_t blob = 0; blob < transfer_.sizes.size(); ++blob) scheduler_.leave_out(blob, host);
      break_off([host](const Slot& slot) { return slot.host == host; });
    }
  }

  void break_off(const std::function<bool(const Slot&)>& is_meant) {
    for (Slot& slot : slots_) {
      const bool is_busy = slot.state == State::asking || slot.state == State::receiving;
      if (!is_busy || !is_meant(slot)) continue;
      ++result_.given_up;
      end(slot, slot.state == State::receiving ? static_cast<std::uint64_t>(slot.reached) : slot.request.range.begin);
      slot.is_open = false;
    }
  }

  const SimulatedTransfer& transfer_;
  std::vector<SimulatedHost> hosts_;
  ChunkScheduler scheduler_;
  std::vector<Slot> slots_;
  std::vector<RangeSet> got_;
  double now_ = 0;
  SimulationResult result_;
};

}  // namespace

SimulationResult simulate(const SimulatedTransfer& transfer) { return Simulation(transfer).run(); }

}  // namespace drover::test
