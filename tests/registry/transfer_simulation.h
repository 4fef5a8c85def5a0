// A transfer without sockets: the scheduler's decisions played out over connections of given rates, event by event.
// Deterministic.
#pragma once

#include "registry/chunk_scheduler.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace drover::test {

using registry::ChunkScheduler;

struct SimulatedHost {
  double round_trip = 0.03;       // seconds; one a request, and ...
  double open_round_trips = 0;    // ... so many more for a new connection
  // Bytes a second of the nth (from 0) opening of a connection slot, `seconds` after the transfer began.
  std::function<double(std::size_t connection, std::size_t opening, double seconds)> rate;
  double link_rate = 0;           // of all together; 0: no limit
  std::size_t connections_max = 1000;  // more at once are ...
  enum class Excess { refused, unanswered } excess = Excess::refused;
  bool has_ranges = true;         // else every answer is the whole blob
};

struct SimulatedTransfer {
  std::vector<std::uint64_t> sizes;
  std::size_t connections = 8;
  bool is_adapting = false;       // else all connections are allowed at once
  SimulatedHost host;
  std::vector<SimulatedHost> mirrors = {};  // that serve every blob as well
  bool is_in_reserve = false;     // they are asked only when the host is slow
  double seconds_max = 600;       // then it counts as hung
};

struct SimulationResult {
  bool is_complete = false;
  double seconds = 0;
  std::uint64_t received = 0;     // over the wire, waste included
  std::size_t requests = 0;
  std::size_t openings = 0;
  std::size_t refusals = 0;
  std::size_t connections_peak = 0;
  std::size_t limit = 0;          // at the end
  std::size_t given_up = 0;       // requests broken off for being slow or superfluous
  std::vector<std::uint64_t> received_by_host = {};  // the host first, then the mirrors
  std::vector<std::size_t> requests_by_host = {};
  std::vector<ChunkScheduler::HostId> slow = {};     // left out of all blobs since then
};

SimulationResult simulate(const SimulatedTransfer& transfer);

}  // namespace drover::test
