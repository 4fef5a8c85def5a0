#include "registry/signed_url.h"

#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>

namespace drover::registry {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

// No signature lives longer than a week (AWS's and Google's own limit is 7 days); a century guards the arithmetic.
constexpr std::uint64_t seconds_max = 100ULL * 366 * 86400;

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto byte = parse_hex(to_lower(text.substr(i + 1, 2)))) {
        decoded += static_cast<char>(byte->front());
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

// The first value of that name, whatever its case.
std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  for (const std::string_view pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(pair.substr(0, equals), name)) continue;
    return percent_decode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<system_clock::time_point> parse_time(const std::string& text, const char* format) {
  std::tm parts{};
  const char* const end = strptime(text.c_str(), format, &parts);
  if (end == nullptr) return std::nullopt;
  const std::string_view rest(end);
  if (!rest.empty() && rest != "Z" && !(rest.starts_with('.') && rest.ends_with('Z'))) return std::nullopt;
  return system_clock::from_time_t(timegm(&parts));
}

std::optional<system_clock::time_point> signed_for(std::string_view query, std::string_view date_name, std::string_view life_name) {
  const auto date = find_parameter(query, date_name);
  const auto life = find_parameter(query, life_name);
  if (!date || !life) return std::nullopt;
  const auto start = parse_time(*date, "%Y%m%dT%H%M%S");
  const auto lasting = parse_uint(*life);
  if (!start || !lasting || *lasting > seconds_max) return std::nullopt;
  return *start + seconds(*lasting);
}

std::optional<system_clock::time_point> unix_time(std::string_view query, std::string_view name) {
  const auto text = find_parameter(query, name);
  const auto number = text ? parse_uint(*text) : std::nullopt;
  if (!number || *number > seconds_max) return std::nullopt;
  return system_clock::time_point(seconds(*number));
}

std::optional<system_clock::time_point> azure_time(std::string_view query) {
  const auto text = find_parameter(query, "se");
  if (!text) return std::nullopt;
  for (const char* const format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    if (const auto time = parse_time(*text, format)) return time;
  }
  return std::nullopt;
}

}  // namespace

std::optional<system_clock::time_point> parse_signed_url_expiry(std::string_view url) {
  const std::size_t question = url.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  const std::string_view query = url.substr(question + 1);
  if (const auto time = signed_for(query, "X-Amz-Date", "X-Amz-Expires")) return time;
  if (const auto time = signed_for(query, "X-Goog-Date", "X-Goog-Expires")) return time;
  if (const auto time = unix_time(query, "Expires")) return time;
  if (const auto time = azure_time(query)) return time;
  return unix_time(query, "exp");
}

}  // namespace drover::registry
