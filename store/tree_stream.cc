#include "store/tree_stream.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/hasher.h"

#include <archive.h>
#include <archive_entry.h>

#include <locale.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace drover::store {
namespace {

constexpr std::size_t tar_piece_bytes = 256U << 10U;

struct ReadFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct WriteFree {
  void operator()(archive* a) const { archive_write_free(a); }
};

std::string reason_of(archive* a) {
  const char* why = archive_error_string(a);
  return printable(why == nullptr ? "unknown error" : why);
}

// In the C locale, which drover runs in, libarchive takes names beyond ASCII for errors.
class Utf8Names {
 public:
  Utf8Names() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (is_set()) before_ = uselocale(locale_);
  }
  ~Utf8Names() {
    if (!is_set()) return;
    uselocale(before_);
    freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

  bool is_set() const { return locale_ != nullptr; }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

// libarchive's reader over a source. What the source throws comes out of check().
class TarReader {
 public:
  explicit TarReader(const ByteSource& source) : source_(source), buffer_(tar_piece_bytes), archive_(archive_read_new()) {
    if (!archive_) throw Error(ErrorCode::failed, "cannot make a tar reader: out of memory");
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_empty(archive_.get());
    check(archive_read_open(archive_.get(), this, nullptr, &TarReader::on_read, nullptr));
  }
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF) {
      if (failure_) std::rethrow_exception(failure_);
      return nullptr;
    }
    check(result);
    return entry;
  }

  std::size_t read(std::span<std::byte> out) {
    const la_ssize_t got = archive_read_data(archive_.get(), out.data(), out.size());
    if (failure_) std::rethrow_exception(failure_);
    if (got < 0) throw Error(ErrorCode::invalid, "the tar stream is damaged: " + reason_of(archive_.get()));
    return static_cast<std::size_t>(got);
  }

 private:
  static la_ssize_t on_read(archive* a, void* self, const void** buffer) {
    auto& reader = *static_cast<TarReader*>(self);
    try {
      *buffer = reader.buffer_.data();
      return static_cast<la_ssize_t>(reader.source_(reader.buffer_));
    } catch (...) {  // must not cross C frames
      reader.failure_ = std::current_exception();
      archive_set_error(a, EIO, "the source failed");
      return -1;
    }
  }

  // A warning is a name that is no text in this locale; its bytes are kept as they are.
  void check(int result) {
    if (failure_) std::rethrow_exception(failure_);
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    throw Error(ErrorCode::invalid, "the tar stream is damaged: " + reason_of(archive_.get()));
  }

  const ByteSource& source_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
  std::unique_ptr<archive, ReadFree> archive_;
};

// Written as it was read: names are bytes, attributes stand where GNU tar and the engines look for them.
class Writer {
 public:
  Writer(const ByteSink& sink, const Utf8Names& utf8) : sink_(sink), archive_(archive_write_new()) {
    if (!archive_) throw Error(ErrorCode::failed, "cannot make a tar writer: out of memory");
    check(archive_write_set_format_pax_restricted(archive_.get()));
    check(archive_write_set_options(archive_.get(), utf8.is_set() ? "xattrheader=SCHILY" : "hdrcharset=BINARY,xattrheader=SCHILY"));
    check(archive_write_open(archive_.get(), this, nullptr, &Writer::on_write, nullptr));
  }
  ~Writer() { is_deaf_ = true; }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void header(archive_entry* entry) { check(archive_write_header(archive_.get(), entry)); }
  void data(std::span<const std::byte> bytes) {
    const la_ssize_t written = archive_write_data(archive_.get(), bytes.data(), bytes.size());
    check(static_cast<int>(std::min<la_ssize_t>(written, 0)));
    if (static_cast<std::size_t>(written) != bytes.size()) throw Error(ErrorCode::invalid, "the tar stream has more bytes than it says");
  }
  void finish() { check(archive_write_close(archive_.get())); }

 private:
  static la_ssize_t on_write(archive*, void* self, const void* buffer, std::size_t size) {
    auto& writer = *static_cast<Writer*>(self);
    try {
      if (!writer.is_deaf_) writer.sink_({static_cast<const std::byte*>(buffer), size});
    } catch (...) {
      writer.failure_ = std::current_exception();
      writer.is_deaf_ = true;
    }
    return static_cast<la_ssize_t>(size);
  }

