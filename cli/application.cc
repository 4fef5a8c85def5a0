#include "cli/application.h"

#include "base/text.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/grammar.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/version.h"
#include "digest/sha256_backend.h"
#include "digest/sha256_figures.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace drover::cli {
namespace {

// Before the line is parsed, and when it cannot be: errors are JSON for who asked for it.
bool asks_for_json(const std::vector<std::string>& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, "--json") != end;
}

void print_version(Output& output, bool is_verbose) {
  Json json = {{"version", DROVER_VERSION}};
  std::string text = "drover " DROVER_VERSION "\n";
  if (is_verbose) {
    const KernelView kernels = KernelView::real();
    add_kernels(json, kernels);
    json["compiler"] = __VERSION__;
    text += kernels_text(kernels) + "compiler: " __VERSION__ "\n";
  }
  output.set_document(json);
  output.write_text(text);
}

Error told_as_interrupted(std::uint64_t kept_bytes) {
  std::string text = "interrupted";
  if (kept_bytes > 0) text += ": " + format_bytes(kept_bytes) + " are kept; run the same command again to continue";
  return Error(ErrorCode::interrupted, text);
}

struct Surroundings {
  const Environment& environment;
  const Machine& machine;
  const std::stop_token& stop;
  Output& output;
  Screen& screen;
};

ExitCode run_command(const Surroundings& around, const ParsedLine& line) {
  const Settings settings = make_settings(line.flags, around.environment, around.machine);
  Diagnostics log(around.screen, settings.verbose);
  const std::unique_ptr<ProgressDisplay> progress = make_progress(settings.progress, around.screen, Clock::real());
  const Context ctx{.stop = around.stop, .progress = progress.get(), .log = &log};
  try {
    const ProgressTicker ticker(*progress);
    Session session(line.flags, settings, around.environment, ctx, around.output, around.screen, *progress);
    return line.command->run(session);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw told_as_interrupted(progress->kept_bytes());
    throw;
  }
}

// A wrong DROVER_SHA256 is wrong for every command, whether it hashes or not; what tells about drover itself stays usable.
void check_sha256_wish(const Surroundings& around, const ParsedLine& line) {
  try {
    sha256_backend();
  } catch (const Error& error) {
    if (!line.help && !line.flags.version) throw;
    Diagnostics(around.screen, false).write(LogLevel::warning, error.what());
  }
}

ExitCode run_line(const Surroundings& around, const std::vector<std::string>& words) {
  const ParsedLine line = parse_line(words);
  check_sha256_wish(around, line);
  if (const auto folder = cache_folder(around.environment, around.machine); !folder.empty()) {
    keep_sha256_figures_in(folder / "sha256", DROVER_VERSION);
  }
  if (line.help) {
    around.output.write_raw(*line.help);
    return ExitCode::done;
  }
  if (line.flags.version) {
    print_version(around.output, line.flags.verbose);
    return ExitCode::done;
  }
  return run_command(around, line);
}

ExitCode fail(const Surroundings& around, const Error& error) {
  around.screen.write_line(error_line(error, Clock::real().system_now()));
  around.output.set_document({{"error", error_json(error)}});
  return exit_code(error);
}

}  // namespace

int run_application(const std::vector<std::string>& words, const Environment& environment, const Machine& machine,
                    const std::stop_token& stop, std::ostream& out, std::ostream& err) {
  Output output(out, asks_for_json(words) ? OutputFormat::json : OutputFormat::text);
  Screen screen(err);
  const Surroundings around{environment, machine, stop, output, screen};
  ExitCode code = ExitCode::failed;
  try {
    code = run_line(around, words);
  } catch (const Error& error) {
    code = fail(around, error);
  } catch (const std::filesystem::filesystem_error& error) {
    code = fail(around, Error(ErrorCode::io, "cannot use " + printable(error.path1().string()) + ": " + error.code().message() +
                                                 "; check who owns it, or give another folder with --store"));
  } catch (const std::exception& error) {
    code = fail(around, Error(ErrorCode::failed, std::string("unexpected: ") + error.what()));
  }
  try {
    output.finish();
  } catch (const Error& error) {
    screen.write_line(error_line(error, Clock::real().system_now()));
    if (code == ExitCode::done) code = ExitCode::failed;
  }
  return static_cast<int>(code);
}

}  // namespace drover::cli
