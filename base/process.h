// Runs another program without a shell, with bounds.
#pragma once

#include "base/context.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

struct ProcessOptions {
  std::string_view input = {};                               // written to its standard input, which is then closed
  std::chrono::milliseconds timeout{10'000};               // then it is killed
  std::size_t output_bytes_max = 64 * 1024;                // more is an error and kills it
};

struct ProcessResult {
  int exit_code = 0;   // 128 + signal when it was killed by one
  std::string output;  // its standard output; standard error is discarded
};

// Throws failed when it cannot start, does not end in time or prints too much; interrupted when stopped.
ProcessResult run_process(const Context& ctx, const std::filesystem::path& program, const std::vector<std::string>& arguments,
                          const ProcessOptions& options);

// The program `name` in the folders of `search_path` (PATH's form). Relative folders, and folders that others may write, are skipped.
std::optional<std::filesystem::path> find_program(std::string_view name, std::string_view search_path);

}  // namespace drover
