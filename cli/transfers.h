// The counters behind every progress display: what is under way, how much is done, how fast.
#pragma once

#include "base/progress.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

struct Transfer {
  std::string phase;
  std::string id;
  std::string label;
  std::uint64_t done = 0;
  std::uint64_t initial = 0;  // was there before this run
  std::uint64_t total = 0;
  std::chrono::steady_clock::time_point begin;
};

// Everything of one phase together. An event with an empty id announces the whole phase's total before its parts begin.
struct PhaseTotal {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::size_t active = 0;
  double rate_bytes_per_second = 0;    // over the last seconds
  std::optional<double> seconds_left;  // nothing while it cannot be known
};

// Not thread-safe.
class Transfers {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Returns the transfer that has just ended, if the event is its end.
  std::optional<Transfer> apply(const ProgressEvent& event, Time now);
  // Takes a sample for the rates.
  void tick(Time now);

  std::vector<Transfer> active() const;  // oldest first
  std::vector<std::string> phases() const;  // in order of appearance
  PhaseTotal total(const std::string& phase) const;

 private:
  struct Phase {
    std::string name;
    std::uint64_t announced = 0;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::uint64_t moved = 0;  // in this run
    std::deque<std::pair<Time, std::uint64_t>> samples;
  };
  Phase& phase(std::string_view name);
  const Phase* find_phase(std::string_view name) const;

  std::vector<Phase> phases_;
  std::vector<Transfer> active_;
};

}  // namespace drover::cli
