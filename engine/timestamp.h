// Moments as the engine writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace drover::engine {

// Nanoseconds since 1970: what the engine tells, and what `since` and `until` take.
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

// RFC 3339 with up to nine digits of a second and any offset. Nothing for other text, for the engine's "never"
// ("0001-01-01T00:00:00Z") and for years that nanoseconds in 64 bits do not reach (before 1678, after 2261).
std::optional<Timestamp> parse_timestamp(std::string_view text);
// "1700000000.123456789", as the parameters `since` and `until` want it.
std::string to_seconds_text(Timestamp time);

}  // namespace drover::engine
