// A token bucket shared by all connections of a run.
#pragma once

#include "base/context.h"

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace drover::registry {

// Thread-safe. 0 bytes a second means no limit.
class RateLimiter {
 public:
  explicit RateLimiter(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  bool is_limited() const;
  // From the next bytes on; who sleeps already sleeps on.
  void set_rate(std::uint64_t bytes_per_second);

  // Sleeps until `bytes` may pass; returns early when stopped.
  void take(const Context& ctx, std::size_t bytes);

 private:
  mutable std::mutex mutex_;  // of the members below
  std::uint64_t rate_;
  std::chrono::steady_clock::time_point free_at_{};
};

}  // namespace drover::registry
