#include "digest/digest.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/hasher.h"

#include <algorithm>

namespace drover {

namespace {

constexpr std::size_t size_of(Digest::Algorithm algorithm) { return algorithm == Digest::Algorithm::sha256 ? 32 : 64; }

std::optional<Digest::Algorithm> parse_algorithm(std::string_view name) {
  if (name == "sha256") return Digest::Algorithm::sha256;
  if (name == "sha512") return Digest::Algorithm::sha512;
  return std::nullopt;
}

}  // namespace

std::optional<Digest> Digest::try_parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto algorithm = parse_algorithm(text.substr(0, colon));
  const std::string_view hex = text.substr(colon + 1);
  if (!algorithm || hex.size() != 2 * size_of(*algorithm)) return std::nullopt;
  const auto bytes = parse_hex(hex);
  if (!bytes) return std::nullopt;
  return from_bytes(*algorithm, *bytes);
}

Digest Digest::parse(std::string_view text) {
  if (const auto digest = try_parse(text)) return *digest;
  throw Error(ErrorCode::invalid, "not a digest: \"" + printable(text, 150) +
                                      "\"; it has to be sha256: and 64 lower-case hex digits, or sha512: and 128");
}

Digest Digest::from_bytes(Algorithm algorithm, std::span<const std::byte> bytes) {
  if (bytes.size() != size_of(algorithm)) {
    throw Error(ErrorCode::invalid, "not a digest: " + std::to_string(bytes.size()) + " bytes instead of " +
                                        std::to_string(size_of(algorithm)));
  }
  Digest digest;
  digest.algorithm_ = algorithm;
  std::copy(bytes.begin(), bytes.end(), digest.bytes_.begin());
  return digest;
}

Digest Digest::of(std::string_view bytes, Algorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(as_bytes(bytes));
  return hasher.finish();
}

std::string Digest::hex() const { return to_hex(bytes()); }

std::string Digest::to_string() const { return std::string(algorithm_name()) + ':' + hex(); }

std::string Digest::short_hex() const { return to_hex(bytes().first(6)); }

}  // namespace drover

std::size_t std::hash<drover::Digest>::operator()(const drover::Digest& digest) const noexcept {
  // All bytes, not a prefix: a registry chooses the digests that it names.
  return std::hash<std::string_view>{}(drover::as_text(digest.bytes()));
}
