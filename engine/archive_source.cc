#include "engine/archive_source.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "digest/hasher.h"
#include "store/inflate.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace drover::engine {
namespace {

constexpr std::size_t chunk_bytes = 256U << 10U;

struct BlobReader {
  BlobReader(const std::filesystem::path& blob, const Digest& wanted)
      : fd(open_file(blob, O_RDONLY)), path(blob.string()), digest(wanted), hasher(wanted.algorithm()) {}

  std::size_t read(std::span<std::byte> out) {
    const std::size_t got = read_at(fd.get(), out, offset, path);
    if (got > 0) {
      hasher.update(out.first(got));
      offset += got;
    } else if (hasher.finish() != digest) {
      throw Error(ErrorCode::digest_mismatch, "the store's copy of " + digest.to_string() + " is damaged; run `drover verify --repair`");
    }
    return got;
  }

  UniqueFd fd;
  std::string path;
  Digest digest;
  Hasher hasher;
  std::uint64_t offset = 0;
};

}  // namespace

ArchiveFile text_file(std::string name, std::string text) {
  const std::uint64_t size = text.size();
  return {.name = std::move(name),
          .size = size,
          .read = [text = std::move(text), offset = std::size_t{0}](std::span<std::byte> out) mutable {
            const std::size_t count = std::min(out.size(), text.size() - offset);
            std::memcpy(out.data(), text.data() + offset, count);
            offset += count;
            return count;
          }};
}

ArchiveFile blob_file(std::string name, const std::filesystem::path& blob, const Digest& digest, std::uint64_t size) {
  // shared: std::function wants what it holds to be copyable.
  auto reader = std::make_shared<BlobReader>(blob, digest);
  return {.name = std::move(name), .size = size, .read = [reader](std::span<std::byte> out) { return reader->read(out); }};
}

ArchiveFile inflated_file(std::string name, const std::filesystem::path& blob, std::uint64_t plain_size) {
  auto reader = std::make_shared<store::InflateReader>(blob);  // shared: as above
  return {.name = std::move(name), .size = plain_size, .read = [reader](std::span<std::byte> out) { return reader->read(out); }};
}

ArchiveSource::ArchiveSource(NextFile next)
    : next_(std::move(next)), writer_([this](std::span<const std::byte> bytes) { take(bytes); }), chunk_(chunk_bytes) {}

void ArchiveSource::take(std::span<const std::byte> bytes) {
  const std::size_t fits = std::min(bytes.size(), out_.size());
  std::copy_n(bytes.begin(), fits, out_.begin());
  out_ = out_.subspan(fits);
  overflow_.insert(overflow_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(fits), bytes.end());
}

std::size_t ArchiveSource::read(std::span<std::byte> out) {
  out_ = out;
  const std::size_t left_over = std::min(out.size(), overflow_.size() - overflow_begin_);
  std::copy_n(overflow_.begin() + static_cast<std::ptrdiff_t>(overflow_begin_), left_over, out.begin());
  out_ = out_.subspan(left_over);
  overflow_begin_ += left_over;
  if (overflow_begin_ == overflow_.size()) {
    overflow_.clear();
    overflow_begin_ = 0;
  }
  // What is there goes out before next() is asked, which may block.
  while (!out_.empty() && !is_complete_ && (file_ || out_.size() == out.size())) advance();
  const std::size_t filled = out.size() - out_.size();
  out_ = {};
  bytes_ += filled;
  return filled;
}

void ArchiveSource::advance() {
  if (!file_) {
    file_ = next_();
    if (!file_) {
      writer_.finish();
      is_complete_ = true;
      return;
    }
    writer_.begin(file_->name, file_->size);
    file_left_ = file_->size;
  }
  const std::size_t got = file_->read(chunk_);
  if (got > file_left_ || (got == 0 && file_left_ > 0)) {
    throw Error(ErrorCode::size_mismatch, "archive file " + file_->name + " is not " + std::to_string(file_->size) + " bytes long");
  }
  if (got == 0) {
    file_.reset();
    return;
  }
  writer_.write(std::span<const std::byte>(chunk_).first(got));
  file_left_ -= got;
}

}  // namespace drover::engine
