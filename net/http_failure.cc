#include "net/http_failure.h"

namespace drover::net {

FailureKind classify_status(int status) {
  switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308: return FailureKind::redirect;
    case 401:
    case 407: return FailureKind::authentication;
    case 403: return FailureKind::forbidden;
    case 404:
    case 410: return FailureKind::missing;
    case 416: return FailureKind::range;
    case 429: return FailureKind::rate_limited;
    case 408:
    case 425:
    case 500:
    case 502:
    case 503:
    case 504: return FailureKind::transient;
    default: return status >= 100 && status < 300 ? FailureKind::none : FailureKind::permanent;
  }
}

bool is_transient_status(int status) {
  const FailureKind kind = classify_status(status);
  return kind == FailureKind::transient || kind == FailureKind::rate_limited;
}

}  // namespace drover::net
