#include "store/part_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "digest/sha256_lanes.h"
#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

namespace drover::store {
namespace {

constexpr std::uint64_t journalled_from_bytes = 1U << 20U;  // a smaller blob is fetched again sooner than it is resumed
constexpr std::size_t record_bytes_max = 1U << 20U;         // one record's range, so that checking it needs no more memory
// One write(2), and with it the largest piece of page cache that is taken at a time: decision 0012.
constexpr std::size_t write_bytes = 32U << 10U;
constexpr std::uint64_t write_back_bytes = 8U << 20U;  // that lie in the page cache before the disk is told to begin with them
constexpr auto sync_interval = std::chrono::seconds(1);
constexpr int sync_share = 20;  // at most a twentieth of the time goes into syncs, on disks where one takes long

// The kernel's name for this boot; zero, which no journal has, when it is not to be had.
BootId read_boot_id() {
  BootId id{};
  std::string text = try_read_file("/proc/sys/kernel/random/boot_id", 64).value_or("");
  std::erase_if(text, [](char c) { return c == '-' || c == '\n'; });
  const auto bytes = parse_hex(text);
  if (bytes && bytes->size() == id.size()) std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

bool is_private_directory(const std::filesystem::path& directory) {
  struct stat info {};
  return stat(directory.c_str(), &info) == 0 && info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::uint64_t inode_of(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

// A fresh part file of the blob's size, its blocks taken now, so that a full disk is known before the first byte.
UniqueFd create_part(const std::filesystem::path& path, std::uint64_t size) {
  unlink(path.c_str());
  UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (size == 0) return fd;
  int error = 0;
  do {  // tmpfs gives up at any signal, one that asks to stop in order included
    error = posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
  } while (error == EINTR);
  if (error == EOPNOTSUPP || error == EINVAL) {
    if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) throw io_error("cannot size", path.string());
  } else if (error != 0) {
    unlink(path.c_str());
    throw io_error("cannot reserve " + format_bytes(size) + " in", path.string(), error);
  }
  return fd;
}

// An existing part file of exactly the blob's size.
UniqueFd open_part(const std::filesystem::path& path, std::uint64_t size) {
  const int raw = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  UniqueFd fd(raw);
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != size) return {};
  return fd;
}

}  // namespace

struct PartFile::Impl {
  Descriptor descriptor;
  FileLock lock;
  std::filesystem::path part_path;
  std::filesystem::path journal_path;
  UniqueFd part;
  UniqueFd journal;  // opened with the first write; stays closed for small blobs
  std::uint64_t resumed = 0;
  // What the writing and the hashing thread tell each other.
  std::unique_ptr<std::mutex> mutex = std::make_unique<std::mutex>();
  RangeSet present;
  std::uint64_t hashed = 0;
  Sha256::Midstate midstate;  // of the hashed bytes, as far as they are whole blocks
  // The hashing thread's own.
  Hasher hasher{Digest::Algorithm::sha256};
  std::vector<JournalRecord> kept;  // of an earlier attempt, written into the new journal
  std::vector<std::byte> buffer;
  // The writing thread's own.
  std::chrono::steady_clock::time_point next_sync;
  bool is_dirty = false;     // records since the last sync
  std::uint64_t cached = 0;  // bytes written since the disk was told to begin

