// A running digest of either algorithm, and the check against a known one.
#pragma once

#include "digest/digest.h"
#include "digest/sha256.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

namespace drover {

struct HashPiece;
class Sha256Lanes;

// Not thread-safe; movable.
class Hasher {
 public:
  explicit Hasher(Digest::Algorithm algorithm);
  // Continues a sha256 from a saved state.
  explicit Hasher(const Sha256::Midstate& midstate);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  // The object must not be used afterwards.
  Digest finish();

  std::uint64_t bytes() const;
  // Nothing for sha512, whose state cannot be exported.
  std::optional<Sha256::Midstate> midstate() const;

  // Feeds every piece to its hasher: what is sha256 in lanes (digest/sha256_lanes.h), what is sha512 one after the other. No hasher may
  // be named twice in a call.
  static void update(const Sha256Lanes& lanes, std::span<const HashPiece> pieces);

 private:
  struct Sha512;  // the system library's; decision 0004
  std::variant<Sha256, std::unique_ptr<Sha512>> state_;
};

// Bytes that are ready for a running digest; any number of them.
struct HashPiece {
  Hasher* hasher;
  std::span<const std::byte> bytes;
};

}  // namespace drover
