#include "digest/hasher.h"

#include "base/error.h"
#include "digest/sha256_lanes.h"

#if DROVER_OPENSSL
#include <openssl/evp.h>
#endif

#include <array>
#include <utility>
#include <vector>

namespace drover {

#if DROVER_OPENSSL

struct Hasher::Sha512 {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  Sha512() : context(EVP_MD_CTX_new()) { check(context && EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1); }

  static void check(bool ok) {
    if (!ok) throw Error(ErrorCode::failed, "cannot compute a sha512: OpenSSL refused; its configuration may forbid it");
  }

  void update(std::span<const std::byte> data) {
    check(EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1);
    bytes += data.size();
  }

  Digest finish() {
    std::array<std::byte, 64> result{};
    unsigned length = 0;
    check(EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(result.data()), &length) == 1 && length == result.size());
    return Digest::from_bytes(Digest::Algorithm::sha512, result);
  }

  std::unique_ptr<EVP_MD_CTX, Free> context;
  std::uint64_t bytes = 0;
};

#else

// A build of the core alone has no OpenSSL for its target (decision 0004): no object of this type ever exists.
struct Hasher::Sha512 {
  Sha512() { refuse(); }
  void update(std::span<const std::byte>) { refuse(); }
  Digest finish() { refuse(); }
  [[noreturn]] static void refuse() {
    throw Error(ErrorCode::unsupported, "cannot compute a sha512: this build of drover is without OpenSSL");
  }
  std::uint64_t bytes = 0;
};

#endif

Hasher::Hasher(Digest::Algorithm algorithm) : state_(std::unique_ptr<Sha512>()) {
  if (algorithm == Digest::Algorithm::sha256) state_.emplace<Sha256>();
  else state_ = std::make_unique<Sha512>();
}

Hasher::Hasher(const Sha256::Midstate& midstate) : state_(Sha256(midstate)) {}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  if (auto* sha256 = std::get_if<Sha256>(&state_)) sha256->update(bytes);
  else std::get<std::unique_ptr<Sha512>>(state_)->update(bytes);
}

void Hasher::update(const Sha256Lanes& lanes, std::span<const HashPiece> pieces) {
  std::vector<Sha256Piece> together;
  together.reserve(pieces.size());
  for (const HashPiece& piece : pieces) {
    if (auto* sha256 = std::get_if<Sha256>(&piece.hasher->state_)) together.push_back({sha256, piece.bytes});
    else piece.hasher->update(piece.bytes);
  }
  lanes.update(together);
}

Digest Hasher::finish() {
  if (auto* sha256 = std::get_if<Sha256>(&state_)) return Digest::from_bytes(Digest::Algorithm::sha256, sha256->finish());
  return std::get<std::unique_ptr<Sha512>>(state_)->finish();
}

std::uint64_t Hasher::bytes() const {
  if (const auto* sha256 = std::get_if<Sha256>(&state_)) return sha256->bytes();
  return std::get<std::unique_ptr<Sha512>>(state_)->bytes;
}

std::optional<Sha256::Midstate> Hasher::midstate() const {
  if (const auto* sha256 = std::get_if<Sha256>(&state_)) return sha256->midstate();
  return std::nullopt;
}

}  // namespace drover
