#include "store/volume_archive.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/tree_stream.h"

#include <nlohmann/json.hpp>
#include <zstd.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace drover::store {
namespace {

using Object = nlohmann::json;

constexpr int zstd_level = 3;                          // zstd's own default
constexpr std::uint32_t frame_magic = 0x184D2A5D;      // RFC 8878 section 3.1.2: skippable
constexpr std::string_view closing = "drovervolume1";  // the last bytes of the file
constexpr std::uint64_t words_bytes_max = 1U << 20U;   // labels and options of a volume are some kB

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
  return bytes;
}

Object json_of(const VolumeArchive& archive) {
  return {{"volume", archive.volume}, {"driver", archive.driver},   {"labels", archive.labels}, {"options", archive.options},
          {"time", archive.time},     {"entries", archive.entries}, {"bytes", archive.bytes},   {"tree", archive.tree->to_string()}};
}

// JSON, its length, the closing word: found from the end of the file, passed over by every zstd reader.
std::string trailer_of(const VolumeArchive& archive) {
  const std::string words = json_of(archive).dump(-1, ' ', false, Object::error_handler_t::replace);
  const std::string content = words + little_endian(static_cast<std::uint32_t>(words.size())) + std::string(closing);
  return little_endian(frame_magic) + little_endian(static_cast<std::uint32_t>(content.size())) + content;
}

Error no_archive(const std::filesystem::path& file, const std::string& why) {
  return Error(ErrorCode::invalid, file.string() + " is no archive of a volume, or is cut: " + why);
}

class Compressor {
 public:
  explicit Compressor(const ByteSink& sink) : sink_(sink), context_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize()) {
    if (!context_) throw Error(ErrorCode::failed, "cannot make a zstd encoder: out of memory");
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  void write(std::span<const std::byte> bytes) { run(bytes, ZSTD_e_continue); }
  void finish() { run({}, ZSTD_e_end); }

 private:
  void run(std::span<const std::byte> bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer source{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer target{buffer_.data(), buffer_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &target, &source, directive);
      if (ZSTD_isError(left) != 0U) throw Error(ErrorCode::failed, std::string("cannot compress: ") + ZSTD_getErrorName(left));
      sink_(std::span(buffer_).first(target.pos));
      if (directive == ZSTD_e_end ? left == 0 : source.pos == source.size) return;
    }
  }

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  const ByteSink& sink_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::vector<std::byte> buffer_;
};

