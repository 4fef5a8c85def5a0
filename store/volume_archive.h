// A volume's files in one file: tar (POSIX.1-2017 pax) in zstd, as `tar --zstd` reads it, with what it takes to bring the volume back in a
// skippable frame behind it (docs/formats.md, "Archives of volumes").
#pragma once

#include "base/context.h"
#include "digest/digest.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::store {

// Fills as much of the span as it can; 0 is the end.
using ByteSource = std::function<std::size_t(std::span<std::byte>)>;
// Extended attributes of a file by its path in the archive ("./a/b"), name to value.
using XattrSource = std::function<std::map<std::string, std::string>(const std::string& path)>;

// What makes two folders the same, by path: kind, mode, owner, size, link, extended attributes, SHA-256 of the content. Times are left
// out: engines keep whole seconds of some.
using TreeListing = std::map<std::string, std::string>;  // "./a" -> "file 0640 12:34 3 sha256:… user.foo=…"

Digest digest_of(const TreeListing& listing);
// The first path that differs, and how; empty when they are the same.
std::string difference_of(const TreeListing& wanted, const TreeListing& found);

// Reads a tar stream to its end. `xattrs` adds to what the stream has; may be empty. Throws invalid for a damaged stream, interrupted. Takes
// about 200 bytes of memory a file.
TreeListing list_tree(const Context& ctx, const ByteSource& tar, const XattrSource& xattrs = {});

// Writes the same tree with its folder "." called `root`: engines pass over the mode and owner of an entry "." when they unpack.
void write_tree(const Context& ctx, const ByteSource& tar, const std::string& root, const std::function<void(std::span<const std::byte>)>& sink);

struct VolumeArchive {
  std::string volume;
  std::string driver = "local";
  std::map<std::string, std::string> labels = {};
  std::map<std::string, std::string> options = {};
  std::int64_t time = 0;          // seconds since 1970
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;        // of the tar stream
  std::optional<Digest> tree = {};  // digest_of its listing
};

struct ArchiveOptions {
  XattrSource xattrs = {};                               // adds to what the stream has
  std::function<void(const TreeListing&)> check = {};    // called with what was archived; when it throws, there is no file
};

// Writes `file` from the stream, reads it back and compares what came out with what went in; only then, and synced, it has its name. Of
// `about` what is known of the volume is used; returns it complete. Throws digest_mismatch, io, no_space, and what the source and the
// check throw.
VolumeArchive write_volume_archive(const Context& ctx, const std::filesystem::path& file, VolumeArchive about, const ByteSource& tar,
                                   const ArchiveOptions& options = {});

// Removes what killed archivings left in the folder; not what one that runs is writing.
void remove_stale_drafts(const std::filesystem::path& folder);

// What stands behind the files. Throws invalid for a file that is no such archive, not_found.
VolumeArchive read_volume_archive(const std::filesystem::path& file);

// The tar stream inside. Not thread-safe.
class VolumeArchiveReader {
 public:
  explicit VolumeArchiveReader(const std::filesystem::path& file);
  ~VolumeArchiveReader();
  // Throws invalid when the file is damaged or cut.
  std::size_t read(std::span<std::byte> out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::store
