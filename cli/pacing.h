// --by: the limiter that all transfers of a run share, and who sets its rate.
#pragma once

#include "base/context.h"
#include "cli/session.h"
#include "registry/pacer.h"
#include "registry/pull.h"
#include "registry/rate_limiter.h"
#include "stack/forecast.h"

#include <optional>

namespace drover::cli {

// Without --by nothing but --limit-rate counts. Outlives the run.
class Pacing {
 public:
  explicit Pacing(const Session& session);
  Pacing(const Pacing&) = delete;
  Pacing& operator=(const Pacing&) = delete;

  // The session's; its progress is counted on the way.
  Context ctx() const { return ctx_; }
  void apply(registry::PullOptions& options);
  void expect(const stack::Forecast& forecast);

 private:
  Context ctx_;
  registry::RateLimiter limiter_;
  std::optional<registry::Pacer> pacer_;
  std::optional<registry::PacerThread> thread_;  // last: it ends before what it uses
};

}  // namespace drover::cli
