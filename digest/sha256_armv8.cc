// SHA-256 of one to three streams by the ARMv8 cryptography extension. Compiled with -march=armv8-a+crypto.
#include "digest/sha256_backend.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace drover {

namespace {

inline __attribute__((always_inline)) uint32x4_t load_big_endian(const std::uint8_t* p) {
  return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)));
}

// W[t+16..t+19] from the sixteen words before it.
inline __attribute__((always_inline)) uint32x4_t schedule(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3) {
  return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

// One block of each lane, four rounds of every lane before the next four, so that one lane's latency is hidden by the others'
// work. Three lanes are what 32 registers hold: four spill 42 of them in the inner loop (g++ 12).
template <unsigned lane_count>
inline __attribute__((always_inline)) void compress_block(uint32x4_t (&abcd)[lane_count], uint32x4_t (&efgh)[lane_count],
                                                          const Sha256Lane* lanes, std::size_t offset) {
  const std::uint32_t* k = sha256_round_constants;
  uint32x4_t w[lane_count][4];
#pragma GCC unroll 3
  for (unsigned lane = 0; lane < lane_count; ++lane) {
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) w[lane][i] = load_big_endian(lanes[lane].blocks + offset + 16U * i);
  }
#pragma GCC unroll 16
  for (unsigned group = 0; group < 16; ++group) {
    const unsigned i = group % 4;
    const uint32x4_t constants = vld1q_u32(k + std::size_t{4} * group);
#pragma GCC unroll 3
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      uint32x4_t(&words)[4] = w[lane];
      if (group >= 4) words[i] = schedule(words[i], words[(i + 1) % 4], words[(i + 2) % 4], words[(i + 3) % 4]);
      const uint32x4_t sum = vaddq_u32(words[i], constants);
      const uint32x4_t abcd_before = abcd[lane];
      abcd[lane] = vsha256hq_u32(abcd[lane], efgh[lane], sum);
      efgh[lane] = vsha256h2q_u32(efgh[lane], abcd_before, sum);
    }
  }
}

template <unsigned lane_count>
inline __attribute__((always_inline)) void compress(const Sha256Lane* lanes, std::size_t count) {
  uint32x4_t abcd[lane_count];
  uint32x4_t efgh[lane_count];
#pragma GCC unroll 3
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    abcd[lane] = vld1q_u32(lanes[lane].state);
    efgh[lane] = vld1q_u32(lanes[lane].state + 4);
  }
  for (std::size_t block = 0; block < count; ++block) {
    uint32x4_t abcd_before[lane_count];
    uint32x4_t efgh_before[lane_count];
#pragma GCC unroll 3
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      abcd_before[lane] = abcd[lane];
      efgh_before[lane] = efgh[lane];
    }
    compress_block<lane_count>(abcd, efgh, lanes, 64 * block);
#pragma GCC unroll 3
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      abcd[lane] = vaddq_u32(abcd[lane], abcd_before[lane]);
      efgh[lane] = vaddq_u32(efgh[lane], efgh_before[lane]);
    }
  }
#pragma GCC unroll 3
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    vst1q_u32(lanes[lane].state, abcd[lane]);
    vst1q_u32(lanes[lane].state + 4, efgh[lane]);
  }
}

}  // namespace

void sha256_compress_armv8(const Sha256Lane* lanes, std::size_t count) { compress<1>(lanes, count); }
void sha256_compress_armv8_x2(const Sha256Lane* lanes, std::size_t count) { compress<2>(lanes, count); }
void sha256_compress_armv8_x3(const Sha256Lane* lanes, std::size_t count) { compress<3>(lanes, count); }

}  // namespace drover

#endif
