#include "cli/finish_plan.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

// Bytes a second that the deadline asks for; a moment that is over asks for all at once.
std::uint64_t needed_rate(std::uint64_t bytes, std::chrono::system_clock::time_point by, std::chrono::system_clock::time_point now) {
  const double seconds = std::max(1.0, std::chrono::duration<double>(by - now).count());
  return static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
}

}  // namespace

ExitCode finish_plan(Session& session, const stack::Forecast& forecast, Json document) {
  document["plan"] = plan_json(forecast);
  std::string text = stack::to_text(forecast);
  if (const auto by = session.settings().by) {
    const std::uint64_t rate = needed_rate(forecast.pull.bytes_missing, *by, session.ctx().clock->system_now());
    document["plan"]["pace"] = {{"by", format_time(*by)}, {"bytesPerSecond", rate}};
    text += "to be done by " + format_time(*by) + ": " + format_bytes(rate) + "/s\n";
  }
  session.output().set_document(document);
  session.output().write_text(text);
  try {
    stack::require_space(forecast, session.settings().min_free);
  } catch (const Error& error) {
    return session.finish({error});
  }
  return ExitCode::done;
}

}  // namespace drover::cli
