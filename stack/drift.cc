#include "stack/drift.h"

#include "base/text.h"

namespace drover::stack {

DriftReport look_for_drift(const Context& ctx, engine::Client& client, const compose::Project& project, const compose::ProjectState& state,
                           const compose::UpOptions& options) {
  return {.containers = compose::find_drift(project, state, options), .stale = find_stale_files(ctx, client, project, state)};
}

std::vector<std::string> to_lines(const DriftReport& report) {
  std::vector<std::string> lines;
  const auto head = [](const std::string& service, const std::string& container) { return "service " + service + ", container " + printable(container); };
  for (const compose::ContainerDrift& drift : report.containers)
    for (const compose::Difference& difference : drift.differences) lines.push_back(head(drift.service, drift.container) + " drifted: " + to_text(difference));
  for (const StaleFile& file : report.stale.files)
    lines.push_back(head(file.service, file.container) + " needs a " + (file.is_written ? "new container" : "restart") + ": " + printable(file.path) + ": " + file.why);
  lines.insert(lines.end(), report.stale.notes.begin(), report.stale.notes.end());
  return lines;
}

void plan_repair(const DriftReport& report, const RepairWishes& wishes, compose::UpOptions& options) {
  if (wishes.drift)
    for (const compose::ContainerDrift& drift : report.containers)
      options.recreate_causes.emplace(drift.service, "drifted: " + to_text(drift.differences.front()));
  if (!wishes.stale) return;
  for (const StaleFile& file : report.stale.files) {
    auto& causes = file.is_written ? options.recreate_causes : options.restart_causes;
    causes.emplace(file.service, printable(file.path) + ": " + file.why);
  }
}

}  // namespace drover::stack
