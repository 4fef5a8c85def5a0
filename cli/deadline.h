// Durations and points in time as a user types them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace drover::cli {

// Of --by and --min-age: no file is older, and nobody plans further ahead.
inline constexpr std::chrono::hours duration_max{24 * 100'000};

// "90m", "1h30m", "7d": whole numbers, each with one of s, m, h, d. Nothing for anything else and beyond duration_max.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// "06:00" and "06:00:30": the next such moment by the machine's own time zone (TZ), tomorrow if it is over for today, daylight saving taken
// into account. "90m": from now. "2026-01-31T06:00:00+01:00": RFC 3339, with an offset or Z. Nothing for anything else,
// nor for what std::chrono::system_clock cannot count: after the year 2261.
std::optional<std::chrono::system_clock::time_point> parse_deadline(std::string_view text, std::chrono::system_clock::time_point now);

// Of --since and --until, as docker takes them: "10m" ago, RFC 3339, the same without an offset by the machine's own time zone and as short
// as "2026-01-31", seconds since 1970 with or without a fraction. Nothing for anything else.
std::optional<std::chrono::system_clock::time_point> parse_past_moment(std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace drover::cli
