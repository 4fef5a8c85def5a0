#include "digest/sha256_figures.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

namespace drover {

namespace {

constexpr std::string_view format_line = "drover sha256 figures 1";
constexpr std::string_view last_line = "end";
constexpr std::size_t file_bytes_max = 4096;  // a key and a dozen rows take 400
// Picoseconds a byte that a row can take: from ten times the fastest that is known to portable code on a slow, busy core.
constexpr std::uint64_t figure_min = 15;
constexpr std::uint64_t figure_max = 1'000'000;

// Whatever is wrong, it is wrong with DROVER_SHA256.
std::vector<Sha256Figure> table_of_this_process() {
  choose_sha256_backend(wanted_sha256_backend(), cpu_features());  // throws for a wrong wish
  return table_figures(CpuModel::host(), cpu_features(), wanted_sha256_backend());
}

const Sha256Choice& table_choice() {
  static const Sha256Choice choice{table_of_this_process()};
  return choice;
}

bool is_wished() { return wanted_sha256_backend() != nullptr && *wanted_sha256_backend() != '\0'; }

std::vector<const Sha256Backend*> runnable_rows() {
  const CpuFeatures have = cpu_features();
  std::vector<const Sha256Backend*> rows;
  for (const Sha256Backend& row : sha256_backends) {
    if (is_runnable(row, have)) rows.push_back(&row);
  }
  return rows;
}

struct Kept {
  std::mutex mutex;
  std::filesystem::path file;  // empty: none was named
  std::string version;
  std::optional<Sha256Choice> measured;

  std::string key() const { return CpuModel::host().to_string() + ", drover " + version; }

  std::optional<std::vector<Sha256Figure>> read() const {
    const auto text = read_own_file(file);
    return text ? parse_sha256_figures(*text, key(), runnable_rows()) : std::nullopt;
  }

  std::vector<Sha256Figure> measure() const {
    std::vector<Sha256Figure> figures = measure_sha256(runnable_rows(), sha256_measurement_time);
    try {
      create_directories_durably(file.parent_path());
      write_file_durably(file, format_sha256_figures(key(), figures), 0600);
    } catch (const Error&) {
      // A full or read-only disk, a folder of somebody else: measured again by the next run.
    }
    return figures;
  }
};

Kept& kept() {
  static Kept one;
  return one;
}

bool is_owned_alone(const struct stat& info) { return info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0; }

// 4 KiB a lane, each lane's start in another set of the first cache.
class MeasuredLanes {
 public:
  static constexpr std::size_t blocks_a_lane = 64;

  // The fastest of at least one run, in picoseconds a byte.
  std::uint64_t measure(const Sha256Backend& row, std::chrono::nanoseconds time) {
    using Clock = std::chrono::steady_clock;
    std::array<Sha256Lane, sha256_lanes_max> lanes{};
    for (std::size_t i = 0; i < row.lanes; ++i) lanes[i] = {words_[i].data(), bytes_.data() + i * stride};
    auto best = std::chrono::nanoseconds::max();
    const Clock::time_point end = Clock::now() + time;
    Clock::time_point start = Clock::now();
    do {
      row.compress(lanes.data(), blocks_a_lane);
      const Clock::time_point stop = Clock::now();
      best = std::min(best, std::chrono::duration_cast<std::chrono::nanoseconds>(stop - start));
      start = stop;
    } while (start < end);
    return std::clamp(static_cast<std::uint64_t>(best.count()) * 1000 / (row.lanes * blocks_a_lane * 64), figure_min, figure_max);
  }

