// File descriptors, whole-file reads with a bound, durable replacement, advisory locks.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace drover {

// Owns one file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC; throws io, or not_found for ENOENT.
UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0600);

// All of the bytes at `offset`, through short writes and EINTR; throws io or no_space.
void write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset, std::string_view path);
void write_all(int fd, std::span<const std::byte> bytes, std::string_view path);
// As many bytes as there are, up to the span; fewer only at the end of the file.
std::size_t read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset, std::string_view path);

// fsync(2); a failure is final for that file: its pages may be marked clean without having reached the disk.
void sync_file(int fd, std::string_view path);
void sync_directory(const std::filesystem::path& directory);

// The later of the two times at which the content and the status of a file changed.
std::chrono::system_clock::time_point time_of_change(const struct stat& info);

// The whole file; nothing if it does not exist; throws size_mismatch beyond `bytes_max`.
std::optional<std::string> try_read_file(const std::filesystem::path& path, std::uint64_t bytes_max);
std::string read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

// Replaces `path` so that a crash leaves the old or the new content: temporary name beside it, fsync, rename, fsync of the directory.
void write_file_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode = 0644);

// Creates missing levels and syncs each one's parent.
void create_directories_durably(const std::filesystem::path& directory, mode_t mode = 0700);

// "<prefix><16 random hex digits>", from the kernel's generator.
std::string random_name(std::string_view prefix);

// flock(2) on a file of its own, created when missing; freed by the kernel when its holder dies.
class FileLock {
 public:
  enum class Mode { shared, exclusive };

  // Nothing when somebody else holds it.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path, Mode mode);

  // Removes the lock's file and frees it. A waiter that got the lock on the removed file notices and starts over.
  void remove() noexcept;

 private:
  FileLock(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace drover
