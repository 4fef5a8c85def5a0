#include "compose/quantity.h"

#include "base/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace drover::compose {
namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr DurationUnit duration_units[] = {
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},  // micro sign
    {"\xCE\xBCs", 1'000},  // Greek mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
    {"w", 604'800'000'000'000},
};

// Digits after the point as a fraction of 1.
struct Fraction {
  double value = 0;
  bool has_digits = false;
};

Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  double scale = 1;
  while (!text.empty() && is_digit(text[0])) {
    scale /= 10;
    fraction.value += scale * (text[0] - '0');
    fraction.has_digits = true;
    text.remove_prefix(1);
  }
  return fraction;
}

// One "1.5h" of a duration, in nanoseconds.
std::optional<std::int64_t> take_duration_part(std::string_view& text) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  const bool has_whole = error == std::errc() && is_digit(text[0]);
  if (!has_whole && text[0] != '.') return std::nullopt;
  if (has_whole) text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  Fraction fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_fraction(text);
  }
  if (!has_whole && !fraction.has_digits) return std::nullopt;
  const std::string_view name = text.substr(0, text.find_first_of(".0123456789"));
  for (const DurationUnit& unit : duration_units) {
    if (unit.name != name) continue;
    text.remove_prefix(name.size());
    if (whole > int64_max / unit.nanoseconds) return std::nullopt;
    const std::int64_t value = whole * unit.nanoseconds;
    const auto part = static_cast<std::int64_t>(std::round(fraction.value * static_cast<double>(unit.nanoseconds)));
    return value > int64_max - part ? std::nullopt : std::optional(value + part);
  }
  return std::nullopt;
}

// "1.5" of 1'500'000'000 / 1'000'000'000, without zeros at the end.
std::string with_fraction(std::uint64_t value, std::uint64_t unit) {
  std::string text = std::to_string(value / unit);
  std::string digits = std::to_string(unit + value % unit).substr(1);
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  return digits.empty() ? text : text + "." + digits;
}

}  // namespace

std::optional<std::int64_t> parse_byte_count(std::string_view text) {
  const std::size_t last = text.find_last_of("01234567890. ");
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(0, text[last] == ' ' ? last : last + 1);
  const std::string suffix = to_lower(text.substr(last + 1));
  const auto number = parse_number(digits);
  if (!number || *number < 0) return std::nullopt;
  double scale = 1;
  if (!suffix.empty() && suffix != "b") {
    constexpr std::string_view letters = "kmgtp";
    const std::size_t power = letters.find(suffix[0]);
    const std::string_view rest = std::string_view(suffix).substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
    scale = std::pow(1024.0, static_cast<double>(power + 1));
  }
  const double bytes = *number * scale;
  if (!(bytes < 9.2e18)) return std::nullopt;  // above what 63 bits hold
  return static_cast<std::int64_t>(bytes);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t sum = 0;
  while (!text.empty()) {
    const auto part = take_duration_part(text);
    if (!part || sum > int64_max - *part) return std::nullopt;
    sum += *part;
  }
  return std::chrono::nanoseconds(is_negative ? -sum : sum);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  const std::uint64_t value = count < 0 ? ~static_cast<std::uint64_t>(count) + 1 : static_cast<std::uint64_t>(count);
  const std::string sign = count < 0 ? "-" : "";
  constexpr std::uint64_t second = 1'000'000'000;
  if (value == 0) return "0s";
  if (value < 1'000) return sign + std::to_string(value) + "ns";
  if (value < 1'000'000) return sign + with_fraction(value, 1'000) + "\xC2\xB5s";
  if (value < second) return sign + with_fraction(value, 1'000'000) + "ms";
  const std::uint64_t minutes = value / (60 * second);
  std::string text = with_fraction(value % (60 * second), second) + "s";
  if (minutes > 0) text = std::to_string(minutes % 60) + "m" + text;
  if (minutes >= 60) text = std::to_string(minutes / 60) + "h" + text;
  return sign + text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true" || word == "y" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "n" || word == "no" || word == "off") return false;
  return std::nullopt;
}

std::string format_float(double value) {
  std::array<char, 400> buffer;
  const auto print = [&](auto number, std::chars_format format) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
    return std::string(buffer.data(), end.ptr);
  };
  // A value that a float32 holds exactly came from one: its shortest form is that of a float32.
  const auto narrow = static_cast<float>(value);
  const bool is_narrow = static_cast<double>(narrow) == value;
  const double size = std::fabs(value);
  const bool has_exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  const std::chars_format format = has_exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string text = is_narrow ? print(narrow, format) : print(value, format);
  const std::size_t exponent = text.find("e-0");
  if (exponent != std::string::npos) text.erase(exponent + 2, 1);  // 1e-09 is 1e-9
  return text;
}

}  // namespace drover::compose
