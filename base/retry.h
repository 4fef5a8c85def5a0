// How long to wait before trying again: a pure function of the attempt, the server's wish and one random number.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace drover {

struct RetryPolicy {
  int attempts_max = 8;                       // tries in all without progress in between
  std::chrono::milliseconds first{200};       // before the second try
  std::chrono::milliseconds longest{20'000};  // of our own delays
  std::chrono::milliseconds patience{300'000};  // a server that asks for more than this is reported, not waited for
};

// Delay before attempt number `attempt` (2 is the first retry), or nothing when it is time to give up: too many attempts, or the
// server asked for more than the policy's patience. Exponential with full jitter (`random` in [0, 1)); never shorter than
// `retry_after`, which is lengthened by up to 10 % so that a fleet does not come back in step.
std::optional<std::chrono::milliseconds> next_delay(const RetryPolicy& policy, int attempt,
                                                    std::optional<std::chrono::milliseconds> retry_after, double random);

// Retry-After (RFC 9110 section 10.2.3) as registries send it: seconds, a fraction of seconds, an HTTP date, or a duration with a
// unit as GHCR writes it ("880.092µs", "1m30s"). Nothing when it is none of them; a date in the past is zero.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, std::chrono::system_clock::time_point now);

// Uniform in [0, 1), seeded from the kernel. Thread-safe.
double random_unit();

}  // namespace drover
