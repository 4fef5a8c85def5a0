// The rows that can compress SHA-256 blocks: one instruction set, one number of lanes each.
//
// To add a row: a function in sha256_<name>.cc, a file an instruction set with its flags in CMakeLists.txt, and a line in the
// table below. Such files include nothing but <cstddef>, <cstdint>, intrinsics and this header: a std template instantiated under
// wider flags could be the copy that the linker keeps for every CPU.
#pragma once

#include "digest/cpu_features.h"

#include <cstddef>
#include <cstdint>

namespace drover {

// What a row works on: a stream's eight words, and where its blocks begin. No alignment is needed.
struct Sha256Lane {
  std::uint32_t* state;
  const std::uint8_t* blocks;
};

// Takes `count` blocks of 64 bytes into each of the row's lanes (FIPS 180-4 section 6.2.2).
using Sha256Compress = void(const Sha256Lane* lanes, std::size_t count);

struct Sha256Backend {
  const char* name;  // of the instruction set; rows of one name are forced together
  CpuFeatures needs;
  unsigned lanes;
  Sha256Compress* compress;
};

Sha256Compress sha256_compress_portable;
#if DROVER_OPENSSL
Sha256Compress sha256_compress_openssl;
#endif
#if defined(__x86_64__)
Sha256Compress sha256_compress_shani;
Sha256Compress sha256_compress_shani_x2;
Sha256Compress sha256_compress_shani_x3;
Sha256Compress sha256_compress_shani_x4;
Sha256Compress sha256_compress_avx512_x16;
Sha256Compress sha256_compress_avx512_x16_short;
Sha256Compress sha256_compress_avx2_x8;
#elif defined(__aarch64__)
Sha256Compress sha256_compress_armv8;
Sha256Compress sha256_compress_armv8_x2;
Sha256Compress sha256_compress_armv8_x3;
Sha256Compress sha256_compress_neon_x4;
#endif

inline constexpr unsigned sha256_lanes_max = 16;  // of any row

// Of the rows with one lane the best comes first; the last row runs anywhere.
inline constexpr Sha256Backend sha256_backends[] = {
#if defined(__x86_64__)
    {"shani", feature::sha | feature::sse41 | feature::avx, 1, sha256_compress_shani},
    {"shani", feature::sha | feature::sse41 | feature::avx, 2, sha256_compress_shani_x2},
    {"shani", feature::sha | feature::sse41 | feature::avx, 3, sha256_compress_shani_x3},
    {"shani", feature::sha | feature::sse41 | feature::avx, 4, sha256_compress_shani_x4},
    {"avx512", feature::avx512, 16, sha256_compress_avx512_x16},
    {"avx512-short", feature::avx512, 16, sha256_compress_avx512_x16_short},
    {"avx2", feature::avx2, 8, sha256_compress_avx2_x8},
#elif defined(__aarch64__)
    {"armv8", feature::sha2, 1, sha256_compress_armv8},
    {"armv8", feature::sha2, 2, sha256_compress_armv8_x2},
    {"armv8", feature::sha2, 3, sha256_compress_armv8_x3},
    {"neon", feature::none, 4, sha256_compress_neon_x4},
#endif
#if DROVER_OPENSSL
    {"openssl", feature::none, 1, sha256_compress_openssl},
#endif
    {"portable", feature::none, 1, sha256_compress_portable}};

constexpr bool is_runnable(const Sha256Backend& row, CpuFeatures have) { return (row.needs & have) == row.needs; }

// Whether a process that wishes for the rows called `wanted` may use this one: all that `have` allows where that is null or
// empty, else those of the name and, for one stream where the name has no such row, the first that runs anywhere. So a wish behaves
// like a CPU that has nothing else (OpenSSL chooses by the CPU itself: OPENSSL_ia32cap).
bool is_permitted(const Sha256Backend& row, const char* wanted, CpuFeatures have);

// The best permitted row with one lane. Throws usage, listing the names, when `wanted` is unknown or needs more than `have`.
const Sha256Backend& choose_sha256_backend(const char* wanted, CpuFeatures have);

// DROVER_SHA256 as it was when it was asked for first; null when unset.
const char* wanted_sha256_backend();

// The row with one lane for this process, chosen once from DROVER_SHA256 and the CPU. Throws as above, at every call.
const Sha256Backend& sha256_backend();

// The round constants of FIPS 180-4 section 4.2.2, aligned for vector loads.
extern const std::uint32_t sha256_round_constants[64];

}  // namespace drover
