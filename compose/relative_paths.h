// Relative paths in a project made absolute, so that they keep their meaning when files from several folders are merged.
#pragma once

#include "compose/node.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace drover::compose {

// Takes a canonical project. Build contexts, env and label files, sources of bind mounts, config and secret files, watched paths
// and local volumes that bind a folder. `home` replaces a leading "~"; when empty, "~" is a name like others. Throws invalid for
// a bind mount without source.
void make_paths_absolute(Node& project, const std::filesystem::path& directory, std::string_view home);

// Without ".", "..", double and trailing slashes, as text (Go's path.Clean); "." for nothing.
std::string clean_path(std::string_view text);

// A git or http address, or an OCI reference: not a path of this machine.
bool is_remote_resource(std::string_view text);

}  // namespace drover::compose
