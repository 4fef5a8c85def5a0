#include "store/blob_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace drover::store {
namespace {

void list_folder(const std::filesystem::path& folder, const std::string& algorithm, BlobListing& listing) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const std::optional<Digest> digest = Digest::try_parse(algorithm + ":" + name);
    struct stat info {};
    const bool is_there = stat(entry.path().c_str(), &info) == 0;
    if (!digest || !is_there || !S_ISREG(info.st_mode)) {
      listing.foreign.push_back("blobs/" + algorithm + "/" + name);
      continue;
    }
    listing.blobs.push_back({.digest = *digest,
                             .size = static_cast<std::uint64_t>(info.st_size),
                             .changed = time_of_change(info)});
  }
}

}  // namespace

std::filesystem::path blob_path(const std::filesystem::path& root, const Digest& digest) {
  return root / "blobs" / digest.algorithm_name() / digest.hex();
}

std::optional<std::uint64_t> find_file_size(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw io_error("cannot stat", path.string());
  }
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

std::optional<OpenBlob> open_blob(const std::filesystem::path& path) {
  OpenBlob blob;
  try {
    blob.fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
  struct stat info {};
  if (fstat(blob.fd.get(), &info) != 0) throw io_error("cannot stat", path.string());
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::invalid, "cannot read " + path.string() + ": it is not a regular file");
  blob.size = static_cast<std::uint64_t>(info.st_size);
  return blob;
}

std::string read_blob(const std::filesystem::path& root, const Digest& digest, std::uint64_t bytes_max) {
  const std::filesystem::path path = blob_path(root, digest);
  const std::optional<OpenBlob> blob = open_blob(path);
  if (!blob) throw Error(ErrorCode::not_found, "blob " + digest.to_string() + " is not in the store " + root.string());
  if (blob->size > bytes_max) {
    throw Error(ErrorCode::size_mismatch, "blob " + digest.to_string() + " has " + std::to_string(blob->size) + " bytes, more than the " +
                                              std::to_string(bytes_max) + " expected here");
  }
  std::string bytes(blob->size, '\0');
  const std::size_t n = read_at(blob->fd.get(), std::as_writable_bytes(std::span(bytes)), 0, path.string());
  if (n != bytes.size() || Digest::of(bytes, digest.algorithm()) != digest) {
    throw Error(ErrorCode::digest_mismatch,
                "blob " + digest.to_string() + " in the store " + root.string() + " is damaged; run drover verify --repair");
  }
  return bytes;
}

BlobListing list_blobs(const std::filesystem::path& root) {
  BlobListing listing;
  try {
    const std::filesystem::path blobs = root / "blobs";
    if (!std::filesystem::exists(blobs)) return listing;
    for (const auto& entry : std::filesystem::directory_iterator(blobs)) {
      const std::string name = entry.path().filename().string();
      const bool is_known = name == "sha256" || name == "sha512";
      if (is_known && entry.is_directory()) {
        list_folder(entry.path(), name, listing);
      } else {
        listing.foreign.push_back("blobs/" + name);
      }
    }
  } catch (const std::filesystem::filesystem_error& e) {
    throw io_error("cannot list", e.path1().string(), e.code().value());
  }
  std::sort(listing.blobs.begin(), listing.blobs.end(), [](const StoredBlob& a, const StoredBlob& b) { return a.digest < b.digest; });
  std::sort(listing.foreign.begin(), listing.foreign.end());
  return listing;
}

}  // namespace drover::store
