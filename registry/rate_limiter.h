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

  bool is_limited() const { return rate_ != 0; }
  // Sleeps until `bytes` may pass; returns early when stopped.
  void take(const Context& ctx, std::size_t bytes);

 private:
  std::uint64_t rate_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_at_{};
};

}  // namespace drover::registry
