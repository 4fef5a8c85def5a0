#include "registry/pacer.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace drover::registry {
namespace {

std::chrono::duration<double> window_of(std::chrono::duration<double> time) {
  return std::clamp<std::chrono::duration<double>>(pace_window_share * time, pace_window_min, pace_window_max);
}

// How much too long it will take, as far as anybody knows.
double late_by(const PaceView& view) {
  const auto left = static_cast<double>(view.left_bytes);
  if (view.left_seconds <= 0) return (view.measured_rate && *view.measured_rate > 0 ? left / *view.measured_rate : 0) - view.left_seconds;
  if (!view.measured_rate && view.rate_max == 0) return 0;
  const double needed = left / view.left_seconds;
  const double reachable = view.measured_rate ? *view.measured_rate : static_cast<double>(view.rate_max);
  const double enough = view.measured_rate ? needed * pace_tolerance : needed;
  return reachable < enough ? left / std::max(reachable, 1.0) - view.left_seconds : 0;
}

}  // namespace

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
  if (const double seconds = view.left_seconds - view.reserve_seconds; seconds > 0) {
    const double wanted = std::max(left / seconds, static_cast<double>(pace_min));
    if (view.rate_max == 0 || wanted < cap) pace.rate = static_cast<std::uint64_t>(wanted) + 1;
  }
  if (const double late = late_by(view); late >= late_seconds_min) pace.late_seconds = late;
  return pace;
}

std::string late_text(const PaceView& view, double late_seconds) {
  std::string text = (view.left_seconds > 0 ? "this will not be done in time: " : "the time is over: ") + format_bytes(view.left_bytes) + " are left";
  if (view.measured_rate) {
    text += ", " + format_bytes(static_cast<std::uint64_t>(*view.measured_rate)) + "/s come";
  } else if (view.rate_max > 0) {
    text += ", --limit-rate allows " + format_bytes(view.rate_max) + "/s";
  }
  return text + "; " + format_seconds(late_seconds) + " too long";
}

void ArrivalMeter::note(TimePoint now, std::uint64_t bytes) {
  if (samples_.empty() && bytes == 0) return;
  samples_.emplace_back(now, bytes);
  while (samples_.size() > 2 && now - samples_[1].first >= window_) samples_.pop_front();
}

std::optional<double> ArrivalMeter::bytes_per_second() const {
  if (samples_.empty() || samples_.back().first - samples_.front().first < window_) return std::nullopt;
  const auto& [end, all] = samples_.back();
  double best = 0;
  for (const auto& [begin, bytes] : samples_) {
    if (begin != samples_.front().first && end - begin < window_ / 2) break;
    best = std::max(best, static_cast<double>(all - bytes) / std::chrono::duration<double>(end - begin).count());
  }
  return best;
}

bool LateNews::is_news(const PaceView& view, const ChosenPace& pace) {
  const bool is_late = pace.late_seconds.has_value();
  if (!std::exchange(was_late_, is_late) || !is_late) return false;  // one look may have met a hiccup
  const bool is_end = view.left_seconds <= 0;
  const double late = *pace.late_seconds;
  const bool is_worse = told_seconds_ && late >= late_growth * *told_seconds_ && late >= *told_seconds_ + late_growth_seconds_min;
  if (told_seconds_ && !is_worse && !(is_end && !has_told_end_)) return false;
  told_seconds_ = late;
  has_told_end_ = is_end;
  return true;
}

Pacer::Pacer(const Context& ctx, std::chrono::system_clock::time_point deadline, std::uint64_t rate_max, RateLimiter& limiter)
    : ctx_(ctx),
      deadline_(deadline),
      reserve_(reserve_of(deadline - ctx.clock->system_now())),
      rate_max_(rate_max),
      limiter_(limiter),
      meter_(window_of(deadline - ctx.clock->system_now())) {
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
  left_ = left_ + done - now;  // more again when a blob had to begin anew
  done = now;
}

void Pacer::tick() {
  const std::lock_guard lock(mutex_);
  meter_.note(ctx_.clock->now(), limiter_.granted_bytes());
  const std::uint64_t unbegun = expected_ - std::min(expected_, begun_);
  const PaceView view{.left_bytes = left_ + unbegun,
                      .left_seconds = std::chrono::duration<double>(deadline_ - ctx_.clock->system_now()).count(),
                      .reserve_seconds = reserve_.count(),
                      .rate_max = rate_max_,
                      .measured_rate = meter_.bytes_per_second()};
  const ChosenPace pace = choose_pace(view);
  limiter_.set_rate(pace.rate);
  if (news_.is_news(view, pace)) ctx_.warn(late_text(view, *pace.late_seconds));
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
