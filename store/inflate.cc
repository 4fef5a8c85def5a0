#include "store/inflate.h"

#include "base/error.h"
#include "base/text.h"
#include "store/gzip_stream.h"
#include "store/layer_input.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <variant>

namespace drover::store {
namespace {

// Deflate cannot do better than 1032:1; a zstd stream beyond that is a bomb, or holds next to nothing. Small files may.
constexpr std::uint64_t ratio_max = 1100;
constexpr std::uint64_t ratio_free_bytes = 1U << 30U;
// What zstd's own tool accepts without being asked (--long=27): 128 MiB of memory.
constexpr int zstd_window_log_max = 27;
constexpr std::size_t tar_header_bytes = 512;

bool starts_with(std::span<const std::byte> head, std::initializer_list<unsigned> bytes) {
  return head.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), head.begin(), [](unsigned expected, std::byte b) {
           return std::to_integer<unsigned>(b) == expected;
         });
}

// POSIX ustar §header: the sum of the header's bytes with the checksum field itself as spaces, in octal.
bool has_tar_checksum(std::span<const std::byte> header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < tar_header_bytes; ++i) sum += i >= 148 && i < 156 ? 0x20U : std::to_integer<unsigned>(header[i]);
  std::uint64_t said = 0;
  for (std::size_t i = 148; i < 156; ++i) {
    const auto c = std::to_integer<char>(header[i]);
    if (c >= '0' && c <= '7') said = said * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return sum == said;
}

bool is_tar(std::span<const std::byte> head) {
  if (head.size() < tar_header_bytes) return false;
  const std::span<const std::byte> header = head.first(tar_header_bytes);
  const bool is_end_marker = std::all_of(header.begin(), header.end(), [](std::byte b) { return b == std::byte{0}; });
  return is_end_marker || has_tar_checksum(header);
}

// Zstandard (RFC 8878): frames one after another, skippable ones among them.
class ZstdStream {
 public:
  explicit ZstdStream(LayerInput& input) : input_(&input), context_(ZSTD_createDCtx()) {
    if (!context_) throw Error(ErrorCode::failed, "cannot make a zstd decoder: out of memory");
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
  }

  std::size_t read(std::span<std::byte> out) {
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    while (target.pos < target.size) {
      const std::span<const std::byte> window = input_->window();
      ZSTD_inBuffer source{window.data(), window.size(), 0};
      const std::size_t before = target.pos;
      // Without input it still gives what it holds back for want of room.
      if (window.empty() && !is_in_frame_) break;
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &target, &source);
      input_->consume(source.pos);
      if (ZSTD_isError(hint) != 0U) {
        throw Error(ErrorCode::invalid, "layer " + input_->path().string() + " is damaged near byte " + std::to_string(input_->offset()) +
                                            ": zstd: " + to_lower(ZSTD_getErrorName(hint)));
      }
      is_in_frame_ = hint != 0;
      if (window.empty() && is_in_frame_ && target.pos == before) {
        throw Error(ErrorCode::invalid, "layer " + input_->path().string() + " is cut short");
      }
    }
    return target.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  LayerInput* input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool is_in_frame_ = false;
};

class PlainStream {
 public:
  explicit PlainStream(LayerInput& input) : input_(&input) {}

  std::size_t read(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::span<const std::byte> window = input_->window();
      const std::size_t n = std::min(window.size(), out.size() - done);
      if (n == 0) break;
      std::memcpy(out.data() + done, window.data(), n);
      input_->consume(n);
      done += n;
    }
    return done;
  }

 private:
  LayerInput* input_;
};

using Stream = std::variant<PlainStream, GzipStream, ZstdStream>;

Stream make_stream(Compression compression, LayerInput& input) {
  switch (compression) {
    case Compression::gzip: return GzipStream(input);
    case Compression::zstd: return Stream(std::in_place_type<ZstdStream>, input);
    case Compression::none: return PlainStream(input);
    case Compression::unknown: break;
  }
  throw Error(ErrorCode::unsupported, "layer " + input.path().string() + " is neither tar nor gzip nor zstd");
}

}  // namespace

Compression sniff_compression(std::span<const std::byte> head) {
  if (head.empty()) return Compression::none;
  if (starts_with(head, {0x1f, 0x8b})) return Compression::gzip;
  if (starts_with(head, {0x28, 0xb5, 0x2f, 0xfd})) return Compression::zstd;
  // RFC 8878 §3.1.2: skippable frames, 0x184D2A50 to 0x184D2A5F; seekable zstd layers may begin with one.
  if (head.size() >= 4 && (std::to_integer<unsigned>(head[0]) & 0xf0U) == 0x50 && starts_with(head.subspan(1), {0x2a, 0x4d, 0x18})) {
    return Compression::zstd;
  }
  return is_tar(head) ? Compression::none : Compression::unknown;
}

Compression sniff_compression(const std::filesystem::path& file) {
  LayerInput input(file);
  return sniff_compression(input.window());
}

struct InflateReader::Impl {
  Impl(const std::filesystem::path& file, LayerInput::OnRead on_read)
      : input(file, std::move(on_read)), compression(sniff_compression(input.window())), stream(make_stream(compression, input)) {}

  LayerInput input;
  Compression compression;
  Stream stream;
  std::uint64_t produced = 0;
};

InflateReader::InflateReader(const std::filesystem::path& file, std::function<void(std::span<const std::byte>)> on_read)
    : impl_(std::make_unique<Impl>(file, std::move(on_read))) {}
InflateReader::~InflateReader() = default;
InflateReader::InflateReader(InflateReader&&) noexcept = default;

std::size_t InflateReader::read(std::span<std::byte> out) {
  const std::size_t n = std::visit([&](auto& stream) { return stream.read(out); }, impl_->stream);
  impl_->produced += n;
  const std::uint64_t consumed = impl_->input.offset();
  if (impl_->produced > ratio_free_bytes && impl_->produced / ratio_max > consumed) {
    throw Error(ErrorCode::invalid, "layer " + impl_->input.path().string() + " swells from " + format_bytes(consumed) + " to more than " +
                                        format_bytes(impl_->produced) + ": refused as a decompression bomb");
  }
  return n;
}

Compression InflateReader::compression() const { return impl_->compression; }

}  // namespace drover::store
