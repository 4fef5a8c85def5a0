// Reads and writes a volume's files through the engine: a container that mounts it and is never started (Engine API, container archives).
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "stack/state_folder.h"
#include "store/volume_archive.h"

#include <filesystem>
#include <string>

namespace drover::stack {

// Removes containers, their image, and halves of archives that an earlier run on this state folder left behind when it was killed. The caller holds lock_for_removal.
void remove_stale_helpers(const Context& ctx, engine::Client& client, const StateFolder& state);

// Saves the volume in `folder` as `<volume>-<UTC time>.tar.zst`; returns the file, which was read back and compared. Where the volume's folder
// can be seen from here, what the engine sent is compared with it (digest_mismatch), and attributes that engines leave out are read there;
// elsewhere a warning says so. Throws not_found, and what the client and the disk throw.
std::filesystem::path archive_volume(const Context& ctx, engine::Client& client, const StateFolder& state, const std::string& volume,
                                     const std::filesystem::path& folder);

struct RestoredVolume {
  store::VolumeArchive archive;
  std::string volume;  // the name it has now
};

// Makes the volume again, with driver, options and labels, and its files; then reads it back and compares. `name` empty: its old one.
// Throws refused when there is a volume of that name; invalid for a damaged archive, before anything is made; digest_mismatch, with the
// first difference, when the engine did not keep everything: the volume stays.
RestoredVolume restore_volume(const Context& ctx, engine::Client& client, const StateFolder& state, const std::filesystem::path& file,
                              const std::string& name);

}  // namespace drover::stack