  void check(int result) {
    if (failure_) std::rethrow_exception(failure_);
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    throw Error(ErrorCode::failed, "cannot write tar: " + reason_of(archive_.get()));
  }

  const ByteSink& sink_;
  bool is_deaf_ = false;  // freeing writes the end marker, which a stream that was cut must not get
  std::exception_ptr failure_;
  std::unique_ptr<archive, WriteFree> archive_;
};

// "./a" below "volume": "volume/a"; the folder itself: "volume/".
std::string rooted(const std::string& path, const std::string& root) {
  if (path == "." || path == "./") return root + "/";
  return path.starts_with("./") ? root + path.substr(1) : path;
}

std::string_view kind_of(archive_entry* entry) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return "file";
    case AE_IFDIR: return "dir";
    case AE_IFLNK: return "link";
    case AE_IFIFO: return "fifo";
    case AE_IFCHR: return "char";
    case AE_IFBLK: return "block";
    default: return "other";
  }
}

std::string mode_of(archive_entry* entry) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(archive_entry_perm(entry)));
  return text.data();
}

std::map<std::string, std::string> xattrs_of(archive_entry* entry) {
  std::map<std::string, std::string> xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (archive_entry_xattr_reset(entry); archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK;) {
    xattrs[name] = std::string(static_cast<const char*>(value), size);
  }
  return xattrs;
}

void add_xattrs(archive_entry* entry, const std::string& path, const XattrSource& source) {
  if (!source) return;
  const std::map<std::string, std::string> known = xattrs_of(entry);
  for (const auto& [name, value] : source(path)) {
    if (!known.contains(name)) archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
  }
}

std::string words_of(archive_entry* entry) {
  std::string words = std::string(kind_of(entry)) + " " + mode_of(entry) + " " + std::to_string(archive_entry_uid(entry)) + ":" +
                      std::to_string(archive_entry_gid(entry));
  const std::string_view kind = kind_of(entry);
  if (kind == "link") words += " " + std::string(archive_entry_symlink(entry));
  if (kind == "char" || kind == "block") words += " " + std::to_string(archive_entry_rdevmajor(entry)) + "," + std::to_string(archive_entry_rdevminor(entry));
  return words;
}

}  // namespace

TreeListing copy_tree(const Context& ctx, const ByteSource& tar, const TreeCopy& copy) {
  const Utf8Names utf8;
  TreeListing listing;
  TarReader reader(tar);
  std::optional<Writer> writer;
  if (copy.sink) writer.emplace(copy.sink, utf8);
  std::vector<std::byte> piece(tar_piece_bytes);
  while (archive_entry* const entry = reader.next()) {
    ctx.check_stop();
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr) throw Error(ErrorCode::invalid, "the tar stream has an entry without a name");
    const std::string path = name;
    const char* const other_name = archive_entry_hardlink(entry);
    if (other_name != nullptr) {  // everything else is told where the file itself stands
      listing[path] = "name of " + std::string(other_name);
      archive_entry_set_hardlink(entry, rooted(other_name, copy.root).c_str());
      archive_entry_set_pathname(entry, rooted(path, copy.root).c_str());
      if (writer) writer->header(entry);
      continue;
    }
    add_xattrs(entry, path, copy.xattrs);
    archive_entry_set_pathname(entry, rooted(path, copy.root).c_str());
    std::string words = words_of(entry);
    for (const auto& [key, value] : xattrs_of(entry)) words += " " + key + "=" + percent_encode(value);
    if (writer) writer->header(entry);
    if (archive_entry_filetype(entry) == AE_IFREG) {
      Hasher hasher(Digest::Algorithm::sha256);
      std::uint64_t bytes = 0;
      while (const std::size_t got = reader.read(piece)) {
        ctx.check_stop();
        const std::span<const std::byte> part = std::span(piece).first(got);
        hasher.update(part);
        if (writer) writer->data(part);
        bytes += got;
      }
      words += " " + std::to_string(bytes) + " " + hasher.finish().to_string();
    }
    listing[path] = std::move(words);
  }
  if (writer) writer->finish();
  return listing;
}

}  // namespace drover::store