 private:
  static constexpr std::size_t stride = 64 * (blocks_a_lane + 1);
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(stride * sha256_lanes_max, 0x5A);
  std::array<std::array<std::uint32_t, 8>, sha256_lanes_max> words_{};
};

std::optional<Sha256Figure> parse_row(std::string_view line, const Sha256Backend& row) {
  const std::vector<std::string_view> words = split(line, ' ');
  if (words.size() != 3 || words[0] != row.name || parse_uint(words[1]) != row.lanes) return std::nullopt;
  const std::optional<std::uint64_t> per_byte = parse_uint(words[2]);
  if (!per_byte || *per_byte < figure_min || *per_byte > figure_max) return std::nullopt;
  return Sha256Figure{.row = &row, .per_byte = static_cast<double>(*per_byte)};
}

}  // namespace

void keep_sha256_figures_in(const std::filesystem::path& file, std::string_view program_version) {
  const std::lock_guard lock(kept().mutex);
  kept().file = file;
  kept().version = program_version;
  kept().measured.reset();
}

Sha256ChoiceInUse known_sha256_choice() {
  const std::lock_guard lock(kept().mutex);
  if (!is_wished() && !kept().file.empty()) {
    if (kept().measured) return {*kept().measured, FigureSource::measured};
    if (const auto figures = kept().read()) return {Sha256Choice(*figures), FigureSource::measured};
  }
  return {table_choice(), FigureSource::table};
}

const Sha256Choice& sha256_choice_for(std::uint64_t bytes) {
  const std::lock_guard lock(kept().mutex);
  if (bytes < sha256_measurement_bytes || is_wished() || kept().file.empty()) return table_choice();
  if (!kept().measured) {
    const auto figures = kept().read();
    kept().measured = Sha256Choice(figures ? *figures : kept().measure());
  }
  return *kept().measured;
}

std::vector<Sha256Figure> measure_sha256(const std::vector<const Sha256Backend*>& rows, std::chrono::microseconds time) {
  // In passes, so that whoever else wants this core does not always meet the same row.
  constexpr unsigned passes = 5;
  std::vector<Sha256Figure> figures;
  for (const Sha256Backend* row : rows) figures.push_back({.row = row, .per_byte = static_cast<double>(figure_max)});
  MeasuredLanes lanes;
  for (unsigned pass = 0; pass < passes; ++pass) {
    for (Sha256Figure& figure : figures) {
      const auto measured = static_cast<double>(lanes.measure(*figure.row, time / (passes * rows.size())));
      figure.per_byte = std::min(figure.per_byte, measured);
    }
  }
  return figures;
}

std::string format_sha256_figures(std::string_view key, std::span<const Sha256Figure> figures) {
  std::string text = std::string(format_line) + '\n' + std::string(key) + '\n';
  for (const Sha256Figure& figure : figures) {
    const auto per_byte = static_cast<std::uint64_t>(figure.per_byte);
    text += std::string(figure.row->name) + ' ' + std::to_string(figure.row->lanes) + ' ' + std::to_string(per_byte) + '\n';
  }
  return text + std::string(last_line) + '\n';
}

std::optional<std::vector<Sha256Figure>> parse_sha256_figures(std::string_view text, std::string_view key,
                                                              const std::vector<const Sha256Backend*>& rows) {
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.size() != rows.size() + 4 || lines[0] != format_line || lines[1] != key) return std::nullopt;
  if (lines[lines.size() - 2] != last_line || !lines.back().empty()) return std::nullopt;
  std::vector<Sha256Figure> figures;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto figure = parse_row(lines[i + 2], *rows[i]);
    if (!figure) return std::nullopt;
    figures.push_back(*figure);
  }
  return figures;
}

std::optional<std::string> read_own_file(const std::filesystem::path& file) {
  struct stat info {};
  // A folder that others can write in could hold a link to, or a copy of, anything.
  if (lstat(file.parent_path().c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || !is_owned_alone(info)) return std::nullopt;
  try {
    const UniqueFd fd = open_file(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || !is_owned_alone(info)) return std::nullopt;
    std::array<std::byte, file_bytes_max + 1> bytes{};
    const std::size_t n = read_at(fd.get(), bytes, 0, file.string());
    if (n > file_bytes_max) return std::nullopt;
    return std::string(as_text(std::span(bytes).first(n)));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace drover
