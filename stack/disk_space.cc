#include "stack/disk_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>

namespace drover::stack {

std::optional<DiskSpace> find_disk_space(const std::filesystem::path& folder) {
  for (std::filesystem::path place = folder; !place.empty(); place = place.parent_path()) {
    struct stat status {};
    struct statvfs space {};
    if (::stat(place.c_str(), &status) == 0 && ::statvfs(place.c_str(), &space) == 0) {
      if (space.f_blocks == 0) return std::nullopt;  // some file systems of other machines do not say
      return DiskSpace{.free_bytes = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize, .device = status.st_dev};
    }
    if (errno != ENOENT || place == place.root_path()) break;
  }
  return std::nullopt;
}

}  // namespace drover::stack
