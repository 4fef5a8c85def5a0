// The rows that can compress SHA-256 blocks, and which one is taken.
//
// To add a row: a file sha256_<name>.cc of its own with its flags in CMakeLists.txt, and one line in the table below. Such files
// include nothing but <cstddef>, <cstdint>, intrinsics and this header: a std template instantiated under wider flags could be the
// copy that the linker keeps for every CPU.
#pragma once

#include "digest/cpu_features.h"

#include <cstddef>
#include <cstdint>

namespace drover {

// Takes `count` blocks of 64 bytes into the eight words of `state` (FIPS 180-4 section 6.2.2). No alignment is needed.
using Sha256Compress = void(std::uint32_t* state, const std::uint8_t* blocks, std::size_t count);

struct Sha256Backend {
  const char* name;
  CpuFeatures needs;
  Sha256Compress* compress;
};

Sha256Compress sha256_compress_portable;
#if defined(__x86_64__)
Sha256Compress sha256_compress_shani;
#elif defined(__aarch64__)
Sha256Compress sha256_compress_armv8;
#endif

inline constexpr Sha256Backend sha256_backends[] = {  // best first; the last row runs anywhere
#if defined(__x86_64__)
    {"shani", feature::sha | feature::sse41 | feature::avx, sha256_compress_shani},
#elif defined(__aarch64__)
    {"armv8", feature::sha2, sha256_compress_armv8},
#endif
    {"portable", feature::none, sha256_compress_portable}};

constexpr bool is_runnable(const Sha256Backend& row, CpuFeatures have) { return (row.needs & have) == row.needs; }

// The row called `wanted`, or the best that `have` allows where that is null or empty. Throws usage, listing the rows, when the name
// is unknown or the row needs more than `have`.
const Sha256Backend& choose_sha256_backend(const char* wanted, CpuFeatures have);

// The choice for this process, made once from DROVER_SHA256 and the CPU. Throws as above, at every call.
const Sha256Backend& sha256_backend();

// The round constants of FIPS 180-4 section 4.2.2, aligned for vector loads.
extern const std::uint32_t sha256_round_constants[64];

}  // namespace drover
