// "Not before": what hosts said about when to ask again, kept for all threads.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "base/retry.h"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace drover::registry {

// Thread-safe. One 429 with Retry-After quiets every thread's requests to that server, not only the one that got it.
class Pace {
 public:
  explicit Pace(const RetryPolicy& policy) : policy_(policy) {}

  // `origin` as net::Url::origin() gives it. Waits until it may be asked. Throws rate_limited at once, with the time, when that is beyond the policy's patience.
  void wait(const Context& ctx, const std::string& origin);
  // Takes over Error::retry_at of a refusal.
  void note(const std::string& origin, const Error& refusal);

 private:
  const RetryPolicy policy_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::system_clock::time_point> not_before_;
};

}  // namespace drover::registry
