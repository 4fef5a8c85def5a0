// Relative paths in a project made absolute, so that they keep their meaning when files from several folders are merged.
#pragma once

#include "compose/node.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace drover::compose {

// Build contexts, env and label files, bind mounts (short and long form), config and secret files, watched paths and local volumes that
// bind a folder. `home` replaces a leading "~"; when empty, "~" stays. Values of unexpected kinds are left for the schema to refuse.
void make_paths_absolute(Node& project, const std::filesystem::path& directory, std::string_view home);

// A git or http address, or an OCI reference: not a path of this machine.
bool is_remote_resource(std::string_view text);

}  // namespace drover::compose
