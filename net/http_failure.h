// What an HTTP status means for the caller's next step. Pure; retry delays are base/retry.h's.
#pragma once

namespace drover::net {

enum class FailureKind {
  none,            // 1xx and 2xx
  redirect,        // 301, 302, 303, 307, 308: look at Location
  authentication,  // 401 and 407: a challenge comes with it
  forbidden,       // 403: known and not allowed, or an expired signed URL
  missing,         // 404, 410
  range,           // 416: the range lies outside of what there is
  rate_limited,    // 429: wait for Retry-After, then again
  transient,       // 408, 425, 500, 502, 503, 504: worth trying again
  permanent,       // every other: asking again gives the same
};

FailureKind classify_status(int status);

// 408, 425, 429, 500, 502, 503, 504.
bool is_transient_status(int status);

}  // namespace drover::net
