// What a run of `drover up` was about to do and has done, on disk while it goes on (docs/formats.md, "The state folder"): so that the next
// run can say that one was cut off, and where. What is to be done then is decided from what the engine has, never from this.
#pragma once

#include "base/context.h"
#include "base/file.h"
#include "compose/plan.h"
#include "stack/state_folder.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

inline constexpr std::uint64_t run_journal_bytes_max = 16U << 20U;  // a plan of 10,000 steps is some MiB

struct RunHeader {
  std::string project;
  std::string engine;                                 // its endpoint: "unix:///var/run/docker.sock"
  std::chrono::system_clock::time_point started = {};
  std::int64_t pid = 0;
  std::vector<std::string> steps = {};                // a line each, the first is #1
};

// A header for that plan, now.
RunHeader header_of(const Context& ctx, const compose::Plan& plan, const std::string& engine);

// Thread-safe. A disk that fails is warned of once and costs the run nothing else: it decides nothing.
class RunJournal {
 public:
  // Written durably, in place of what an earlier run left, logs included. Throws io, no_space.
  RunJournal(const Context& ctx, const StateFolder& state, const RunHeader& header);

  void note_begin(int step);
  void note_end(const compose::StepOutcome& outcome);
  void note_commit();                                 // durable when it returns
  void note_rollback(const compose::Plan& way_back);  // likewise; steps are those of the way back from then on
  // Beside the journal, until the next run that changes something: the end of the log of a container that failed, and is removed on the way
  // back. Where it is; nothing when it could not be written, which is warned of.
  std::optional<std::filesystem::path> keep_log(const std::string& container, std::string_view log);
  // The run is over, and nothing is left to be said of it but logs.
  void remove();

 private:
  void append(const std::string& line, bool is_durable);

  const Context ctx_;
  const std::filesystem::path path_;
  const std::filesystem::path logs_;
  UniqueFd file_;
  std::mutex mutex_;
  bool has_failed_ = false;
};

// A run that was cut off.
struct CutOffRun {
  RunHeader header;
  std::map<int, compose::StepOutcome::State> ended = {};  // by step
  std::vector<int> under_way = {};                        // begun, and not ended
  bool is_committed = false;
  bool is_rolling_back = false;                           // the steps are those of the way back
};

// Nothing when the last run came to its end. The caller holds StateFolder::lock_for_run, so whoever wrote it is gone. A journal that cannot
// be read, for damage or a newer format, is a run of which nothing is known.
std::optional<CutOffRun> find_cut_off_run(const StateFolder& state, const std::string& project, const std::string& engine);
// "an earlier run (2026-11-26T18:00:00Z) was cut off in #7 container web-1, stop; going on from what the engine has"
std::string to_text(const CutOffRun& run);

// Pure. Nothing for bytes that are no journal; a last line that was cut is passed over.
std::optional<CutOffRun> parse_run_journal(std::string_view bytes);

}  // namespace drover::stack
