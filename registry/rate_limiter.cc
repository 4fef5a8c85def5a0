#include "registry/rate_limiter.h"

#include <algorithm>

namespace drover::registry {
namespace {

constexpr auto burst = std::chrono::milliseconds(100);  // of lateness that is made up for
constexpr std::uint64_t grants_a_second = 20;
// Sleeps that short take longer than they say; the next grant comes so much later.
constexpr auto wait_min = std::chrono::milliseconds(2);

}  // namespace

RateLimiter::Grant RateLimiter::reserve(TimePoint now, std::size_t wanted) {
  const std::uint64_t rate = rate_.load(std::memory_order_relaxed);
  if (rate != 0) wanted = std::min(wanted, std::max<std::size_t>(1, rate / grants_a_second));
  granted_.fetch_add(wanted, std::memory_order_relaxed);
  if (rate == 0) return {.bytes = wanted, .at = now};
  const std::lock_guard lock(mutex_);
  const auto took = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(wanted) / static_cast<double>(rate)));
  free_at_ = std::max<TimePoint>(free_at_, now - burst) + took;
  return {.bytes = wanted, .at = free_at_ < now + wait_min ? now : free_at_};
}

}  // namespace drover::registry
