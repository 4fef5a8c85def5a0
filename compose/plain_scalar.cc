// What an unquoted scalar means. go-yaml is the model: YAML 1.2 core words, Go's integer prefixes, underscores as digit separators.
#include "base/text.h"
#include "compose/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace drover::compose {
namespace {

struct Word {
  std::string_view text;
  Node::Kind kind;
  std::string_view value;
};

constexpr Word words[] = {
    {"", Node::Kind::null, ""},
    {"~", Node::Kind::null, ""},
    {"null", Node::Kind::null, ""},
    {"Null", Node::Kind::null, ""},
    {"NULL", Node::Kind::null, ""},
    {"true", Node::Kind::boolean, "true"},
    {"True", Node::Kind::boolean, "true"},
    {"TRUE", Node::Kind::boolean, "true"},
    {"false", Node::Kind::boolean, "false"},
    {"False", Node::Kind::boolean, "false"},
    {"FALSE", Node::Kind::boolean, "false"},
    {".nan", Node::Kind::number, "NaN"},
    {".NaN", Node::Kind::number, "NaN"},
    {".NAN", Node::Kind::number, "NaN"},
    {".inf", Node::Kind::number, "+Inf"},
    {".Inf", Node::Kind::number, "+Inf"},
    {".INF", Node::Kind::number, "+Inf"},
    {"+.inf", Node::Kind::number, "+Inf"},
    {"+.Inf", Node::Kind::number, "+Inf"},
    {"+.INF", Node::Kind::number, "+Inf"},
    {"-.inf", Node::Kind::number, "-Inf"},
    {"-.Inf", Node::Kind::number, "-Inf"},
    {"-.INF", Node::Kind::number, "-Inf"},
};

// Go's strconv.ParseInt and ParseUint with base 0: 0x, 0o, 0b and a leading 0 for octal.
std::optional<std::string> try_integer(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const bool is_signed = is_negative || text.starts_with('+');
  if (is_signed) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char prefix = text[1] >= 'A' && text[1] <= 'Z' ? static_cast<char>(text[1] - 'A' + 'a') : text[1];
    base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : 8;
    text.remove_prefix(prefix == 'x' || prefix == 'b' || prefix == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t int64_limit = std::uint64_t{1} << 63;
  if (is_negative && value > int64_limit) return std::nullopt;
  if (is_signed && !is_negative && value >= int64_limit) return std::nullopt;  // ParseUint takes no sign
  return (is_negative && value != 0 ? "-" : "") + std::to_string(value);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float_form(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const std::size_t whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// Go's %v of a float64: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e6 on.
std::string format_go_float(double value) {
  std::array<char, 64> buffer;
  const auto shortest = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(shortest.ptr - buffer.data()));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const std::size_t digits_start = e + (scientific[e + 1] == '+' ? 2 : 1);
  std::from_chars(scientific.data() + digits_start, scientific.data() + scientific.size(), exponent);
  if (value != 0 && (exponent < -4 || exponent >= 6)) return std::string(scientific);
  std::array<char, 64> fixed;
  const auto end = std::to_chars(fixed.data(), fixed.data() + fixed.size(), value, std::chars_format::fixed);
  return std::string(fixed.data(), end.ptr);
}

std::optional<std::string> try_float(std::string_view text) {
  if (!is_float_form(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return format_go_float(value);
}

bool are_digits(std::string_view text, std::size_t length_min, std::size_t length_max) {
  return text.size() >= length_min && text.size() <= length_max && std::all_of(text.begin(), text.end(), is_digit);
}

// YYYY-M-D alone or followed by T, t or a space and a time: what go-yaml takes for a timestamp.
bool is_timestamp(std::string_view text) {
  if (text.size() < 8 || !are_digits(text.substr(0, 4), 4, 4) || text[4] != '-') return false;
  const std::size_t second = text.find('-', 5);
  if (second == std::string_view::npos || !are_digits(text.substr(5, second - 5), 1, 2)) return false;
  std::string_view rest = text.substr(second + 1);
  const std::size_t day_length = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const auto day = parse_uint(rest.substr(0, day_length));
  const auto month = parse_uint(text.substr(5, second - 5));
  if (day_length < 1 || day_length > 2 || !day || *day < 1 || *day > 31 || !month || *month < 1 || *month > 12) return false;
  rest.remove_prefix(day_length);
  if (rest.empty()) return true;
  if (rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ') return false;
  const std::vector<std::string_view> fields = split(rest.substr(1), ':');
  return fields.size() >= 3 && are_digits(fields[0], 1, 2) && are_digits(fields[1], 1, 2) && !fields[2].empty() && is_digit(fields[2][0]);
}

}  // namespace

PlainScalar resolve_plain_scalar(std::string_view text) {
  for (const Word& word : words)
    if (word.text == text) return {word.kind, std::string(word.value)};
  const char first = text.front();
  if (!is_digit(first) && first != '+' && first != '-' && first != '.') return {Node::Kind::string, std::string(text)};
  if (is_timestamp(text)) return {Node::Kind::timestamp, std::string(text)};
  if (first == '.') {
    if (auto value = try_float(text)) return {Node::Kind::number, std::move(*value)};
    return {Node::Kind::string, std::string(text)};
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (auto value = try_integer(plain)) return {Node::Kind::integer, std::move(*value)};
  if (auto value = try_float(plain)) return {Node::Kind::number, std::move(*value)};
  return {Node::Kind::string, std::string(text)};
}

}  // namespace drover::compose
