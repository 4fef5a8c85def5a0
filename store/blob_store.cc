#include "store/blob_store.h"

#include "base/error.h"
#include "base/text.h"
#include "store/blob_file.h"
#include "store/index_json.h"
#include "store/layout_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>
#include <thread>

namespace drover::store {
namespace {

constexpr mode_t blob_mode = 0444;  // nobody writes to a blob, its owner included
constexpr mode_t lock_mode = 0600;

FileLock acquire_store_lock(const std::filesystem::path& root) {
  const std::filesystem::path path = root / store_lock_name;
  std::optional<FileLock> lock = FileLock::try_acquire(path, FileLock::Mode::shared);
  if (!lock) {
    throw Error(ErrorCode::locked, "the store " + root.string() + " is being cleaned by another drover; try again when it is done");
  }
  chmod(path.c_str(), lock_mode);  // a umask may have taken our own bits
  return *std::move(lock);
}

// A layout of another tool has no lock and may be on a disk that cannot have one: nobody cleans it either.
std::optional<FileLock> acquire_reader_lock(const std::filesystem::path& root) {
  const std::filesystem::path path = root / store_lock_name;
  if (access(path.c_str(), R_OK | W_OK) != 0) return std::nullopt;
  return acquire_store_lock(root);
}

FileLock acquire_index_lock(const std::filesystem::path& root) {
  const auto deadline = std::chrono::steady_clock::now() + index_lock_patience;
  for (;;) {
    std::optional<FileLock> lock = FileLock::try_acquire(root / index_lock_name, FileLock::Mode::exclusive);
    if (lock) {
      chmod((root / index_lock_name).c_str(), lock_mode);
      return *std::move(lock);
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorCode::locked, "cannot write " + (root / "index.json").string() + ": another process has kept it locked for " +
                                         std::to_string(index_lock_patience.count()) + " s");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string read_index_json(const std::filesystem::path& root) {
  const std::optional<std::string> text = try_read_file(root / "index.json", index_json_bytes_max);
  if (!text) {
    throw Error(ErrorCode::not_found, "the store " + root.string() +
                                          " has no index.json, which names its images; pull them again: what is in blobs/ is not fetched twice");
  }
  return *text;
}

// Adds the file's name and the way out to what the parser says.
template <typename Function>
auto with_index_frame(const std::filesystem::path& root, Function&& function) {
  try {
    return function();
  } catch (Error& e) {
    if (e.code() != ErrorCode::invalid) throw;
    throw Error(ErrorCode::invalid, "cannot use the store " + root.string() + ": " + e.what() +
                                        "; move index.json away and pull the images again (what is in blobs/ is not fetched twice)");
  }
}

void write_index_json(const std::filesystem::path& root, std::string_view json) {
  // A blob that another process has just renamed into place may not have reached the disk; a tag must not be there before it.
  for (const char* algorithm : {"sha256", "sha512"}) {
    const std::filesystem::path folder = root / "blobs" / algorithm;
    if (std::filesystem::is_directory(folder)) sync_directory(folder);
  }
  write_file_durably(root / "index.json", json, 0644);
}

void create_index_json(const std::filesystem::path& root) {
  if (std::filesystem::exists(root / "index.json")) return;
  const FileLock lock = acquire_index_lock(root);
  if (!std::filesystem::exists(root / "index.json")) write_file_durably(root / "index.json", empty_index_json(), 0644);
}

bool has_bytes(const std::filesystem::path& path, std::string_view bytes) {
  const std::optional<OpenBlob> blob = open_blob(path);
  if (!blob || blob->size != bytes.size()) return false;
  std::string stored(bytes.size(), '\0');
  return read_at(blob->fd.get(), std::as_writable_bytes(std::span(stored)), 0, path.string()) == bytes.size() && stored == bytes;
}

}  // namespace

struct BlobStore::Distrust {
  std::mutex mutex;
  std::set<Digest> digests;
};

BlobStore::BlobStore(std::filesystem::path root, Access access, std::optional<FileLock> lock)
    : root_(std::move(root)), access_(access), lock_(std::move(lock)) {}

BlobStore BlobStore::open(const std::filesystem::path& root, Access access) {
  const std::filesystem::path absolute = std::filesystem::absolute(root).lexically_normal();
  if (access == Access::read) {
    check_layout(absolute);
    return BlobStore(absolute, access, acquire_reader_lock(absolute));
  }
  prepare_layout(absolute);
  FileLock lock = acquire_store_lock(absolute);
  create_index_json(absolute);
  return BlobStore(absolute, access, std::move(lock));
}

void BlobStore::require_write(std::string_view what) const {
  if (access_ == Access::write) return;
  throw Error(ErrorCode::refused, "cannot " + std::string(what) + ": the store " + root_.string() + " is open for reading only");
}

std::filesystem::path BlobStore::blob_path(const Digest& digest) const { return store::blob_path(root_, digest); }

std::filesystem::path BlobStore::ingest_path(const Digest& digest, std::string_view suffix) const {
  return root_ / "ingest" / (std::string(digest.algorithm_name()) + "-" + digest.hex() + std::string(suffix));
}

std::optional<std::uint64_t> BlobStore::find_size(const Digest& digest) const {
  if (distrust_) {
    const std::lock_guard lock(distrust_->mutex);
    if (distrust_->digests.contains(digest)) return std::nullopt;
  }
  return find_file_size(blob_path(digest));
}

bool BlobStore::has(const Digest& digest, std::uint64_t size) const { return find_size(digest) == size; }

std::string BlobStore::read(const Digest& digest, std::uint64_t bytes_max) const { return read_blob(root_, digest, bytes_max); }

void BlobStore::put(const Digest& digest, std::string_view bytes) {
  require_write("put a blob");
  if (Digest::of(bytes, digest.algorithm()) != digest) {
    throw Error(ErrorCode::digest_mismatch, "cannot put blob " + digest.to_string() + ": the " + std::to_string(bytes.size()) +
                                                " bytes given have digest " + Digest::of(bytes, digest.algorithm()).to_string());
  }
  // A file of that name is believed by its bytes only: these are small, and a planted or damaged one is replaced here.
  if (has_bytes(blob_path(digest), bytes)) return;
  const std::filesystem::path temporary = ingest_path(digest, random_name(".put-"));
  try {
    const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    write_all(fd.get(), as_bytes(bytes), temporary.string());
    if (fchmod(fd.get(), blob_mode) != 0) throw io_error("cannot set the mode of", temporary.string());
    sync_file(fd.get(), temporary.string());
    adopt(digest, temporary);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

void BlobStore::adopt(const Digest& digest, const std::filesystem::path& part_file) {
  require_write("adopt a blob");
  struct stat info {};
  if (lstat(part_file.c_str(), &info) != 0) throw io_error("cannot stat", part_file.string());
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::invalid, "cannot adopt " + part_file.string() + ": it is not a regular file");
  if ((info.st_mode & 07777U) != blob_mode) {
    const UniqueFd fd = open_file(part_file, O_RDONLY | O_NOFOLLOW);
    if (fchmod(fd.get(), blob_mode) != 0) throw io_error("cannot set the mode of", part_file.string());
    sync_file(fd.get(), part_file.string());
  }
  const std::filesystem::path path = blob_path(digest);
  make_folder(path.parent_path(), 0755);
  if (rename(part_file.c_str(), path.c_str()) != 0) throw io_error("cannot move into place", path.string());
  sync_directory(path.parent_path());
  if (!distrust_) return;
  const std::lock_guard lock(distrust_->mutex);
  distrust_->digests.erase(digest);
}

void BlobStore::distrust(const std::vector<Digest>& digests) {
  distrust_ = digests.empty() ? nullptr : std::make_shared<Distrust>();
  if (distrust_) distrust_->digests.insert(digests.begin(), digests.end());
}

void BlobStore::discard(const Digest& digest) {
  require_write("discard a blob");
  const std::filesystem::path path = blob_path(digest);
  if (rename(path.c_str(), ingest_path(digest, random_name(".damaged-")).c_str()) != 0) {
    if (errno == ENOENT) return;
    throw io_error("cannot move away", path.string());
  }
  sync_directory(root_ / "ingest");
  sync_directory(path.parent_path());
}

std::vector<Tag> BlobStore::tags() const {
  const std::string json = read_index_json(root_);
  return with_index_frame(root_, [&] { return parse_index_tags(json); });
}

std::optional<Tag> BlobStore::find_tag(std::string_view name) const {
  const std::vector<Tag> all = tags();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Tag& tag) { return tag.name == name; });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

void BlobStore::set_tags(const std::vector<Tag>& tags) {
  require_write("set tags");
  for (const Tag& tag : tags) {
    if (has(tag.descriptor.digest, tag.descriptor.size)) continue;
    throw Error(ErrorCode::not_found, "cannot tag " + printable(tag.name, 200) + ": its root " + tag.descriptor.digest.to_string() +
                                          " is not in the store " + root_.string());
  }
  const FileLock lock = acquire_index_lock(root_);
  const std::string json = read_index_json(root_);
  const std::string changed = with_index_frame(root_, [&] { return with_tags(json, tags); });
  if (changed != json) write_index_json(root_, changed);
}

bool BlobStore::remove_tag(std::string_view name) {
  require_write("remove a tag");
  const FileLock lock = acquire_index_lock(root_);
  const std::string json = read_index_json(root_);
  const std::optional<std::string> changed = with_index_frame(root_, [&] { return without_tag(json, name); });
  if (changed) write_index_json(root_, *changed);
  return changed.has_value();
}

}  // namespace drover::store
