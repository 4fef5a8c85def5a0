#include "digest/sha256.h"

#include "base/error.h"
#include "digest/sha256_backend.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace drover {

namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_offset = 56;  // of the message's bit count in the last block

// FIPS 180-4 section 5.3.3.
constexpr std::array<std::uint32_t, 8> initial_words = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void compress(const Sha256Backend& row, std::array<std::uint32_t, 8>& words, const std::byte* blocks, std::size_t count) {
  const Sha256Lane lane{words.data(), reinterpret_cast<const std::uint8_t*>(blocks)};
  row.compress(&lane, count);
}

}  // namespace

Sha256::Sha256() : Sha256(sha256_backend()) {}

Sha256::Sha256(const Midstate& midstate) : Sha256(midstate, sha256_backend()) {}

Sha256::Sha256(const Sha256Backend& row) : row_(&row), words_(initial_words) {}

Sha256::Sha256(const Midstate& midstate, const Sha256Backend& row) : row_(&row), words_(midstate.words), bytes_(midstate.bytes) {
  if (midstate.bytes % block_bytes != 0) {
    throw Error(ErrorCode::invalid, "cannot continue a sha256 after " + std::to_string(midstate.bytes) + " bytes: not a multiple of 64");
  }
}

std::span<const std::byte> Sha256::fill_block(std::span<const std::byte> bytes) {
  const std::size_t used = bytes_ % block_bytes;
  if (used == 0 || bytes.empty()) return bytes;
  const std::size_t taken = std::min(block_bytes - used, bytes.size());
  std::memcpy(block_.data() + used, bytes.data(), taken);
  if (used + taken == block_bytes) compress(*row_, words_, block_.data(), 1);
  return bytes.subspan(taken);
}

void Sha256::begin_block(std::span<const std::byte> rest) {
  if (!rest.empty()) std::memcpy(block_.data(), rest.data(), rest.size());
}

void Sha256::update(std::span<const std::byte> bytes) {
  const auto whole = fill_block(bytes);
  const std::size_t blocks = whole.size() / block_bytes;
  if (blocks != 0) compress(*row_, words_, whole.data(), blocks);
  begin_block(whole.subspan(blocks * block_bytes));
  bytes_ += bytes.size();
}

std::array<std::byte, 32> Sha256::finish() {
  std::size_t used = bytes_ % block_bytes;
  const std::uint64_t bits = bytes_ * 8;
  block_[used++] = std::byte{0x80};
  if (used > length_offset) {
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used), block_.end(), std::byte{0});
    compress(*row_, words_, block_.data(), 1);
    used = 0;
  }
  std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used), block_.end(), std::byte{0});
  for (unsigned i = 0; i < 8; ++i) block_[length_offset + i] = static_cast<std::byte>(bits >> (56U - 8U * i));
  compress(*row_, words_, block_.data(), 1);

  std::array<std::byte, 32> digest{};
  for (unsigned i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(words_[i / 4] >> (24U - 8U * (i % 4)));
  return digest;
}

Sha256::Midstate Sha256::midstate() const { return {words_, bytes_ - bytes_ % block_bytes}; }

std::string_view sha256_backend_name() { return sha256_backend().name; }

}  // namespace drover
