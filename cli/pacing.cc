#include "cli/pacing.h"

namespace drover::cli {

Pacing::Pacing(const Session& session) : ctx_(session.ctx()), limiter_(session.settings().rate_bytes_per_second) {
  if (!session.settings().by) return;
  pacer_.emplace(session.ctx(), *session.settings().by, session.settings().rate_bytes_per_second, limiter_);
  thread_.emplace(*pacer_);
  ctx_.progress = &*pacer_;
}

void Pacing::apply(registry::PullOptions& options) {
  if (pacer_) options.limiter = &limiter_;
}

void Pacing::expect(const stack::Forecast& forecast) {
  if (pacer_) pacer_->expect(forecast.pull.bytes_missing);
}

}  // namespace drover::cli
