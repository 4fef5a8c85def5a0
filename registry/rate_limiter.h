// A token bucket shared by all connections of a run.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace drover::registry {

// Thread-safe. 0 bytes a second means no limit. It sleeps for nobody: it says how long whoever asked has to.
class RateLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Grant {
    std::size_t bytes = 0;  // that may pass
    TimePoint at;           // from then on, and not before
  };

  explicit RateLimiter(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  bool is_limited() const { return rate_.load(std::memory_order_relaxed) != 0; }
  // From the next grant on.
  void set_rate(std::uint64_t bytes_per_second) { rate_.store(bytes_per_second, std::memory_order_relaxed); }

  // Before bytes are taken in: how many of `wanted`, at least one, may be, and when. Never so many that others would wait long for theirs.
  Grant reserve(TimePoint now, std::size_t wanted);

  // All that was granted, with a limit or without: what came over the network.
  std::uint64_t granted_bytes() const { return granted_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> rate_;
  std::atomic<std::uint64_t> granted_{0};
  std::mutex mutex_;      // of free_at_
  TimePoint free_at_{};
};

}  // namespace drover::registry
