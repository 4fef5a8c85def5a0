// A tar archive made while it is read: the body of a load request, never whole in memory or on disk.
#pragma once

#include "digest/digest.h"
#include "store/tar_writer.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::engine {

// One regular file of the archive. `read` fills as much of the span as it can and returns 0 at the end; what it throws leaves the
// archive without its end, so that no engine takes the cut archive for a whole one.
struct ArchiveFile {
  std::string name;
  std::uint64_t size = 0;
  std::function<std::size_t(std::span<std::byte>)> read;
};

ArchiveFile text_file(std::string name, std::string text);
// The blob's own bytes, hashed on the way. Throws digest_mismatch at the end when they are not what `digest` says.
ArchiveFile blob_file(std::string name, const std::filesystem::path& blob, const Digest& digest, std::uint64_t size);
// The layer as plain tar. Throws size_mismatch when it is not `plain_size` long; its content is the engine's to check: every engine
// compares a plain layer with its diff ID.
ArchiveFile inflated_file(std::string name, const std::filesystem::path& blob, std::uint64_t plain_size);

// Asks `next` for one file after the other until it returns none; `next` may block. Not thread-safe.
class ArchiveSource {
 public:
  using NextFile = std::function<std::optional<ArchiveFile>()>;

  explicit ArchiveSource(NextFile next);

  // A net::BodySource: fills the span but for the archive's end. Throws what the files throw, and size_mismatch.
  std::size_t read(std::span<std::byte> out);
  // Handed out so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  void take(std::span<const std::byte> bytes);
  void advance();

  NextFile next_;
  store::TarWriter writer_;
  std::optional<ArchiveFile> file_;
  std::uint64_t file_left_ = 0;
  bool is_complete_ = false;
  std::vector<std::byte> chunk_;
  std::span<std::byte> out_;               // what is free of the reader's span, during read()
  std::vector<std::byte> overflow_;        // what did not fit into it
  std::size_t overflow_begin_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace drover::engine
