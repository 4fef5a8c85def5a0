#include "engine/layer_size.h"

#include "base/file.h"
#include "store/inflate.h"

#include <fcntl.h>

#include <array>
#include <vector>

namespace drover::engine {
namespace {

constexpr std::uint64_t tar_block = 512;
// ISIZE counts modulo 4 GiB. Layers shrink to a half or a fifth; above this size the true number may be the next round.
constexpr std::uint64_t gzip_file_bytes_max = 768U << 20U;
constexpr std::uint64_t deflate_ratio_max = 1032;

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

bool is_plausible(std::uint64_t plain, std::uint64_t file_bytes) {
  return plain >= 2 * tar_block && plain % tar_block == 0 && plain >= file_bytes;
}

std::optional<std::uint64_t> gzip_hint(std::span<const std::byte> tail, std::uint64_t file_bytes) {
  if (tail.size() < 4 || file_bytes > gzip_file_bytes_max) return std::nullopt;
  const std::uint64_t plain = little_endian(tail.last(4));
  if (!is_plausible(plain, file_bytes) || plain > file_bytes * deflate_ratio_max) return std::nullopt;
  return plain;
}

std::optional<std::uint64_t> zstd_hint(std::span<const std::byte> head, std::uint64_t file_bytes) {
  constexpr std::array<std::size_t, 4> field_bytes{0, 2, 4, 8};
  constexpr std::array<std::size_t, 4> dictionary_bytes{0, 1, 2, 4};
  if (head.size() < 5) return std::nullopt;
  const unsigned descriptor = std::to_integer<unsigned>(head[4]);
  const unsigned flag = descriptor >> 6U;
  const bool single_segment = (descriptor & 0x20U) != 0;
  const std::size_t width = flag == 0 && single_segment ? 1 : field_bytes[flag];
  const std::size_t offset = 5 + (single_segment ? 0U : 1U) + dictionary_bytes[descriptor & 3U];
  if (width == 0 || head.size() < offset + width) return std::nullopt;
  const std::uint64_t plain = little_endian(head.subspan(offset, width)) + (width == 2 ? 256 : 0);
  return is_plausible(plain, file_bytes) ? std::optional(plain) : std::nullopt;
}

std::optional<std::uint64_t> read_hint(const std::filesystem::path& file) {
  const UniqueFd fd = open_file(file, O_RDONLY);
  const std::uint64_t bytes = std::filesystem::file_size(file);
  if (bytes < 18) return std::nullopt;
  std::array<std::byte, 18> head{};
  std::array<std::byte, 4> tail{};
  const std::string name = file.string();
  if (read_at(fd.get(), head, 0, name) != head.size() || read_at(fd.get(), tail, bytes - tail.size(), name) != tail.size()) {
    return std::nullopt;
  }
  return hinted_plain_size(head, tail, bytes);
}

}  // namespace

std::optional<std::uint64_t> hinted_plain_size(std::span<const std::byte> head, std::span<const std::byte> tail,
                                               std::uint64_t file_bytes) {
  switch (store::sniff_compression(head)) {
    case store::Compression::none: return file_bytes;
    case store::Compression::gzip: return gzip_hint(tail, file_bytes);
    case store::Compression::zstd: return zstd_hint(head, file_bytes);
    case store::Compression::unknown: break;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> LayerSizes::find(const Digest& layer, const std::filesystem::path& file) {
  const std::scoped_lock lock(mutex_);
  const auto known = sizes_.find(layer);
  if (known != sizes_.end()) return known->second;
  return sizes_[layer] = read_hint(file);
}

std::uint64_t LayerSizes::count(const Digest& layer, const std::filesystem::path& file) {
  constexpr std::size_t buffer_bytes = 256U << 10U;
  std::vector<std::byte> buffer(buffer_bytes);
  store::InflateReader reader(file);
  std::uint64_t total = 0;
  for (std::size_t got = reader.read(buffer); got > 0; got = reader.read(buffer)) total += got;
  const std::scoped_lock lock(mutex_);
  sizes_[layer] = total;
  return total;
}

void LayerSizes::distrust(const Digest& layer) {
  const std::scoped_lock lock(mutex_);
  sizes_[layer] = std::nullopt;
}

}  // namespace drover::engine
