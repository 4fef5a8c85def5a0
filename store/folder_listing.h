// A folder's files as the kernel tells of them, to be compared with what somebody says is an archive of it.
#pragma once

#include "base/context.h"
#include "store/volume_archive.h"

#include <filesystem>
#include <string>

namespace drover::store {

struct FolderListing {
  TreeListing entries = {};     // "./a" -> "file 3 sha256:…", "link target", else the kind; the folder itself is "."
  std::string unreadable = {};  // the first path that this user may not read, and why; then the entries are of no use
};

// Reads every file. Sockets are left out, as engines do, and owners, modes and attributes: an engine may show them mapped (user namespaces).
// Throws io, and not_found when something goes while it reads.
FolderListing list_folder(const Context& ctx, const std::filesystem::path& folder);

// The first path that is not in both or has other contents, and how; empty when there is none. Every name of a file counts as the file.
std::string difference_of_contents(const TreeListing& archived, const FolderListing& folder);

}  // namespace drover::store