  void resume(const Context& ctx);
  RangeSet check_ranges(const Context& ctx, std::vector<JournalRecord>& records);
  void put(std::span<const std::byte> bytes, std::uint64_t offset);
  void open_journal();
  void append(const JournalRecord& record);
  void sync(const Context& ctx);
  ByteRange unhashed() const;
  void read_back(std::span<std::byte> bytes, std::uint64_t offset) const;
  void publish_hashed();
  void hash_ready(const Context& ctx);
  void drop() noexcept;
};

std::optional<PartFile> PartFile::try_open(const Context& ctx, BlobStore& store, const Descriptor& descriptor) {
  std::optional<FileLock> lock = FileLock::try_acquire(store.ingest_path(descriptor.digest, ".lock"), FileLock::Mode::exclusive);
  if (!lock) return std::nullopt;
  auto impl = std::make_unique<Impl>(Impl{.descriptor = descriptor,
                                          .lock = *std::move(lock),
                                          .part_path = store.ingest_path(descriptor.digest, ".part"),
                                          .journal_path = store.ingest_path(descriptor.digest, ".journal"),
                                          .part = {},
                                          .journal = {},
                                          .present = {},
                                          .midstate = {},
                                          .hasher = Hasher(descriptor.digest.algorithm()),
                                          .kept = {},
                                          .buffer = {},
                                          .next_sync = ctx.clock->now() + sync_interval});
  impl->resume(ctx);
  if (!impl->part) impl->part = create_part(impl->part_path, descriptor.size);
  return PartFile(std::move(impl));
}

// Takes up what an earlier attempt left, as far as it can be believed.
void PartFile::Impl::resume(const Context& ctx) {
  std::optional<Journal> old = read_journal(journal_path);
  if (!old || old->header.digest != descriptor.digest || old->header.size != descriptor.size) return;
  part = open_part(part_path, descriptor.size);
  if (!part || inode_of(part.get()) != old->header.inode) {
    part.reset();
    return;
  }
  kept = credible_records(*std::move(old), read_boot_id());
  present = check_ranges(ctx, kept);
  resumed = present.bytes();
  if (resumed == 0) {
    part.reset();
    kept.clear();
    return;
  }
  ctx.debug("resuming " + descriptor.digest.to_string() + " with " + present.to_string());
  // The saved state stands for the bytes before it; it is believed only where nobody else can write, and where hashing again costs.
  if (present.prefix() < resume_hash_bytes || !is_private_directory(part_path.parent_path())) return;
  const Sha256::Midstate* best = nullptr;
  for (const JournalRecord& record : kept) {
    if (record.midstate.bytes <= present.prefix() && (best == nullptr || record.midstate.bytes > best->bytes)) best = &record.midstate;
  }
  if (best != nullptr && best->bytes > 0 && descriptor.digest.algorithm() == Digest::Algorithm::sha256) hasher = Hasher(*best);
  publish_hashed();
}

// The recorded ranges whose bytes on disk still have the recorded CRC; the other records are taken out. Throws interrupted: of a large
// blob this reads for minutes.
RangeSet PartFile::Impl::check_ranges(const Context& ctx, std::vector<JournalRecord>& records) {
  RangeSet good;
  std::erase_if(records, [&](const JournalRecord& record) {
    ctx.check_stop();
    if (record.kind != JournalRecord::Kind::range || record.range.size() > record_bytes_max) return true;
    buffer.resize(std::max<std::size_t>(buffer.size(), record.range.size()));
    const std::span<std::byte> bytes = std::span(buffer).first(record.range.size());
    if (read_at(part.get(), bytes, record.range.begin, part_path.string()) != bytes.size() || crc32c(bytes) != record.crc) return true;
    good.add(record.range);
    return false;
  });
  return good;
}

void PartFile::Impl::put(std::span<const std::byte> bytes, std::uint64_t offset) {
  cached += bytes.size();
  while (!bytes.empty()) {
    const std::span<const std::byte> first = bytes.first(std::min(bytes.size(), write_bytes));
    write_all_at(part.get(), first, offset, part_path.string());
    bytes = bytes.subspan(first.size());
    offset += first.size();
  }
  if (cached < write_back_bytes) return;
  cached = 0;
  // Only a beginning, so that the sync at the end has little left to do; that sync is what tells of errors.
  sync_file_range(part.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

// A new journal of this boot, holding what was kept, put in the old one's place at once.
void PartFile::Impl::open_journal() {
  constexpr std::size_t batch_bytes = 64U << 10U;
  const std::filesystem::path fresh = journal_path.parent_path() / random_name(journal_path.filename().string() + ".");
  UniqueFd fd = open_file(fresh, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0600);
  std::string bytes = encode_header(
      {.digest = descriptor.digest, .size = descriptor.size, .inode = inode_of(part.get()), .boot = read_boot_id()});
  for (const JournalRecord& record : kept) {
    bytes += encode_record(record);
    if (bytes.size() < batch_bytes) continue;
    write_all(fd.get(), as_bytes(bytes), fresh.string());
    bytes.clear();
  }
  write_all(fd.get(), as_bytes(bytes), fresh.string());
  if (rename(fresh.c_str(), journal_path.c_str()) != 0) throw io_error("cannot rename to", journal_path.string());
  journal = std::move(fd);
  kept = {};
}

void PartFile::Impl::append(const JournalRecord& record) {
  write_all(journal.get(), as_bytes(encode_record(record)), journal_path.string());
}

// Data first, then the record that vouches for it.
void PartFile::Impl::sync(const Context& ctx) {
  if (!is_dirty || !journal) return;
  const auto begin = ctx.clock->now();
  if (fdatasync(part.get()) != 0) throw io_error("cannot sync", part_path.string());
  append({.kind = JournalRecord::Kind::synced, .range = {}, .midstate = {}});
  if (fdatasync(journal.get()) != 0) throw io_error("cannot sync", journal_path.string());
  const auto end = ctx.clock->now();
  next_sync = end + std::max<std::chrono::steady_clock::duration>(sync_interval, (end - begin) * sync_share);
  is_dirty = false;
}

// One step behind the frontier.
ByteRange PartFile::Impl::unhashed() const {
  const std::scoped_lock guard(*mutex);
  return {hashed, std::min<std::uint64_t>(std::max(hashed, present.prefix()), hashed + hash_step_bytes)};
}

void PartFile::Impl::publish_hashed() {
  const std::scoped_lock guard(*mutex);
  hashed = hasher.bytes();
  midstate = hasher.midstate().value_or(Sha256::Midstate{});
}

// All that lies contiguous behind the frontier, by this thread alone.
void PartFile::Impl::hash_ready(const Context& ctx) {
  for (ByteRange range = unhashed(); range.size() > 0; range = unhashed()) {
    ctx.check_stop();
    buffer.resize(std::max(buffer.size(), hash_step_bytes));
    const std::span<std::byte> bytes = std::span(buffer).first(range.size());
    read_back(bytes, range.begin);
    hasher.update(bytes);
    publish_hashed();
  }
}

void PartFile::Impl::read_back(std::span<std::byte> bytes, std::uint64_t offset) const {
  if (read_at(part.get(), bytes, offset, part_path.string()) != bytes.size()) {
    throw Error(ErrorCode::io, "cannot read " + part_path.string() + ": it became shorter while it was in use");
  }
}

void PartFile::Impl::drop() noexcept {
  part.reset();
  journal.reset();
  unlink(part_path.c_str());
  unlink(journal_path.c_str());
  lock.remove();
}

PartFile::PartFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PartFile::PartFile(PartFile&&) noexcept = default;
PartFile& PartFile::operator=(PartFile&&) noexcept = default;

PartFile::~PartFile() {
  if (!impl_ || !impl_->part) return;
  if (impl_->journal || !impl_->kept.empty()) {
    try {
      impl_->sync({});
    } catch (const std::exception&) {
      // The records stand for this boot all the same; after a power cut fewer of them count.
    }
    return;
  }
  impl_->drop();  // no journal: nothing here can be taken up again
}

const Descriptor& PartFile::descriptor() const { return impl_->descriptor; }
RangeSet PartFile::present() const {
  const std::scoped_lock guard(*impl_->mutex);
  return impl_->present;
}
std::uint64_t PartFile::resumed_bytes() const { return impl_->resumed; }
std::uint64_t PartFile::hashed_bytes() const {
  const std::scoped_lock guard(*impl_->mutex);
  return impl_->hashed;
}

bool PartFile::has_unhashed() const { return impl_->unhashed().size() > 0; }

void PartFile::hash_frontiers(const Sha256Lanes& lanes, std::span<PartFile* const> parts, std::vector<std::byte>& memory) {
  constexpr std::size_t slot_bytes = hash_step_bytes + 64;  // staggered: digest/sha256_lanes.h
  memory.resize(std::max(memory.size(), parts.size() * slot_bytes));
  std::vector<HashPiece> pieces;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Impl& part = *parts[i]->impl_;
    const ByteRange range = part.unhashed();
    const std::span<std::byte> bytes = std::span(memory).subspan(i * slot_bytes, range.size());
    part.read_back(bytes, range.begin);
    pieces.push_back({&part.hasher, bytes});
  }
  Hasher::update(lanes, pieces);
  for (PartFile* const part : parts) part->impl_->publish_hashed();
}

void PartFile::write(const Context& ctx, std::uint64_t offset, std::span<const std::byte> bytes) {
  Impl& part = *impl_;
  const std::uint64_t size = part.descriptor.size;
  if (offset > size || bytes.size() > size - offset) {
    throw Error(ErrorCode::size_mismatch, "blob " + part.descriptor.digest.to_string() + " has more than its " + std::to_string(size) + " bytes");
  }
  if (bytes.empty()) return;
  if (bytes.size() > record_bytes_max) {
    write(ctx, offset, bytes.first(record_bytes_max));
    return write(ctx, offset + record_bytes_max, bytes.subspan(record_bytes_max));
  }
  part.put(bytes, offset);
  const ByteRange range{offset, offset + bytes.size()};
  Sha256::Midstate midstate;
  {
    const std::scoped_lock guard(*part.mutex);
    part.present.add(range);
    midstate = part.midstate;
  }
  if (size < journalled_from_bytes) return;
  if (!part.journal) part.open_journal();
  part.append({.crc = crc32c(bytes), .range = range, .midstate = midstate});
  part.is_dirty = true;
  if (ctx.clock->now() >= part.next_sync) part.sync(ctx);
}

void PartFile::commit(const Context& ctx, BlobStore& store) {
  Impl& part = *impl_;
  if (part.present.prefix() != part.descriptor.size) {  // nobody else works on it any more
    throw Error(ErrorCode::size_mismatch, "blob " + part.descriptor.digest.to_string() + " is incomplete: " + part.present.to_string());
  }
  part.hash_ready(ctx);
  const Digest actual = part.hasher.finish();
  if (actual != part.descriptor.digest) {
    part.drop();
    throw Error(ErrorCode::digest_mismatch, "blob " + part.descriptor.digest.to_string() + " has other bytes: they hash to " + actual.to_string());
  }
  if (fchmod(part.part.get(), 0444) != 0) throw io_error("cannot set the mode of", part.part_path.string());
  sync_file(part.part.get(), part.part_path.string());
  store.adopt(part.descriptor.digest, part.part_path);
  part.drop();
}

void PartFile::abandon() { impl_->drop(); }

}  // namespace drover::store
