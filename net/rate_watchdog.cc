#include "net/rate_watchdog.h"

#include <algorithm>
#include <numeric>

namespace drover::net {

RateWatchdog::RateWatchdog(std::uint64_t bytes_per_second, std::chrono::milliseconds window)
    : slot_(std::max(window / static_cast<int>(slot_count), std::chrono::milliseconds(1))),
      window_bytes_min_(bytes_per_second * static_cast<std::uint64_t>(std::max<std::int64_t>(window.count(), 0)) / 1000),
      enabled_(window.count() > 0 && window_bytes_min_ > 0) {}

void RateWatchdog::start(TimePoint now) {
  started_ = true;
  start_ = now;
  current_ = 0;
  slots_.fill(0);
}

void RateWatchdog::add(TimePoint now, std::uint64_t bytes) {
  advance(now);
  slots_[current_ % slots_.size()] += bytes;
}

bool RateWatchdog::is_stalled(TimePoint now) {
  if (!enabled_ || !started_) return false;
  advance(now);
  if (current_ < slot_count) return false;
  return std::accumulate(slots_.begin(), slots_.end(), std::uint64_t{0}) < window_bytes_min_;
}

void RateWatchdog::advance(TimePoint now) {
  const auto target = static_cast<std::uint64_t>(std::max<std::int64_t>((now - start_) / slot_, 0));
  const std::uint64_t steps = target > current_ ? target - current_ : 0;
  for (std::uint64_t step = 1; step <= std::min<std::uint64_t>(steps, slots_.size()); ++step) {
    slots_[(target - step + 1) % slots_.size()] = 0;
  }
  current_ = std::max(current_, target);
}

}  // namespace drover::net
