#include "cli/finish_plan.h"

#include "base/text.h"
#include "registry/pacer.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

// The pace that the run itself would begin with; what cannot be done in that time is said, as the run would say it.
void add_pace(Session& session, std::uint64_t bytes, std::chrono::system_clock::time_point by, Json& plan, std::string& text) {
  const registry::PaceView view =
      registry::view_at_begin(bytes, by - session.ctx().clock->system_now(), session.settings().rate_bytes_per_second);
  const registry::ChosenPace pace = registry::choose_pace(view);
  plan["pace"] = {{"by", format_time(by)}, {"bytesPerSecond", pace.rate}};
  text += "to be done by " + format_time(by) + ": " + (pace.rate == 0 ? "as fast as it comes" : format_bytes(pace.rate) + "/s") + "\n";
  if (pace.late_seconds) session.ctx().warn(registry::late_text(view, *pace.late_seconds));
}

}  // namespace

ExitCode finish_plan(Session& session, const stack::Forecast& forecast, Json document) {
  document["plan"] = plan_json(forecast);
  std::string text = stack::to_text(forecast);
  if (const auto by = session.settings().by) add_pace(session, forecast.pull.bytes_missing, *by, document["plan"], text);
  session.output().set_document(document);
  session.output().write_text(text);
  try {
    stack::require_space(forecast, session.settings().min_free);
    if (const auto warning = stack::space_warning(forecast)) session.ctx().warn(*warning);
  } catch (const Error& error) {
    return session.finish({error});
  }
  return ExitCode::done;
}

}  // namespace drover::cli
