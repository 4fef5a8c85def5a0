#include "base/file.h"
#include "base/text.h"
#include "cli/bench_kernels.h"
#include "cli/bench_rounds.h"
#include "cli/command.h"
#include "cli/session.h"
#include "digest/cpu_model.h"
#include "digest/hasher.h"
#include "store/hash_blobs.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

constexpr double seconds_default = 2.5;
constexpr unsigned rounds = 15;
constexpr std::uint64_t size_default = 256U << 20U;

// By /proc/cpuinfo where it has a name (x86), else by what the CPU says itself.
std::string cpu_name() {
  const std::string model = CpuModel::host().to_string();
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) return printable(trim(std::string_view(line).substr(colon + 1)), 120) + ", " + model;
  }
  return model;
}

// A store with one blob, all of it in the page cache. Different bytes in every page, since some file systems pack what repeats.
store::StoredBlob write_blob(const Context& ctx, const std::filesystem::path& root, std::uint64_t size) {
  const std::filesystem::path folder = root / "blobs" / "sha256";
  std::filesystem::create_directories(folder);
  const std::filesystem::path draft = folder / "draft";
  Hasher hasher(Digest::Algorithm::sha256);
  {
    const UniqueFd fd = open_file(draft, O_WRONLY | O_CREAT | O_EXCL);
    std::vector<std::uint64_t> words((1U << 20U) / sizeof(std::uint64_t));
    std::uint64_t state = 1;
    for (std::uint64_t done = 0; done < size;) {
      ctx.check_stop();
      for (std::uint64_t& word : words) word = state = state * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
      const auto bytes =
          std::as_bytes(std::span(words))
              .first(static_cast<std::size_t>(std::min<std::uint64_t>(size - done, words.size() * sizeof(words[0]))));
      write_all(fd.get(), bytes, draft.string());
      hasher.update(bytes);
      done += bytes.size();
    }
    sync_file(fd.get(), draft.string());  // it stays in the cache; nothing is written while others are measured
  }
  const Digest digest = hasher.finish();
  std::filesystem::rename(draft, store::blob_path(root, digest));
  return {.digest = digest, .size = size, .changed = {}};
}

// As `drover verify` reads and hashes it.
double hash_file(const Context& ctx, const std::filesystem::path& root, const store::StoredBlob& blob) {
  Context quiet = ctx;
  quiet.progress = &Progress::none();
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<store::BlobFinding> findings = store::hash_blobs(quiet, root, std::span(&blob, 1), 1);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (findings.front().why)
    throw Error(ErrorCode::io, "cannot hash " + store::blob_path(root, blob.digest).string() + ": " + *findings.front().why);
  return seconds;
}

BenchTable compare_files(Session& session, const std::vector<FoundTool>& tools, std::uint64_t size) {
  const BenchFolder folder(session.environment());
  const store::StoredBlob blob = write_blob(session.ctx(), folder.path(), size);
  std::vector<Contestant> contestants = {
      {.name = "drover", .round = [&](const Context& ctx) { return hash_file(ctx, folder.path(), blob); }}};
  for (const FoundTool& tool : tools) {
    const ToolRun run = hash_run(tool.name, store::blob_path(folder.path(), blob.digest));
    contestants.push_back({.name = tool.name, .round = [tool, run](const Context& ctx) { return run_tool(ctx, tool, run); }});
  }
  return run_rounds(session.ctx(), contestants, session.settings().repeat.value_or(repeat_default), size);
}

std::vector<std::string> names_of(const std::vector<FoundTool>& tools) {
  std::vector<std::string> names;
  for (const FoundTool& tool : tools) names.push_back(tool.name);
  return names;
}

ExitCode plan(Session& session, const KernelView& kernels, const std::vector<FoundTool>& tools, double seconds,
              std::uint64_t size) {
  Json plan = {{"kernels", kernels.usable.size()},
               {"seconds", seconds},
               {"tools", names_of(tools)},
               {"fileBytes", tools.empty() ? 0 : size}};
  std::string text =
      "measure " + std::to_string(kernels.usable.size()) + " kernels and OpenSSL in turn, " + format_seconds(seconds) + "\n";
  if (!tools.empty())
    text += "hash a temporary file of " + format_bytes(size) + " with drover, " + join(names_of(tools), ", ") + "\n";
  session.output().set_document({{"plan", std::move(plan)}});
  session.output().write_text(text);
  return ExitCode::done;
}

ExitCode run_bench_sha256(Session& session) {
  const Settings& settings = session.settings();
  const KernelView kernels = KernelView::real();
  std::vector<FoundTool> tools;
  if (!session.flags().tools.empty())
    tools = find_tools(BenchKind::sha256, session.flags().tools, settings.registry.program_path);
  const double seconds = settings.seconds.value_or(seconds_default);
  const std::uint64_t size = settings.size.value_or(size_default);
  if (settings.dry_run) return plan(session, kernels, tools, seconds, size);

  const std::chrono::duration<double> time(seconds);
  const std::vector<Sha256Rates> rates =
      measure_sha256_rates(session.ctx(), kernels.usable, std::chrono::duration_cast<std::chrono::nanoseconds>(time), rounds);
  const KernelBench bench = bench_of(rates, cpu_name(), openssl_version(), kernels.in_use);
  Json json = kernels_json(bench);
  std::string text = kernels_text(bench);
  std::vector<Error> failures;
  if (!tools.empty()) {
    const BenchTable table = compare_files(session, tools, size);
    json["file"] = {{"bytes", size}, {"tools", tools_json(table)}};
    text += "\na file of " + format_bytes(size) + " in the page cache, one core\n" + tools_text(table);
    if (table.rows.front().failure) failures.push_back(*table.rows.front().failure);
  }
  session.output().set_document(json);
  session.output().write_text(text);
  return session.finish(failures);
}

}  // namespace

Command bench_sha256_command() {
  static const std::string choices = tool_choices(BenchKind::sha256);
  return {
      .path = "bench sha256",
      .group = "Caring commands",
      .summary = "how fast each SHA-256 kernel is, beside OpenSSL's",
      .details =
          "Every kernel that this CPU can run, and OpenSSL's, in turn on one core, all of it in cache; medians. Which kernel is\n"
          "used for how many streams is named below. With --against also a temporary file, hashed by drover and by those tools.",
      .example = "  drover bench sha256 --against openssl,sha256sum",
      .positionals = {},
      .options = {{"--against", &Flags::tools, "hash a file beside these tools, repeatable or with commas", choices},
                  {"--seconds", &Flags::seconds, "how long the kernels are measured in all (default 2.5)", "N"},
                  {"--size", &Flags::size, "of the file (default 256M)", "SIZE"},
                  {"--repeat", &Flags::repeat, "rounds over the file (default 3)", "N"}},
      .run = run_bench_sha256};
}

}  // namespace drover::cli
