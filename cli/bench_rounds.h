// The executor of benchmarks: tools in turn, round after round, in a folder that is gone afterwards.
#pragma once

#include "base/context.h"
#include "cli/bench_figures.h"
#include "cli/bench_tools.h"
#include "cli/settings.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace drover::cli {

inline constexpr std::size_t repeat_default = 3;

// Below TMPDIR, else /var/tmp, which is made for what is too large for memory. Nobody else can read it; the destructor removes it
// with everything inside.
class BenchFolder {
 public:
  explicit BenchFolder(const Environment& environment);
  ~BenchFolder();
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // An empty folder below it. What others have left to be written is on the disk by then, so that nobody pays for somebody else.
  std::filesystem::path renew(const std::string& name) const;
  void remove(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

// Wall-clock seconds of one round. A tool that is stopped is ended. Throws failed with the tool's last line, interrupted.
double run_tool(const Context& ctx, const FoundTool& tool, const ToolRun& run);

enum class RoundEnd {
  good,
  failed,  // of itself
  cut,     // the other side may not know that nobody waits any more
};

struct Contestant {
  std::string name;
  std::string note = {};
  // Before each round, outside of its time. What it throws ends the benchmark, with nothing to put back.
  std::function<void()> check = [] {};
  // One round, in seconds. What it throws makes the row a failure and ends its rounds, but for interrupted
  // and data_safety: that is somebody else's image, and nothing is put back.
  std::function<double(const Context&)> round;
  // Puts everything back after each round, also after one that failed or was interrupted. What it throws ends the benchmark.
  std::function<void(RoundEnd)> tidy = [](RoundEnd) {};
};

// Every contestant once a round. `bytes` is what a round moves, for the progress (phase "bench").
BenchTable run_rounds(const Context& ctx, const std::vector<Contestant>& contestants, std::size_t rounds, std::uint64_t bytes);

}  // namespace drover::cli
