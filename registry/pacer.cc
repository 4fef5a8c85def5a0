#include "registry/pacer.h"

#include "base/text.h"

#include <algorithm>
#include <functional>

namespace drover::registry {

std::chrono::duration<double> reserve_of(std::chrono::duration<double> time) {
  return std::clamp<std::chrono::duration<double>>(pace_reserve * time, pace_reserve_min, pace_reserve_max);
}

PaceView view_at_begin(std::uint64_t bytes, std::chrono::duration<double> time, std::uint64_t rate_max) {
  return {.left_bytes = bytes, .left_seconds = time.count(), .reserve_seconds = reserve_of(time).count(), .rate_max = rate_max};
}

ChosenPace choose_pace(const PaceView& view) {
  const auto left = static_cast<double>(view.left_bytes);
  const auto cap = static_cast<double>(view.rate_max);
  ChosenPace pace{.rate = view.rate_max};
  if (view.left_bytes == 0) return pace;
  if (view.left_seconds <= 0) {
    pace.late_seconds = view.measured_rate && *view.measured_rate > 0 ? left / *view.measured_rate - view.left_seconds : -view.left_seconds;
    return pace;
  }
  if (const double seconds = view.left_seconds - view.reserve_seconds; seconds > 0) {
    const double wanted = std::max(left / seconds, static_cast<double>(pace_min));
    if (view.rate_max == 0 || wanted < cap) pace.rate = static_cast<std::uint64_t>(wanted) + 1;
  }
  const double needed = left / view.left_seconds;
  const double reachable = view.measured_rate ? *view.measured_rate : cap;
  if (!view.measured_rate && (view.rate_max == 0 || cap >= needed)) return pace;
  if (reachable < needed * pace_tolerance) pace.late_seconds = left / std::max(reachable, 1.0) - view.left_seconds;
  return pace;
}

std::string late_text(const PaceView& view, double late_seconds) {
  std::string text = "this will not be done in time: " + format_bytes(view.left_bytes) + " are left";
  if (view.measured_rate) {
    text += ", " + format_bytes(static_cast<std::uint64_t>(*view.measured_rate)) + "/s come";
  } else if (view.rate_max > 0) {
    text += ", --limit-rate allows " + format_bytes(view.rate_max) + "/s";
  }
  return text + "; " + format_seconds(late_seconds) + " too long";
}

Pacer::Pacer(const Context& ctx, std::chrono::system_clock::time_point deadline, std::uint64_t rate_max, RateLimiter& limiter)
    : ctx_(ctx),
      deadline_(deadline),
      reserve_(reserve_of(deadline - ctx.clock->system_now())),
      rate_max_(rate_max),
      limiter_(limiter) {
  limiter_.set_rate(rate_max);
}

void Pacer::expect(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    expected_ = bytes;
  }
  tick();
}

void Pacer::on(const ProgressEvent& event) noexcept {
  ctx_.progress->on(event);
  if (event.phase != "fetch" || event.id.empty() || event.kind == ProgressEvent::Kind::message) return;
  const std::lock_guard lock(mutex_);
  auto found = blobs_.find(event.id);
  if (found == blobs_.end()) {
    // Without a beginning it was there, or will never come: nothing of it is to be fetched.
    if (event.kind != ProgressEvent::Kind::started) return;
    found = blobs_.emplace(event.id, std::pair(event.done, event.total)).first;
    left_ += event.total - std::min(event.done, event.total);
    begun_ += event.total - std::min(event.done, event.total);
    return;
  }
  auto& [done, total] = found->second;
  const bool is_end = event.kind == ProgressEvent::Kind::finished || event.kind == ProgressEvent::Kind::failed;
  const std::uint64_t now = is_end ? total : std::min(event.done, total);
  if (now > done) moved_ += event.kind == ProgressEvent::Kind::failed ? 0 : now - done;
  left_ = left_ + done - now;  // more again when a blob had to begin anew
  done = now;
}

// Over the last window, once it has been going on for that long.
std::optional<double> Pacer::measure() {
  const auto now = ctx_.clock->now();
  if (samples_.empty() && moved_ == 0) return std::nullopt;
  samples_.emplace_back(now, moved_);
  while (samples_.size() > 2 && now - samples_[1].first >= pace_window) samples_.pop_front();
  const auto& [begin, bytes] = samples_.front();
  if (now - begin < pace_window) return std::nullopt;
  return static_cast<double>(moved_ - bytes) / std::chrono::duration<double>(now - begin).count();
}

void Pacer::tick() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t unbegun = expected_ - std::min(expected_, begun_);
  const PaceView view{.left_bytes = left_ + unbegun,
                      .left_seconds = std::chrono::duration<double>(deadline_ - ctx_.clock->system_now()).count(),
                      .reserve_seconds = reserve_.count(),
                      .rate_max = rate_max_,
                      .measured_rate = measure()};
  const ChosenPace pace = choose_pace(view);
  limiter_.set_rate(pace.rate);
  if (!pace.late_seconds || has_warned_) return;
  has_warned_ = true;
  ctx_.warn(late_text(view, *pace.late_seconds));
}

PacerThread::PacerThread(Pacer& pacer)
    : thread_([this, &pacer](const std::stop_token& stop) {
        constexpr auto interval = std::chrono::milliseconds(500);
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
          pacer.tick();
          ended_.wait_for(lock, stop, interval, [] { return false; });
        }
      }) {}

PacerThread::~PacerThread() = default;  // the thread is last: it is stopped and joined before what it uses goes

}  // namespace drover::registry
