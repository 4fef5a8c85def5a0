#include "cli/bench_rounds.h"

#include "base/child_process.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "net/url.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <system_error>

namespace drover::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_for_stop{50};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A URL in a tool's words may be a signed one.
std::string with_urls_redacted(std::string text) {
  for (std::size_t at = text.find("http"); at != std::string::npos; at = text.find("http", at)) {
    const std::string word = text.substr(at, text.find_first_of(" \"'<>,", at) - at);
    std::string shown = word;
    if (word.find("://") != std::string::npos) {
      try {
        shown = net::Url::parse(word).redacted();
      } catch (const Error&) {
        shown = "(a URL)";
      }
    }
    text.replace(at, word.size(), shown);
    at += shown.size();
  }
  return text;
}

std::string last_line(const std::string& text) {
  std::string_view last;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) last = trim(line);
  }
  return printable(with_urls_redacted(std::string(last)));
}

void wait_for_end(const Context& ctx, const FoundTool& tool, const ChildProcess& process) {
  std::optional<int> code;
  while (!(code = process.wait_for(look_for_stop))) ctx.check_stop();
  if (*code == 0) return;
  const std::string words = last_line(process.error_text());
  throw Error(ErrorCode::failed,
              tool.name + " ended with exit code " + std::to_string(*code) + (words.empty() ? "" : ": " + words));
}

// Tells of one round of one contestant.
class RoundProgress {
 public:
  RoundProgress(const Context& ctx, const std::string& name, std::size_t round, std::size_t rounds, std::uint64_t bytes)
      : ctx_(ctx), bytes_(bytes), label_(name + ", round " + std::to_string(round) + " of " + std::to_string(rounds)) {
    report(ProgressEvent::Kind::started, 0);
  }

  void finished() { report(ProgressEvent::Kind::finished, bytes_); }

  void failed(std::string_view why) { report(ProgressEvent::Kind::failed, 0, why); }

 private:
  void report(ProgressEvent::Kind kind, std::uint64_t done, std::string_view text = {}) {
    ctx_.progress->on(
        {.kind = kind, .phase = "bench", .id = label_, .label = label_, .done = done, .total = bytes_, .text = text});
  }

  const Context& ctx_;
  std::uint64_t bytes_;
  std::string label_;
};

void run_round(const Context& ctx, const Contestant& contestant, BenchRow& row, RoundProgress progress) {
  std::optional<Error> interruption;
  RoundEnd end = RoundEnd::failed;
  contestant.check();
  try {
    row.seconds.push_back(contestant.round(ctx));
    progress.finished();
    end = RoundEnd::good;
  } catch (const Error& error) {
    progress.failed(error.what());
    if (error.code() == ErrorCode::data_safety) throw;
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::network) end = RoundEnd::cut;
    if (error.code() == ErrorCode::interrupted)
      interruption = error;
    else
      row.failure = error;
  } catch (...) {
    contestant.tidy(end);
    throw;
  }
  contestant.tidy(end);
  if (interruption) throw Error(*interruption);
}

}  // namespace

BenchFolder::BenchFolder(const Environment& environment) {
  const auto given = environment.find("TMPDIR");
  const std::filesystem::path parent = given == environment.end() || given->second.empty() ? "/var/tmp" : given->second;
  path_ = parent / random_name("drover-bench-");
  create_directories_durably(path_, 0700);
}

BenchFolder::~BenchFolder() {
  std::error_code ignored;  // what cannot be removed is below a name that says whose it was
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path BenchFolder::renew(const std::string& name) const {
  remove(name);
  const std::filesystem::path folder = path_ / name;
  std::filesystem::create_directory(folder);
  const UniqueFd fd = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (::syncfs(fd.get()) != 0) throw io_error("cannot write back", folder.string());
  return folder;
}

void BenchFolder::remove(const std::string& name) const {
  std::filesystem::remove_all(path_ / name);
}

double run_tool(const Context& ctx, const FoundTool& tool, const ToolRun& run) {
  const Clock::time_point begin = Clock::now();
  std::vector<std::unique_ptr<ChildProcess>> processes;
  for (const std::vector<std::string>& words : run.commands) {
    processes.push_back(std::make_unique<ChildProcess>(tool.program, words));
    if (!run.is_at_once) wait_for_end(ctx, tool, *processes.back());
  }
  for (const auto& process : processes) wait_for_end(ctx, tool, *process);
  return seconds_since(begin);
}

BenchTable run_rounds(const Context& ctx, const std::vector<Contestant>& contestants, std::size_t rounds, std::uint64_t bytes) {
  BenchTable table{.bytes = bytes, .rows = {}};
  for (const Contestant& contestant : contestants)
    table.rows.push_back({.tool = contestant.name, .seconds = {}, .note = contestant.note});
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      if (table.rows[i].failure) continue;
      ctx.check_stop();
      run_round(ctx, contestants[i], table.rows[i], RoundProgress(ctx, contestants[i].name, round, rounds, bytes));
    }
  }
  return table;
}

}  // namespace drover::cli
