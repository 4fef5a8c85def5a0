#include "registry/hedge.h"

#include <algorithm>

namespace drover::registry {

std::chrono::milliseconds patience_with(const Patience& patience, const std::optional<std::chrono::milliseconds>& own,
                                        const std::optional<std::chrono::milliseconds>& other) {
  if (!own && !other) return patience.unknown;
  const std::chrono::milliseconds usual = own && other ? std::min(*own, *other) : own.value_or(other.value_or(patience.unknown));
  return std::clamp(patience.times * usual, patience.shortest, std::max(patience.shortest, patience.longest));
}

bool Hedge::is_anybody_asked() const {
  return std::find(has_failed_.begin(), has_failed_.begin() + static_cast<std::ptrdiff_t>(asked_), false) !=
         has_failed_.begin() + static_cast<std::ptrdiff_t>(asked_);
}

std::optional<std::size_t> Hedge::next(TimePoint now) {
  if (winner_ || asked_ == patience_.size()) return std::nullopt;
  const std::optional<TimePoint> due = wake_at();
  if (is_anybody_asked() && !(due && *due <= now)) return std::nullopt;
  asked_last_at_ = now;
  return asked_++;
}

std::optional<Hedge::TimePoint> Hedge::wake_at() const {
  if (winner_ || asked_ == 0 || asked_ == patience_.size() || !patience_[asked_ - 1]) return std::nullopt;
  return asked_last_at_ + *patience_[asked_ - 1];
}

void Hedge::answered(std::size_t source) {
  if (!winner_) winner_ = source;
}

bool Hedge::is_over() const { return winner_ || (asked_ == patience_.size() && !is_anybody_asked()); }

std::vector<std::size_t> Hedge::overtaken() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; winner_ && i < *winner_; ++i) {
    if (!has_failed_[i]) found.push_back(i);
  }
  return found;
}

}  // namespace drover::registry