// A file under a name of its own until all of it is known to be good.
class Draft {
 public:
  explicit Draft(std::filesystem::path file) : file_(std::move(file)) {
    while (!make()) {
    }
  }
  ~Draft() {
    if (!part_.empty()) unlink(part_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const std::filesystem::path& part() const { return part_; }
  void write(std::span<const std::byte> bytes) { write_all(fd_.get(), bytes, part_.string()); }
  void sync() { sync_file(fd_.get(), part_.string()); }
  void publish() {
    // Never over another archive: link(2) refuses where rename(2) would replace.
    if (link(part_.c_str(), file_.c_str()) != 0) throw io_error("cannot write", file_.string());
    unlink(part_.c_str());
    part_.clear();
    sync_directory(file_.parent_path());
  }

 private:
  // Whoever tidies up may come between making and locking it. Where there are no locks, nobody tidies up.
  bool make() {
    part_ = file_.parent_path() / random_name("." + file_.filename().string() + ".");
    fd_ = open_file(part_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    struct stat status {};
    static_cast<void>(flock(fd_.get(), LOCK_EX));
    if (fstat(fd_.get(), &status) != 0) throw io_error("cannot look at", part_.string());
    return status.st_nlink > 0;
  }

  std::filesystem::path file_;
  std::filesystem::path part_;
  UniqueFd fd_;
};

// ".<volume>-<time>.tar.zst.<16 hex>"
bool is_draft_name(const std::string& name) {
  constexpr std::size_t hex_digits = 16;
  constexpr std::string_view suffix = ".tar.zst.";
  if (name.size() < 1 + suffix.size() + hex_digits || name.front() != '.') return false;
  const std::string_view head = std::string_view(name).substr(0, name.size() - hex_digits);
  const std::string_view tail = std::string_view(name).substr(head.size());
  return head.ends_with(suffix) && tail.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

TreeListing list_file(const Context& ctx, const std::filesystem::path& file) {
  VolumeArchiveReader reader(file);
  return list_tree(ctx, [&](std::span<std::byte> out) { return reader.read(out); });
}

}  // namespace

Digest digest_of(const TreeListing& listing) {
  std::string text;
  for (const auto& [path, words] : listing) text += std::to_string(path.size()) + " " + path + " " + words + "\n";
  return Digest::of(text);
}

std::string difference_of(const TreeListing& wanted, const TreeListing& found) {
  for (const auto& [path, words] : wanted) {
    const auto other = found.find(path);
    if (other == found.end()) return printable(path) + " is missing";
    if (other->second != words) return printable(path) + " is " + printable(other->second) + " instead of " + printable(words);
  }
  for (const auto& [path, words] : found) {
    if (!wanted.contains(path)) return printable(path) + " is there and should not be";
  }
  return {};
}

TreeListing list_tree(const Context& ctx, const ByteSource& tar, const XattrSource& xattrs) { return copy_tree(ctx, tar, {.xattrs = xattrs}); }

void write_tree(const Context& ctx, const ByteSource& tar, const std::string& root, const std::function<void(std::span<const std::byte>)>& sink) {
  copy_tree(ctx, tar, {.root = root, .sink = sink});
}

VolumeArchive write_volume_archive(const Context& ctx, const std::filesystem::path& file, VolumeArchive about, const ByteSource& tar,
                                   const ArchiveOptions& options) {
  remove_stale_drafts(file.parent_path());
  Draft draft(file);
  const ByteSink to_file = [&](std::span<const std::byte> bytes) { draft.write(bytes); };
  Compressor compressor(to_file);
  const ByteSink to_compressor = [&](std::span<const std::byte> bytes) {
    about.bytes += bytes.size();
    compressor.write(bytes);
  };
  const TreeListing listing = copy_tree(ctx, tar, {.xattrs = options.xattrs, .sink = to_compressor});
  compressor.finish();
  if (options.check) options.check(listing);
  about.entries = listing.size();
  about.tree = digest_of(listing);
  draft.write(as_bytes(trailer_of(about)));
  draft.sync();
  const std::string difference = difference_of(listing, list_file(ctx, draft.part()));
  if (!difference.empty()) throw Error(ErrorCode::digest_mismatch, "cannot archive to " + file.string() + ": read back, " + difference);
  read_volume_archive(draft.part());
  draft.publish();
  return about;
}

void remove_stale_drafts(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (!is_draft_name(entry->path().filename().string())) continue;
    const UniqueFd fd(open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) unlink(entry->path().c_str());
  }
}

VolumeArchive read_volume_archive(const std::filesystem::path& file) {
  const UniqueFd fd = open_file(file, O_RDONLY);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw io_error("cannot look at", file.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t tail_bytes = closing.size() + 4;
  std::string tail(tail_bytes, '\0');
  if (size < tail_bytes + 8 || read_at(fd.get(), std::as_writable_bytes(std::span(tail)), size - tail_bytes, file.string()) != tail_bytes ||
      !tail.ends_with(closing)) {
    throw no_archive(file, "its end is not that of one");
  }
  const std::uint64_t words_bytes = little_endian(tail);
  if (words_bytes > words_bytes_max || words_bytes + tail_bytes + 8 > size) throw no_archive(file, "its end is damaged");
  std::string words(words_bytes, '\0');
  read_at(fd.get(), std::as_writable_bytes(std::span(words)), size - tail_bytes - words_bytes, file.string());
  try {
    const Object json = Object::parse(words);
    return {.volume = json.at("volume").get<std::string>(),
            .driver = json.at("driver").get<std::string>(),
            .labels = json.at("labels").get<std::map<std::string, std::string>>(),
            .options = json.at("options").get<std::map<std::string, std::string>>(),
            .time = json.at("time").get<std::int64_t>(),
            .entries = json.at("entries").get<std::uint64_t>(),
            .bytes = json.at("bytes").get<std::uint64_t>(),
            .tree = Digest::parse(json.at("tree").get<std::string>())};
  } catch (const Object::exception& error) {
    throw no_archive(file, error.what());
  }
}

// Not store::InflateReader: that one takes more than 1100 times as many bytes as were read for an attack, and an empty database is just that.
struct VolumeArchiveReader::Impl {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::filesystem::path file;
  UniqueFd fd;
  std::uint64_t offset = 0;
  std::vector<std::byte> buffer;
  ZSTD_inBuffer source{};
  bool is_between_frames = true;
  std::unique_ptr<ZSTD_DCtx, Free> context;
};

VolumeArchiveReader::VolumeArchiveReader(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  impl_->file = file;
  impl_->fd = open_file(file, O_RDONLY);
  impl_->buffer.resize(ZSTD_DStreamInSize());
  impl_->context.reset(ZSTD_createDCtx());
  if (!impl_->context) throw Error(ErrorCode::failed, "cannot make a zstd decoder: out of memory");
}

VolumeArchiveReader::~VolumeArchiveReader() = default;

std::size_t VolumeArchiveReader::read(std::span<std::byte> out) {
  Impl& impl = *impl_;
  ZSTD_outBuffer target{out.data(), out.size(), 0};
  while (target.pos == 0 && !out.empty()) {
    if (impl.source.pos == impl.source.size) {
      const std::size_t got = read_at(impl.fd.get(), impl.buffer, impl.offset, impl.file.string());
      impl.offset += got;
      impl.source = {impl.buffer.data(), got, 0};
      if (got == 0 && !impl.is_between_frames) throw no_archive(impl.file, "it ends too early");
      if (got == 0) return 0;
    }
    const std::size_t hint = ZSTD_decompressStream(impl.context.get(), &target, &impl.source);
    if (ZSTD_isError(hint) != 0U) throw no_archive(impl.file, std::string("zstd: ") + ZSTD_getErrorName(hint));
    impl.is_between_frames = hint == 0;
  }
  return target.pos;
}

}  // namespace drover::store
