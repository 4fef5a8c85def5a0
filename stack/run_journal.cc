#include "stack/run_journal.h"

#include "base/error.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

namespace drover::stack {
namespace {

using Json = nlohmann::json;
using State = compose::StepOutcome::State;

constexpr int journal_version = 1;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string time_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) return "?";
  return text.data();
}

// One line a step, without its number.
std::vector<std::string> steps_of(const compose::Plan& plan) {
  std::vector<std::string> lines;
  for (const compose::Step& step : plan.steps) lines.push_back(printable(step.resource + ", " + std::string(compose::operation_of(step.action)), 300));
  return lines;
}

std::string to_line(const RunHeader& header) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(header.started.time_since_epoch()).count();
  return line_of({{"droverRun", journal_version}, {"project", header.project}, {"engine", header.engine}, {"started", seconds}, {"pid", header.pid}, {"steps", header.steps}});
}

RunHeader header_of_json(const Json& json) {
  return {.project = json.at("project").get<std::string>(),
          .engine = json.at("engine").get<std::string>(),
          .started = std::chrono::system_clock::time_point(std::chrono::seconds(json.at("started").get<std::int64_t>())),
          .pid = json.at("pid").get<std::int64_t>(),
          .steps = json.at("steps").get<std::vector<std::string>>()};
}

std::optional<State> state_of(std::string_view word) {
  for (const State state : {State::not_run, State::done, State::failed, State::warned}) {
    if (compose::to_string(state) == word) return state;
  }
  return std::nullopt;
}

void read_line(CutOffRun& run, const Json& json) {
  if (json.contains("begin")) {
    run.under_way.push_back(json.at("begin").get<int>());
  } else if (json.contains("end")) {
    const int step = json.at("end").get<int>();
    std::erase(run.under_way, step);
    if (const auto state = state_of(json.at("state").get<std::string>())) run.ended[step] = *state;
  } else if (json.contains("commit")) {
    run.is_committed = true;
  } else if (json.contains("rollback")) {
    run.is_rolling_back = true;
    run.under_way.clear();
    run.ended.clear();
    run.header.steps = json.at("rollback").get<std::vector<std::string>>();
  }
}

std::string step_text(const CutOffRun& run, int step) {
  const std::size_t place = static_cast<std::size_t>(step) - 1;
  return "#" + std::to_string(step) + (step > 0 && place < run.header.steps.size() ? " " + printable(run.header.steps[place], 300) : "");
}

}  // namespace

RunHeader header_of(const Context& ctx, const compose::Plan& plan, const std::string& engine) {
  return {.project = plan.project, .engine = engine, .started = ctx.clock->system_now(), .pid = ::getpid(), .steps = steps_of(plan)};
}

RunJournal::RunJournal(const Context& ctx, const StateFolder& state, const RunHeader& header)
    : ctx_(ctx), path_(state.run_journal_file(header.project, header.engine)),
      logs_(state.run_log_folder(header.project, header.engine)) {
  std::error_code ignored;  // what is left of them is written over by name, or lies there a run longer
  std::filesystem::remove_all(logs_, ignored);
  create_directories_durably(path_.parent_path());
  write_file_durably(path_, to_line(header), 0600);
  file_ = open_file(path_, O_WRONLY | O_APPEND);
}

void RunJournal::append(const std::string& line, bool is_durable) {
  const std::lock_guard lock(mutex_);
  if (has_failed_) return;
  try {
    write_all(file_.get(), as_bytes(line), path_.string());
    if (is_durable && ::fdatasync(file_.get()) != 0) throw io_error("cannot sync", path_.string());
  } catch (const Error& error) {
    has_failed_ = true;
    ctx_.warn(std::string("the run goes on without its journal: ") + error.what());
  }
}

void RunJournal::note_begin(int step) { append(line_of({{"begin", step}}), false); }

void RunJournal::note_end(const compose::StepOutcome& outcome) {
  Json json{{"end", outcome.id}, {"state", compose::to_string(outcome.state)}};
  if (!outcome.created_id.empty()) json["created"] = outcome.created_id;
  append(line_of(json), false);
}

void RunJournal::note_commit() { append(line_of({{"commit", true}}), true); }

void RunJournal::note_rollback(const compose::Plan& way_back) { append(line_of({{"rollback", steps_of(way_back)}}), true); }

// Unsynced: the way back waits for it.
std::optional<std::filesystem::path> RunJournal::keep_log(const std::string& container, std::string_view log) {
  const std::filesystem::path file = logs_ / (percent_encode(container) + ".log");
  try {
    if (::mkdir(logs_.c_str(), 0700) != 0 && errno != EEXIST) throw io_error("cannot create directory", logs_.string());
    const UniqueFd out = open_file(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    write_all(out.get(), as_bytes(log), file.string());
    return file;
  } catch (const Error& error) {
    ctx_.warn("the log of container " + container + " is not kept: " + error.what());
    return std::nullopt;
  }
}

void RunJournal::remove() {
  std::error_code failure;
  std::filesystem::remove(path_, failure);
  if (failure) ctx_.warn("cannot remove " + path_.string() + ": " + failure.message());
}

std::optional<CutOffRun> parse_run_journal(std::string_view bytes) {
  std::optional<CutOffRun> run;
  const std::size_t end = bytes.rfind('\n');
  if (end == std::string_view::npos) return run;
  for (const std::string_view line : split(bytes.substr(0, end), '\n')) {
    const Json json = Json::parse(line, nullptr, false);
    try {
      if (run) {
        if (json.is_object()) read_line(*run, json);
      } else {
        if (!json.is_object() || json.value("droverRun", 0) != journal_version) return std::nullopt;
        run = CutOffRun{.header = header_of_json(json)};
      }
    } catch (const Json::exception&) {
      if (!run) return std::nullopt;  // a damaged line says nothing
    }
  }
  return run;
}

std::optional<CutOffRun> find_cut_off_run(const StateFolder& state, const std::string& project, const std::string& engine) {
  const CutOffRun unknown{.header = {.project = project, .engine = engine}};
  try {
    const auto bytes = try_read_file(state.run_journal_file(project, engine), run_journal_bytes_max);
    if (!bytes) return std::nullopt;
    return parse_run_journal(*bytes).value_or(unknown);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::size_mismatch) return unknown;
    throw;
  }
}

std::string to_text(const CutOffRun& run) {
  std::string text = "an earlier run";
  if (run.header.started.time_since_epoch().count() != 0) text += " (" + time_text(run.header.started) + ")";
  text += run.is_rolling_back ? " was cut off on its way back" : " was cut off";
  const auto last = run.ended.empty() ? 0 : run.ended.rbegin()->first;
  if (!run.under_way.empty()) {
    text += " in " + step_text(run, *std::max_element(run.under_way.begin(), run.under_way.end()));
  } else if (last != 0) {
    text += " after " + step_text(run, last);
  }
  return text + "; going on from what the engine has";
}

}  // namespace drover::stack
