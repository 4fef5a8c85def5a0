// Reading of compose and env files, which may be pipes (`-f <(generate)`), with a bound.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace drover::compose {

// Nothing when it does not exist. Throws io for a directory and for what cannot be read, size_mismatch beyond `bytes_max`.
std::optional<std::string> try_read_input(const std::filesystem::path& path, std::size_t bytes_max);

}  // namespace drover::compose
