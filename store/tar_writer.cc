#include "store/tar_writer.h"

#include "base/error.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

namespace drover::store {
namespace {

// What fits the plain ustar header that every reader knows; the names that engines look for are shorter.
constexpr std::size_t name_bytes_max = 100;
// Smaller pieces (headers, padding) are gathered up to this; larger ones go to the sink as they are.
constexpr std::size_t gather_bytes = 64U << 10U;

struct ArchiveFree {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EntryFree {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

void check_name(std::string_view name) {
  const bool has_odd_character =
      std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f; });
  const std::vector<std::string_view> parts = split(name, '/');
  const bool has_odd_part = std::any_of(parts.begin(), parts.end(), [](std::string_view p) { return p.empty() || p == "." || p == ".."; });
  if (name.size() <= name_bytes_max && !has_odd_character && !has_odd_part) return;
  throw Error(ErrorCode::usage, "cannot write a tar entry named \"" + printable(name, 120) + "\"");
}

}  // namespace

struct TarWriter::Impl {
  explicit Impl(ByteSink to) : sink(std::move(to)), writer(archive_write_new()), entry(archive_entry_new()) {
    if (!writer || !entry) throw Error(ErrorCode::failed, "cannot make a tar writer: out of memory");
    gathered.reserve(gather_bytes);
    // ustar, with a pax header only for what does not fit it (files from 8 GiB).
    check(archive_write_set_format_pax_restricted(writer.get()));
    // No blocks: libarchive hands every piece on as it got it, and pads the end to nothing beyond its marker.
    check(archive_write_set_bytes_per_block(writer.get(), 0));
    check(archive_write_set_bytes_in_last_block(writer.get(), 1));
    check(archive_write_open(writer.get(), this, nullptr, &Impl::on_write, nullptr));
  }
  ~Impl() { is_deaf = true; }  // freeing writes the end marker, which a stream that was cut must not get
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static la_ssize_t on_write(archive*, void* self, const void* buffer, std::size_t size) {
    auto& impl = *static_cast<Impl*>(self);
    try {
      if (!impl.is_deaf) impl.pass_on({static_cast<const std::byte*>(buffer), size});
    } catch (...) {  // must not cross C frames; libarchive 3.6.2 leaks when told of a failure, so check() alone reports it
      impl.failure = std::current_exception();
      impl.is_deaf = true;
    }
    return static_cast<la_ssize_t>(size);
  }

  void pass_on(std::span<const std::byte> bytes) {
    if (gathered.size() + bytes.size() > gather_bytes) flush();
    if (bytes.size() >= gather_bytes) {
      sink(bytes);
    } else {
      gathered.insert(gathered.end(), bytes.begin(), bytes.end());
    }
  }

  void flush() {
    if (gathered.empty()) return;
    sink(gathered);
    gathered.clear();
  }

  void check(la_ssize_t result) {
    if (failure) std::rethrow_exception(failure);
    if (result >= ARCHIVE_OK) return;
    const char* why = archive_error_string(writer.get());
    throw Error(ErrorCode::failed, "cannot write tar: " + std::string(why == nullptr ? "unknown error" : why));
  }

  void end_entry() {
    if (remaining != 0) {
      throw Error(ErrorCode::size_mismatch, "tar entry " + name + " is " + std::to_string(remaining) + " bytes short of its size");
    }
  }

  ByteSink sink;
  std::vector<std::byte> gathered;
  std::exception_ptr failure;
  bool is_deaf = false;  // the sink hears nothing more
  std::string name;
  std::uint64_t remaining = 0;
  std::unique_ptr<archive, ArchiveFree> writer;
  std::unique_ptr<archive_entry, EntryFree> entry;
};

TarWriter::TarWriter(ByteSink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {}
TarWriter::~TarWriter() = default;

void TarWriter::add(std::string_view name, std::string_view bytes, const TarAttributes& attributes) {
  begin(name, bytes.size(), attributes);
  write(as_bytes(bytes));
}

void TarWriter::begin(std::string_view name, std::uint64_t size, const TarAttributes& attributes) {
  impl_->end_entry();
  check_name(name);
  impl_->name = name;
  archive_entry* entry = archive_entry_clear(impl_->entry.get());
  archive_entry_set_pathname(entry, impl_->name.c_str());
  archive_entry_set_size(entry, static_cast<la_int64_t>(size));
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, static_cast<__LA_MODE_T>(attributes.mode & 07777U));
  archive_entry_set_uid(entry, attributes.uid);
  archive_entry_set_gid(entry, attributes.gid);
  archive_entry_set_mtime(entry, attributes.time, 0);
  impl_->check(archive_write_header(impl_->writer.get(), entry));
  impl_->remaining = size;
}

void TarWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > impl_->remaining) {
    throw Error(ErrorCode::size_mismatch, "tar entry " + impl_->name + " gets more bytes than its size");
  }
  while (!bytes.empty()) {
    const la_ssize_t n = archive_write_data(impl_->writer.get(), bytes.data(), bytes.size());
    impl_->check(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    impl_->remaining -= static_cast<std::uint64_t>(n);
  }
}

void TarWriter::finish() {
  impl_->end_entry();
  impl_->check(archive_write_close(impl_->writer.get()));
  impl_->flush();
}

}  // namespace drover::store
