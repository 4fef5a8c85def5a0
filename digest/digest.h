// A content digest: parsed once at the boundary, then a value that cannot be malformed.
//
// OCI image-spec v1.1 descriptor.md §digests. Registered algorithms sha256 and sha512 are supported; the text form is
// `<algorithm>:<lower-case hex>` of exactly the algorithm's length, so that it is safe in a path and a URL.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace drover {

class Digest {
 public:
  enum class Algorithm { sha256, sha512 };

  // Throws invalid, naming the text, when it is not a digest of a supported algorithm.
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  // `bytes` must be 32 long for sha256 and 64 for sha512.
  static Digest from_bytes(Algorithm algorithm, std::span<const std::byte> bytes);
  // Of bytes at hand.
  static Digest of(std::string_view bytes, Algorithm algorithm = Algorithm::sha256);

  Algorithm algorithm() const { return algorithm_; }
  std::string_view algorithm_name() const { return algorithm_ == Algorithm::sha256 ? "sha256" : "sha512"; }
  std::string hex() const;
  // "sha256:9f2c…", whole.
  std::string to_string() const;
  // The first 12 hex digits, as docker shows them.
  std::string short_hex() const;
  std::span<const std::byte> bytes() const { return std::span(bytes_).first(algorithm_ == Algorithm::sha256 ? 32 : 64); }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Digest& digest) { return out << digest.to_string(); }

 private:
  Digest() = default;
  Algorithm algorithm_ = Algorithm::sha256;
  std::array<std::byte, 64> bytes_{};  // the unused half of a sha256 stays zero
};

}  // namespace drover

template <>
struct std::hash<drover::Digest> {
  std::size_t operator()(const drover::Digest& digest) const noexcept;
};
