// The choice of rows that is in use, and the figures of this machine behind it.
//
// By default the table of digest/sha256_choice.h decides. A program that names a file for it has the rows measured, once a
// machine and version, when a lot is about to be hashed; after that the file decides.
#pragma once

#include "digest/sha256_choice.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// A measurement takes 20 ms: one part in ten of the least that it serves.
inline constexpr std::chrono::milliseconds sha256_measurement_time{20};
inline constexpr std::uint64_t sha256_measurement_bytes = 64U << 20U;

// Where this machine's figures are kept, and for which version of the program. Nothing is read or written yet. To be called
// before the first hashing in lanes; thread-safe.
void keep_sha256_figures_in(const std::filesystem::path& file, std::string_view program_version);

enum class FigureSource { table, measured };

struct Sha256ChoiceInUse {
  Sha256Choice choice;
  FigureSource source;
};

// What the file says, else the table. Measures nothing. Throws usage for a wrong DROVER_SHA256; with a right one the table
// decides.
Sha256ChoiceInUse known_sha256_choice();

// For hashing so many bytes: from sha256_measurement_bytes on, and where a file was named, it is measured now if that was not
// done before. A file that cannot be used or written is nobody's fault and only costs the time. Throws as above; thread-safe.
const Sha256Choice& sha256_choice_for(std::uint64_t bytes);

// The fastest of short runs of each row over 4 KiB a lane, in whole picoseconds a byte; about `time` in all.
std::vector<Sha256Figure> measure_sha256(const std::vector<const Sha256Backend*>& rows, std::chrono::microseconds time);

// The file: a first line with the format, `key`, a line a row ("shani 4 503"), "end". Figures are whole picoseconds. Anything
// else is nothing: another key, a row too few, too many or out of order, a figure that no machine has.
std::string format_sha256_figures(std::string_view key, std::span<const Sha256Figure> figures);
std::optional<std::vector<Sha256Figure>> parse_sha256_figures(std::string_view text, std::string_view key,
                                                              const std::vector<const Sha256Backend*>& rows);

// The text of a file that this user owns alone, in a folder of his own; nothing for every other, and for one larger than 4 KiB.
std::optional<std::string> read_own_file(const std::filesystem::path& file);

}  // namespace drover
