// Tar streams of regular files for engines and archives: deterministic (owner 0, mode 0644, time 0, unless told otherwise). The only user of libarchive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace drover::store {

using ByteSink = std::function<void(std::span<const std::byte>)>;

// What a file of `size` bytes takes in the stream: header and whole blocks (POSIX.1-2017 pax, ustar), for a name of at most 100 bytes.
constexpr std::uint64_t tar_entry_bytes(std::uint64_t size) { return 512 + (size + 511) / 512 * 512; }

// Of a file, where the stream's own are not meant.
struct TarAttributes {
  std::uint32_t mode = 0644;  // permissions alone
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t time = 0;      // seconds since 1970
};

// Not thread-safe. What the sink throws comes out of the call that wrote.
class TarWriter {
 public:
  explicit TarWriter(ByteSink sink);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  // A whole small file.
  void add(std::string_view name, std::string_view bytes, const TarAttributes& attributes = {});
  // A file of exactly `size` bytes, then `write` until they are all there. Throws size_mismatch on more, or on fewer at the next call.
  void begin(std::string_view name, std::uint64_t size, const TarAttributes& attributes = {});
  void write(std::span<const std::byte> bytes);
  // The end-of-archive marker; without it the stream is cut.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::store
