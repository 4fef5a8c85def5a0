// Files of a layout, found by the root folder alone: what BlobStore, verify and gc share. No locks are taken here.
#pragma once

#include "base/file.h"
#include "digest/digest.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace drover::store {

std::filesystem::path blob_path(const std::filesystem::path& root, const Digest& digest);

// Of a regular file; nothing when there is none.
std::optional<std::uint64_t> find_file_size(const std::filesystem::path& path);

struct OpenBlob {
  UniqueFd fd;
  std::uint64_t size = 0;
};

// Nothing when there is no such file; throws invalid when it is not a regular file (a planted FIFO must not block us).
std::optional<OpenBlob> open_blob(const std::filesystem::path& path);

// The whole blob, hashed while it is read; throws as BlobStore::read.
std::string read_blob(const std::filesystem::path& root, const Digest& digest, std::uint64_t bytes_max);

struct StoredBlob {
  Digest digest;
  std::uint64_t size = 0;
  // The later of mtime and ctime: a clock set back or a copy with old times does not make a blob look old.
  std::chrono::system_clock::time_point changed;
};

struct BlobListing {
  std::vector<StoredBlob> blobs;     // by digest
  std::vector<std::string> foreign;  // below blobs/: what is not a regular file named by a digest that drover knows
};

BlobListing list_blobs(const std::filesystem::path& root);

}  // namespace drover::store
