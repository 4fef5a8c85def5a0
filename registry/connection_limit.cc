#include "registry/connection_limit.h"

#include <algorithm>
#include <cmath>

namespace drover::registry {
namespace {

constexpr double growth_each_min = 0.05;  // of the goodput, for each connection added
constexpr int failures_max = 2;
constexpr auto probe_interval = std::chrono::seconds(15);
constexpr auto adding_window = std::chrono::seconds(1);
// What a doubling must have lasted, or brought, before it is judged: less says more about socket buffers and token buckets than
// about the link.
constexpr double doubling_seconds_min = 0.1;
constexpr double doubling_round_trips_min = 2;
constexpr std::uint64_t doubling_bytes_each = 4U << 20U;
// Connections that carry more than this are few enough already to fill what a machine can check and write: another one has to show first
// that it brings more. On two cores 2 of them pull one blob over TLS at 0.85 of curl's rate, 16 at 0.72: decision 0012.
constexpr double ample_bytes_per_second = 100e6;
constexpr double settling_round_trips = 3;  // connect, TLS, ask
constexpr auto refusals_apart = std::chrono::seconds(1);  // those that come together count once

double to_seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

void ConnectionLimit::begin_with(std::size_t connections) {
  if (!has_adapted_) limit_ = std::max(limit_, std::min(connections, most_));
}

void ConnectionLimit::forget_window() {
  window_.reset();
  full_since_.reset();
}

void ConnectionLimit::raise(std::size_t limit, const std::optional<Level>& measured) {
  before_ = measured;
  limit_ = std::min(limit, most_);
  is_on_trial_ = true;
  forget_window();
}

// Additions from here on would bring too little: back to as many as would have brought the same.
void ConnectionLimit::fail(TimePoint now, const Level& level) {
  const double growth = level.bytes_per_second / std::max(before_->bytes_per_second, 1.0);
  const double worth = static_cast<double>(before_->connections) * growth;
  limit_ = std::clamp(static_cast<std::size_t>(std::lround(worth)), before_->connections, level.connections);
  is_on_trial_ = false;
  forget_window();
  before_.reset();
  phase_ = ++failures_ >= failures_max ? Phase::holding : Phase::adding;
  hold_until_ = now + probe_interval;
}

bool ConnectionLimit::is_growth_enough(const Level& level) const {
  const double growth = level.bytes_per_second / std::max(before_->bytes_per_second, 1.0) - 1;
  // A perfect addition to 16 brings 6 %, to 20 just 5: near there, half of the perfect is asked for.
  const auto from = static_cast<double>(before_->connections);
  const auto added = static_cast<double>(level.connections - before_->connections);
  const bool is_ample = level.bytes_per_second >= ample_bytes_per_second * static_cast<double>(level.connections);
  if (is_ample) return growth >= added / from / 2;
  return growth >= std::min(growth_each_min * added, added / from / 2);
}

void ConnectionLimit::look(TimePoint now, const Sample& sample) {
  if (phase_ == Phase::holding) {
    if (now < hold_until_) return;
    phase_ = Phase::adding;
    failures_ = failures_max - 1;
    forget_window();
  }
  // Only what fills the limit and leaves work over says what another connection would bring.
  if (!sample.is_more_wanted || sample.in_use < limit_) {
    forget_window();
    return;
  }
  if (limit_ >= most_ && !is_on_trial_) return;
  if (!full_since_) full_since_ = now;
  // The time that new connections need to come into being is not theirs to answer for.
  const double settling = settling_round_trips * sample.round_trip_seconds;
  if (!window_ && (sample.is_all_receiving || to_seconds(now - *full_since_) > settling)) window_ = {now, sample.received};
  if (phase_ == Phase::doubling) look_doubling(now, sample);
  else look_adding(now, sample);
}

void ConnectionLimit::look_doubling(TimePoint now, const Sample& sample) {
  if (sample.in_use_and_proven < sample.in_use) return;
  has_adapted_ = true;
  const double passed = window_ ? to_seconds(now - window_->begin) : 0;
  const std::uint64_t received = window_ ? sample.received - window_->received : 0;
  const bool is_ample = window_ && static_cast<double>(received) >= ample_bytes_per_second * passed * static_cast<double>(limit_);
  const bool is_long = passed >= std::max(doubling_seconds_min, doubling_round_trips_min * sample.round_trip_seconds);
  if (is_ample && !is_long) return;
  std::optional<Level> level;
  if (is_long || (passed > 0 && received >= doubling_bytes_each * limit_)) {
    level = Level{.connections = limit_, .bytes_per_second = static_cast<double>(received) / passed};
  }
  if (level && before_ && !is_growth_enough(*level)) return fail(now, *level);
  if (limit_ < most_) {
    raise(2 * limit_, level);
  } else if (level || !before_) {
    is_on_trial_ = false;
  }
}

void ConnectionLimit::look_adding(TimePoint now, const Sample& sample) {
  if (!window_ || now - window_->begin < adding_window) return;
  const double passed = to_seconds(now - window_->begin);
  const Level level{.connections = limit_, .bytes_per_second = static_cast<double>(sample.received - window_->received) / passed};
  if (is_on_trial_ && before_) {
    if (!is_growth_enough(level)) return fail(now, level);
    failures_ = 0;
  }
  is_on_trial_ = false;
  if (limit_ < most_) raise(limit_ + 1, level);
}

void ConnectionLimit::refused(TimePoint now, std::size_t in_use) {
  const bool is_new = !refused_at_ || now - *refused_at_ >= refusals_apart;
  if (!is_new) return;
  refused_at_ = now;
  // One that was only being tried out: the others are welcome, as they were before.
  const bool is_trial = phase_ == Phase::adding && is_on_trial_ && before_;
  hold(now, is_trial ? before_->connections : std::min(in_use, limit_) / 2);
}

void ConnectionLimit::starved(TimePoint now, std::size_t answered) {
  if (answered < limit_) hold(now, answered);
}

void ConnectionLimit::hold(TimePoint now, std::size_t limit) {
  limit_ = std::max<std::size_t>(1, limit);
  has_adapted_ = true;
  is_on_trial_ = false;
  forget_window();
  before_.reset();
  phase_ = Phase::holding;
  hold_until_ = now + probe_interval;
}

}  // namespace drover::registry
