#include "cli/exit_code.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace drover::cli {
namespace {

constexpr std::size_t error_line_bytes_max = 2000;

// Most telling first: what a person has to decide, then what passes with time, then plain failure.
constexpr std::array precedence = {ExitCode::interrupted, ExitCode::data_safety, ExitCode::locked,           ExitCode::refused,
                                   ExitCode::usage,       ExitCode::rate_limited, ExitCode::platform_missing, ExitCode::network,
                                   ExitCode::failed};

}  // namespace

ExitCode exit_code(const Error& error) {
  switch (error.code()) {
    case ErrorCode::usage: return ExitCode::usage;
    case ErrorCode::network:
    case ErrorCode::authentication: return ExitCode::network;
    case ErrorCode::rate_limited: return ExitCode::rate_limited;
    case ErrorCode::locked: return ExitCode::locked;
    case ErrorCode::refused: return ExitCode::refused;
    case ErrorCode::data_safety: return ExitCode::data_safety;
    case ErrorCode::platform_missing: return ExitCode::platform_missing;
    case ErrorCode::interrupted: return ExitCode::interrupted;
    case ErrorCode::engine:
    case ErrorCode::io:
    case ErrorCode::no_space:
    case ErrorCode::digest_mismatch:
    case ErrorCode::size_mismatch:
    case ErrorCode::failed: return ExitCode::failed;
    case ErrorCode::invalid:
    case ErrorCode::not_found:
    case ErrorCode::unsupported: return error.http_status != 0 ? ExitCode::network : ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode exit_code(const std::vector<Error>& errors) {
  if (errors.empty()) return ExitCode::done;
  const auto rank = [](const Error& error) { return std::find(precedence.begin(), precedence.end(), exit_code(error)); };
  const auto first =
      std::min_element(errors.begin(), errors.end(), [&](const Error& a, const Error& b) { return rank(a) < rank(b); });
  return exit_code(*first);
}

std::string format_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text.data(), size);
}

std::string error_line(const Error& error, std::chrono::system_clock::time_point now) {
  std::string line = "drover: " + printable(error.what(), error_line_bytes_max);
  if (error.retry_at) {
    line += "; try again at " + format_time(*error.retry_at);
    if (*error.retry_at > now) line += " (in " + format_seconds(std::chrono::duration<double>(*error.retry_at - now).count()) + ")";
  }
  return line;
}

}  // namespace drover::cli
