#include "registry/rate_limiter.h"

#include <algorithm>

namespace drover::registry {

bool RateLimiter::is_limited() const {
  const std::lock_guard lock(mutex_);
  return rate_ != 0;
}

void RateLimiter::set_rate(std::uint64_t bytes_per_second) {
  const std::lock_guard lock(mutex_);
  rate_ = bytes_per_second;
}

void RateLimiter::take(const Context& ctx, std::size_t bytes) {
  constexpr auto burst = std::chrono::milliseconds(100);  // of lateness that is made up for
  const auto now = ctx.clock->now();
  std::chrono::steady_clock::time_point mine;
  {
    const std::lock_guard lock(mutex_);
    if (rate_ == 0) return;
    free_at_ = std::max<std::chrono::steady_clock::time_point>(free_at_, now - burst) +
               std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(bytes) / static_cast<double>(rate_)));
    mine = free_at_;
  }
  if (mine > now) ctx.clock->sleep_for(std::chrono::ceil<std::chrono::milliseconds>(mine - now), ctx.stop);
}

}  // namespace drover::registry
