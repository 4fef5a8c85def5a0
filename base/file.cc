#include "base/file.h"

#include "base/error.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace drover {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == ENOENT) throw Error(ErrorCode::not_found, "cannot open " + path.string() + ": no such file or directory");
  if (fd < 0) throw io_error("cannot open", path.string());
  return UniqueFd(fd);
}

void write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void write_all(int fd, std::span<const std::byte> bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::size_t read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset, std::string_view path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error("cannot read", path);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void sync_file(int fd, std::string_view path) {
  if (fsync(fd) != 0) throw io_error("cannot sync", path);
}

void sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  sync_file(fd.get(), directory.string());
}

std::chrono::system_clock::time_point time_of_change(const struct stat& info) {
  const auto to_time = [](const timespec& t) {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec)));
  };
  return std::max(to_time(info.st_mtim), to_time(info.st_ctim));
}

std::optional<std::string> try_read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  UniqueFd fd;
  try {
    fd = open_file(path, O_RDONLY);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
  std::string content;
  std::array<std::byte, 65536> buffer{};
  for (;;) {
    const std::size_t n = read_at(fd.get(), buffer, content.size(), path.string());
    if (n == 0) return content;
    if (content.size() + n > bytes_max) {
      throw Error(ErrorCode::size_mismatch, "cannot read " + path.string() + ": it is larger than " + format_bytes(bytes_max));
    }
    content += as_text(std::span(buffer).first(n));
  }
}

std::string read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  std::optional<std::string> content = try_read_file(path, bytes_max);
  if (!content) throw Error(ErrorCode::not_found, "cannot open " + path.string() + ": no such file or directory");
  return *std::move(content);
}

void write_file_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::path temporary = directory / random_name("." + path.filename().string() + ".");
  try {
    const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    write_all(fd.get(), as_bytes(bytes), temporary.string());
    if (fchmod(fd.get(), mode) != 0) throw io_error("cannot set the mode of", temporary.string());
    sync_file(fd.get(), temporary.string());
    if (rename(temporary.c_str(), path.c_str()) != 0) throw io_error("cannot rename to", path.string());
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  sync_directory(directory);
}

void create_directories_durably(const std::filesystem::path& directory, mode_t mode) {
  std::error_code unknown;  // mkdir then says why
  if (directory.empty() || std::filesystem::is_directory(directory, unknown)) return;
  const std::filesystem::path parent = directory.has_parent_path() ? directory.parent_path() : std::filesystem::path(".");
  if (parent != directory) create_directories_durably(parent, 0755);
  if (mkdir(directory.c_str(), mode) != 0) {
    const int error = errno;
    if (error == EEXIST && std::filesystem::is_directory(directory, unknown)) return;
    throw io_error("cannot create directory", directory.string(), error);
  }
  sync_directory(parent);
}

std::string random_name(std::string_view prefix) {
  std::array<std::byte, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) throw io_error("cannot read", "random numbers");
  return std::string(prefix) + to_hex(bytes);
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path, Mode mode) {
  for (;;) {
    UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (flock(fd.get(), (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return std::nullopt;
      throw io_error("cannot lock", path.string());
    }
    // The holder before us may have removed the file between our open and our lock: then we hold a lock that nobody sees.
    struct stat held {};
    struct stat named {};
    if (fstat(fd.get(), &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return FileLock(std::move(fd), path);
    }
  }
}

void FileLock::remove() noexcept {
  if (fd_) unlink(path_.c_str());
  fd_.reset();
}

}  // namespace drover
