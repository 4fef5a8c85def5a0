// Registries' refusals as drover's errors. Pure.
#pragma once

#include "base/error.h"
#include "net/transport.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace drover::registry {

// What is kept of a refusal's body: enough for its words, little enough for a flood of them.
inline constexpr std::uint64_t error_body_bytes_max = 64 * 1024;

// The words of a refusal: OCI distribution-spec v1.1 error codes ("MANIFEST_UNKNOWN: manifest unknown"), a token server's "details", or the
// <Code> of an object store's XML. Never more of the XML: S3 repeats the signed request there. Printable, cut; empty when there are none.
std::string explain_refusal(std::string_view body);

// For an answer that is not what was asked for. `host` answered; `registry` is where a login would be made. 404 is not_found, 401 and 403
// are authentication, 429 is rate_limited, 408 and 5xx are network (worth another try), anything else is failed. Retry-After is in
// Error::retry_at for 429 and 503.
Error refusal(const net::ResponseHead& head, std::string_view body, std::string_view host, std::string_view registry,
              std::chrono::system_clock::time_point now);

// Whether another try of the same may succeed.
bool is_worth_retrying(const Error& error);

// "2026-01-31T08:00:00Z".
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace drover::registry
