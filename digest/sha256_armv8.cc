// SHA-256 by the ARMv8 cryptography extension. Compiled with -march=armv8-a+crypto.
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

inline __attribute__((always_inline)) void four_rounds(uint32x4_t& abcd, uint32x4_t& efgh, uint32x4_t words,
                                                       const std::uint32_t* constants) {
  const uint32x4_t sum = vaddq_u32(words, vld1q_u32(constants));
  const uint32x4_t abcd_before = abcd;
  abcd = vsha256hq_u32(abcd, efgh, sum);
  efgh = vsha256h2q_u32(efgh, abcd_before, sum);
}

// W[t+16..t+19] from the sixteen words before it.
inline __attribute__((always_inline)) uint32x4_t schedule(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3) {
  return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

}  // namespace

void sha256_compress_armv8(std::uint32_t* state, const std::uint8_t* blocks, std::size_t count) {
  const std::uint32_t* k = sha256_round_constants;
  uint32x4_t abcd = vld1q_u32(state);
  uint32x4_t efgh = vld1q_u32(state + 4);

  for (; count != 0; --count, blocks += 64) {
    const uint32x4_t abcd_before = abcd;
    const uint32x4_t efgh_before = efgh;
    uint32x4_t w0 = load_big_endian(blocks);
    uint32x4_t w1 = load_big_endian(blocks + 16);
    uint32x4_t w2 = load_big_endian(blocks + 32);
    uint32x4_t w3 = load_big_endian(blocks + 48);
    four_rounds(abcd, efgh, w0, k);
    four_rounds(abcd, efgh, w1, k + 4);
    four_rounds(abcd, efgh, w2, k + 8);
    four_rounds(abcd, efgh, w3, k + 12);
#pragma GCC unroll 3
    for (unsigned t = 16; t < 64; t += 16) {
      w0 = schedule(w0, w1, w2, w3);
      four_rounds(abcd, efgh, w0, k + t);
      w1 = schedule(w1, w2, w3, w0);
      four_rounds(abcd, efgh, w1, k + t + 4);
      w2 = schedule(w2, w3, w0, w1);
      four_rounds(abcd, efgh, w2, k + t + 8);
      w3 = schedule(w3, w0, w1, w2);
      four_rounds(abcd, efgh, w3, k + t + 12);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }

  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

}  // namespace drover

#endif
