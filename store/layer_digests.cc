#include "store/layer_digests.h"

#include "digest/sha256_lanes.h"
#include "store/inflate.h"

#include <array>
#include <cstddef>
#include <vector>

namespace drover::store {
namespace {

constexpr std::size_t layer_piece_bytes = 256U << 10U;
// Buffers that begin at the same place of a page would compete for the same sets of the first cache (digest/sha256_lanes.h).
constexpr std::size_t layer_stagger_bytes = 64;

// The tar's bytes wait until bytes of the file come along, so that both go as one pair. A layer inflates to more than it was, so most of
// the tar goes alone all the same.
class PairHash {
 public:
  PairHash() : lanes_(0) {}

  void add_file_bytes(std::span<const std::byte> bytes) {
    file_bytes_ += bytes.size();
    lanes_.update(std::array{Sha256Piece{&file_, bytes}, Sha256Piece{&plain_, waiting_}});
    waiting_ = {};
  }

  // Borrowed until flush, or until bytes of the file came.
  void add_plain_bytes(std::span<const std::byte> bytes) {
    plain_bytes_ += bytes.size();
    waiting_ = bytes;
  }

  void flush() {
    plain_.update(waiting_);
    waiting_ = {};
  }

  LayerDigests finish() {
    flush();
    const auto sha256 = [](Sha256& stream) { return Digest::from_bytes(Digest::Algorithm::sha256, stream.finish()); };
    return {.blob = sha256(file_), .diff_id = sha256(plain_), .blob_bytes = file_bytes_, .plain_bytes = plain_bytes_};
  }

 private:
  Sha256Lanes lanes_;
  Sha256 file_;
  Sha256 plain_;
  std::span<const std::byte> waiting_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t plain_bytes_ = 0;
};

}  // namespace

LayerDigests read_layer_digests(const Context& ctx, const std::filesystem::path& file) {
  PairHash hash;
  std::vector<std::byte> memory(2 * layer_piece_bytes + layer_stagger_bytes);
  const std::array<std::span<std::byte>, 2> buffers{std::span(memory).first(layer_piece_bytes), std::span(memory).last(layer_piece_bytes)};
  InflateReader reader(file, [&](std::span<const std::byte> bytes) { hash.add_file_bytes(bytes); });
  for (std::size_t turn = 0;; turn ^= 1U) {
    ctx.check_stop();
    const std::size_t got = reader.read(buffers[turn]);
    hash.flush();  // the other buffer, unless it went along with the file's bytes
    if (got == 0) return hash.finish();
    hash.add_plain_bytes(buffers[turn].first(got));
  }
}

}  // namespace drover::store
