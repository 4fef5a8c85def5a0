#include "base/retry.h"

#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <string>

namespace drover {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view suffix;
  double seconds;
};

// Longest suffixes first, so that "ms" is not read as "m".
constexpr Unit units[] = {{"ns", 1e-9}, {"us", 1e-6},  {"\xc2\xb5s", 1e-6}, {"\xce\xbcs", 1e-6}, {"ms", 1e-3},
                          {"h", 3600.0}, {"m", 60.0}, {"s", 1.0}};

constexpr double longest_seconds = 10.0 * 365 * 86400;  // ten years; beyond it a number is noise

std::optional<double> parse_go_duration(std::string_view text) {
  double total = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && (is_digit(text[digits]) || text[digits] == '.')) ++digits;
    const std::optional<double> number = parse_decimal(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    const Unit* const unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& u) { return text.starts_with(u.suffix); });
    if (unit == std::end(units)) return std::nullopt;
    total += *number * unit->seconds;
    text.remove_prefix(unit->suffix.size());
  }
  return total;
}

std::optional<double> parse_http_date(std::string_view text, std::chrono::system_clock::time_point now) {
  for (const char* const format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const std::string copy(text);
    const char* const end = strptime(copy.c_str(), format, &parts);
    if (end == nullptr || *end != '\0') continue;
    return std::max(0.0, std::difftime(timegm(&parts), std::chrono::system_clock::to_time_t(now)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> next_delay(const RetryPolicy& policy, int attempt, std::optional<milliseconds> retry_after, double random) {
  if (attempt > policy.attempts_max) return std::nullopt;
  if (retry_after && *retry_after > policy.patience) return std::nullopt;
  const double cap = std::min(static_cast<double>(policy.longest.count()),
                              static_cast<double>(policy.first.count()) * std::pow(2.0, std::max(0, attempt - 2)));
  const auto own = milliseconds(static_cast<std::int64_t>(cap * (0.5 + 0.5 * random)));
  if (!retry_after) return own;
  const auto asked = milliseconds(static_cast<std::int64_t>(static_cast<double>(retry_after->count()) * (1.0 + 0.1 * random)) + 1);
  return std::max(own, asked);
}

std::optional<milliseconds> parse_retry_after(std::string_view text, std::chrono::system_clock::time_point now) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  std::optional<double> seconds = parse_decimal(text);
  if (!seconds) seconds = parse_go_duration(text);
  if (!seconds) seconds = parse_http_date(text, now);
  if (!seconds) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(*seconds, longest_seconds) * 1000)));
}

double random_unit() {
  std::uint32_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) bits = 0x80000000U;
  return static_cast<double>(bits) / 4294967296.0;
}

}  // namespace drover
