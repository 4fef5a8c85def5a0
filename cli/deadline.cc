#include "cli/deadline.h"

#include "base/text.h"
#include "engine/timestamp.h"

#include <ctime>
#include <string>

namespace drover::cli {
namespace {

using std::chrono::system_clock;

// Exactly `digits` of them at `at`, not above `max`.
std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits, int max) {
  if (text.size() < at + digits) return std::nullopt;
  const auto number = parse_uint(text.substr(at, digits));
  return number && *number <= static_cast<std::uint64_t>(max) ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

bool is_at(std::string_view text, std::size_t at, std::string_view any_of) {
  return at < text.size() && any_of.find(text[at]) != std::string_view::npos;
}

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::size_t length = 0;  // of its text
};

// "HH:MM" or "HH:MM:SS" at the text's begin.
std::optional<TimeOfDay> parse_time(std::string_view text) {
  const auto hour = number_at(text, 0, 2, 23);
  const auto minute = number_at(text, 3, 2, 59);
  if (!hour || !minute || !is_at(text, 2, ":")) return std::nullopt;
  TimeOfDay time{.hour = *hour, .minute = *minute, .second = 0, .length = 5};
  if (!is_at(text, 5, ":")) return time;
  const auto second = number_at(text, 6, 2, 60);  // a leap second
  if (!second) return std::nullopt;
  time.second = *second;
  time.length = 8;
  return time;
}

system_clock::time_point next_local(const TimeOfDay& time, system_clock::time_point now) {
  const std::time_t seconds = system_clock::to_time_t(now);
  std::tm today{};
  ::localtime_r(&seconds, &today);
  system_clock::time_point found = now;
  for (int days = 0; days <= 2 && found <= now; ++days) {
    std::tm moment = today;
    moment.tm_mday += days;
    moment.tm_hour = time.hour;
    moment.tm_min = time.minute;
    moment.tm_sec = time.second;
    moment.tm_isdst = -1;  // whatever holds on that day
    found = system_clock::from_time_t(std::mktime(&moment));
  }
  return found;
}

// The clock counts nanoseconds, to the year 2262.
std::optional<system_clock::time_point> to_time_point(std::chrono::seconds since_epoch) {
  constexpr auto first = std::chrono::ceil<std::chrono::seconds>(system_clock::time_point::min().time_since_epoch());
  constexpr auto last = std::chrono::floor<std::chrono::seconds>(system_clock::time_point::max().time_since_epoch());
  if (since_epoch < first || since_epoch > last) return std::nullopt;
  return system_clock::time_point(since_epoch);
}

// What of the text behind date and time is an offset: "Z", "+01:00".
std::optional<std::chrono::seconds> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::seconds(0);
  if (text.size() != 6 || !is_at(text, 0, "+-") || !is_at(text, 3, ":")) return std::nullopt;
  const auto hours = number_at(text, 1, 2, 23);
  const auto minutes = number_at(text, 4, 2, 59);
  if (!hours || !minutes) return std::nullopt;
  const std::chrono::seconds offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text[0] == '-' ? -offset : offset;
}

int days_of(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : days[month - 1];
}

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) {
  const auto year = number_at(text, 0, 4, 9999);
  const auto month = number_at(text, 5, 2, 12);
  const auto day = number_at(text, 8, 2, 31);
  if (!year || !month || !day || !is_at(text, 4, "-") || !is_at(text, 7, "-") || !is_at(text, 10, "Tt ")) return std::nullopt;
  if (*month == 0 || *day == 0 || *day > days_of(*year, *month)) return std::nullopt;
  const std::optional<TimeOfDay> time = parse_time(text.substr(11));
  if (!time || time->length != 8) return std::nullopt;
  std::string_view rest = text.substr(11 + time->length);
  if (rest.starts_with('.')) {  // nobody means a fraction of a second
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(end);
  }
  const std::optional<std::chrono::seconds> offset = parse_offset(rest);
  if (!offset) return std::nullopt;
  std::tm moment{};
  moment.tm_year = *year - 1900;
  moment.tm_mon = *month - 1;
  moment.tm_mday = *day;
  moment.tm_hour = time->hour;
  moment.tm_min = time->minute;
  moment.tm_sec = time->second;
  return to_time_point(std::chrono::seconds(::timegm(&moment)) - *offset);
}

// What stands on a clock of this machine's time zone, from the same figures read as UTC.
system_clock::time_point as_local(engine::Timestamp figures) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(figures);
  const std::time_t seconds = whole.time_since_epoch().count();
  std::tm moment{};
  ::gmtime_r(&seconds, &moment);
  moment.tm_isdst = -1;
  return system_clock::from_time_t(std::mktime(&moment)) + (figures - whole);
}

std::optional<system_clock::time_point> parse_local(std::string_view text) {
  constexpr std::string_view whole = "0000-01-01T00:00:00";
  for (const std::size_t length : {std::size_t{10}, std::size_t{13}, std::size_t{16}}) {  // a date, with hours, with minutes
    if (text.size() != length) continue;
    const auto figures = engine::parse_timestamp(std::string(text) + std::string(whole.substr(length)) + "Z");
    return figures ? std::optional(as_local(*figures)) : std::nullopt;
  }
  const auto figures = engine::parse_timestamp(std::string(text) + "Z");
  return figures ? std::optional(as_local(*figures)) : std::nullopt;
}

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::string_view units = "smhd";
  constexpr std::uint64_t seconds_of[] = {1, 60, 3600, 86400};
  constexpr auto seconds_max = static_cast<std::uint64_t>(std::chrono::seconds(duration_max).count());
  std::uint64_t seconds = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t end = text.find_first_not_of("0123456789");
    const auto count = parse_uint(text.substr(0, end));
    const std::size_t unit = end == std::string_view::npos ? end : units.find(text[end]);
    if (!count || unit == std::string_view::npos || *count > seconds_max) return std::nullopt;
    seconds += *count * seconds_of[unit];
    if (seconds > seconds_max) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  return std::chrono::seconds(seconds);
}

std::optional<system_clock::time_point> parse_deadline(std::string_view text, system_clock::time_point now) {
  if (const auto duration = parse_duration(text)) {
    return *duration < system_clock::time_point::max() - now ? std::optional(now + *duration) : std::nullopt;
  }
  if (const auto time = parse_time(text); time && time->length == text.size()) return next_local(*time, now);
  return parse_rfc3339(text);
}

std::optional<system_clock::time_point> parse_past_moment(std::string_view text, system_clock::time_point now) {
  if (const auto duration = parse_duration(text)) return *duration < now.time_since_epoch() ? std::optional(now - *duration) : std::nullopt;
  if (const auto moment = engine::parse_timestamp(text)) return *moment;
  if (const auto seconds = parse_decimal(text)) {
    constexpr double last = 9'000'000'000;  // in the year 2255: nanoseconds end in 2262
    if (*seconds > last) return std::nullopt;
    return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(*seconds)));
  }
  return parse_local(text);
}

}  // namespace drover::cli
