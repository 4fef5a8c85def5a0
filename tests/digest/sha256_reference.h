// What the SHA-256 tests compare with, and how they skip what this machine cannot run.
#pragma once

#include "digest/sha256.h"
#include "digest/sha256_backend.h"

#include <boost/test/unit_test.hpp>

#if DROVER_OPENSSL
#include <openssl/evp.h>
#endif

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::test {

using Bytes32 = std::array<std::byte, 32>;

inline constexpr std::size_t length_max = 4096;

inline const std::vector<std::byte>& random_bytes() {
  static const std::vector<std::byte> bytes = [] {
    std::mt19937 random(20240601);
    std::vector<std::byte> made(length_max + 64);
    for (std::byte& b : made) b = static_cast<std::byte>(random());
    return made;
  }();
  return bytes;
}

// The row for one stream that runs anywhere and is chosen first.
inline constexpr const char* last_resort = DROVER_OPENSSL ? "openssl" : "portable";

// Null when this architecture has no such row.
inline const Sha256Backend* find_row(std::string_view name, unsigned lanes) {
  for (const Sha256Backend& row : sha256_backends) {
    if (row.name == name && row.lanes == lanes) return &row;
  }
  return nullptr;
}

inline Bytes32 hash(const Sha256Backend& row, std::span<const std::byte> bytes) {
  Sha256 sha256(row);
  sha256.update(bytes);
  return sha256.finish();
}

// By the portable row; where OpenSSL is there, it has to agree.
inline Bytes32 compute_reference(std::span<const std::byte> bytes) {
  const Bytes32 result = hash(*find_row("portable", 1), bytes);
#if DROVER_OPENSSL
  Bytes32 judge{};
  unsigned size = 0;
  auto* const out = reinterpret_cast<unsigned char*>(judge.data());
  BOOST_REQUIRE(EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha256(), nullptr) == 1);
  BOOST_REQUIRE(size == 32U);
  BOOST_REQUIRE(judge == result);
#endif
  return result;
}

// The same, computed once for each part of random_bytes(): an emulator takes its time.
inline Bytes32 reference(std::span<const std::byte> bytes) {
  static std::map<std::pair<const std::byte*, std::size_t>, Bytes32> known;
  const std::byte* const begin = random_bytes().data();
  if (std::less<>{}(bytes.data(), begin) || !std::less<>{}(bytes.data(), begin + random_bytes().size())) return compute_reference(bytes);
  const auto [at, is_new] = known.try_emplace({bytes.data(), bytes.size()});
  if (is_new) at->second = compute_reference(bytes);
  return at->second;
}

// Precondition of a case: a row that is not of this architecture or this CPU is reported and skipped, never passed.
struct RowRuns {
  std::string name;
  unsigned lanes;
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    const Sha256Backend* row = find_row(name, lanes);
    if (row != nullptr && is_runnable(*row, cpu_features())) return true;
    const std::string reason = row == nullptr ? "not of this architecture" : "this CPU lacks it";
    BOOST_TEST_MESSAGE("row " << name << " x" << lanes << ": skipped, " << reason);
    boost::test_tools::assertion_result result(false);
    result.message() << reason;
    return result;
  }
};

}  // namespace drover::test
