// The folders and fixed files of a store: made with modes that no umask changes, checked when opened.
#pragma once

#include <filesystem>
#include <string_view>

namespace drover::store {

inline constexpr std::string_view store_lock_name = "store.lock";
inline constexpr std::string_view index_lock_name = "index.lock";

// Makes what is missing. Throws refused for a folder that holds something else, and when ingest/ and blobs/ are on different file
// systems (rename would not be atomic); unsupported for a layout of another version.
void prepare_layout(const std::filesystem::path& root);

// Throws not_found when there is no layout at `root`, with what to do; unsupported, invalid.
void check_layout(const std::filesystem::path& root);

// One level of folder with exactly that mode when it is made here; its parent is synced.
void make_folder(const std::filesystem::path& folder, unsigned mode);

}  // namespace drover::store
