#include "registry/pace.h"

#include "base/text.h"
#include "registry/failure.h"

#include <algorithm>

namespace drover::registry {

void Pace::wait(const Context& ctx, const std::string& origin) {
  for (;;) {
    std::chrono::milliseconds left{0};
    std::chrono::system_clock::time_point until;
    {
      const std::lock_guard lock(mutex_);
      const auto found = not_before_.find(origin);
      if (found == not_before_.end()) return;
      until = found->second;
      left = std::chrono::ceil<std::chrono::milliseconds>(until - ctx.clock->system_now());
      if (left.count() <= 0) {
        not_before_.erase(found);
        return;
      }
    }
    if (left > policy_.patience) {
      Error error(ErrorCode::rate_limited, printable(origin, 120) + " wants not to be asked before " + format_time(until));
      error.http_status = 429;
      error.retry_at = until;
      throw error;
    }
    ctx.clock->sleep_for(left, ctx.stop);
    ctx.check_stop();
  }
}

void Pace::note(const std::string& origin, const Error& refusal) {
  if (!refusal.retry_at) return;
  const std::lock_guard lock(mutex_);
  auto& until = not_before_[origin];
  until = std::max(until, *refusal.retry_at);
}

}  // namespace drover::registry
