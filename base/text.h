// Small text work: trimming, splitting, numbers, hex, base64, sizes for people, and text that is safe to show on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }

// ASCII only; locale plays no part in any of these.
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
constexpr bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// Plain decimal digits and nothing else; nothing on overflow, sign, space or emptiness.
std::optional<std::uint64_t> parse_uint(std::string_view text);
// Digits with an optional fraction ("1.5"); no sign, no exponent.
std::optional<double> parse_decimal(std::string_view text);
// A size in bytes: digits with an optional fraction and k, m, g, t (times 1024), with or without a trailing "b" or "ib"; any case.
std::optional<std::uint64_t> parse_size(std::string_view text);

std::string to_hex(std::span<const std::byte> bytes);
// Lower-case hex only; nothing on any other character or an odd length.
std::optional<std::vector<std::byte>> parse_hex(std::string_view text);

enum class Base64 { standard, url };
// With padding, as Docker's X-Registry-Auth wants it (RFC 4648 sections 4 and 5).
std::string encode_base64(std::string_view bytes, Base64 alphabet);
// Accepts either alphabet, padding optional; nothing on any other character.
std::optional<std::string> decode_base64(std::string_view text);

// RFC 3986 percent-encoding of everything but unreserved characters.
std::string percent_encode(std::string_view text);

// "329.4 MB", decimal units, as docker prints.
std::string format_bytes(std::uint64_t bytes);
// "1.2s", "3m05s".
std::string format_seconds(double seconds);

// Control characters and broken UTF-8 replaced, cut at `bytes_max`: for text that came from outside and goes to a terminal or a message.
std::string printable(std::string_view text, std::size_t bytes_max = 400);

// The candidate nearest to `word` by edit distance, if near enough to be a slip of the finger.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace drover
