// The grammar of .env files and of `env_file:` as compose reads them, which is not quite a shell's: `KEY=value` or `KEY: value`,
// optional `export`, comments, single quotes (literal), double quotes (escapes and variables), no concatenation of quoted parts.
#pragma once

#include "compose/interpolate.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace drover::compose {

inline constexpr std::size_t dotenv_bytes_max = 1024 * 1024;

using Environment = std::map<std::string, std::string, std::less<>>;

// Adds the file's keys to `values`; a later key replaces an earlier one. A key without a value takes the one that `outer` has, if any.
// Variables in values are looked up in `outer`, then in `values` as read so far. Throws invalid with file:line.
void parse_dotenv(std::string_view text, const std::filesystem::path& file, const VariableLookup& outer, Environment& values,
                  WarningList& warnings);

// parse_dotenv of files in order, a later one overriding an earlier one. Throws not_found when a file is missing.
Environment read_dotenv_files(const std::vector<std::filesystem::path>& files, const Environment& outer, WarningList& warnings);

}  // namespace drover::compose
