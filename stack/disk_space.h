// How much room a file system has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace drover::stack {

struct DiskSpace {
  std::uint64_t free_bytes = 0;  // for who asks: without what is reserved for root
  std::uint64_t device = 0;      // tells file systems apart
};

// Of the file system that `folder` is on, or will be once it is made. Nothing when it cannot be looked at.
std::optional<DiskSpace> find_disk_space(const std::filesystem::path& folder);

}  // namespace drover::stack
