// Sizes, durations and numbers as compose files write them, read and printed the way docker compose (Go) does.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::compose {

// "1.5g", "512 MiB", "42": a number and a unit of b, k, m, g, t, p (powers of 1024, "b" or "ib" after it allowed). Nothing
// otherwise.
std::optional<std::int64_t> parse_byte_count(std::string_view text);

// "1h30m", "1.5s", "2d", "1w": Go's duration with days and weeks. Nothing when broken or without unit (but "0" is one).
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// "1m30s", "1.5s", "36h0m0s", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

// Decimal digits with an optional sign, within 64 bits (strconv.ParseInt).
std::optional<std::int64_t> parse_integer(std::string_view text);
// A decimal number with an optional sign, fraction and exponent (strconv.ParseFloat, without its hexadecimal form).
std::optional<double> parse_number(std::string_view text);
// true, false and the words of YAML 1.1: y, yes, on, n, no, off; any case.
std::optional<bool> parse_boolean(std::string_view text);

// As encoding/json prints a float32: the shortest digits that read back the same, an exponent below 1e-6 and from 1e21 on.
std::string format_float(double value);

}  // namespace drover::compose
