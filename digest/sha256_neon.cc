// SHA-256 of four streams at once, a stream in each 32-bit element of the vector registers that every 64-bit ARM CPU has: for
// those without the cryptography extension. One stream is left to the portable row.
#include "digest/sha256_backend.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace drover {

namespace {

using Vector = uint32x4_t;

constexpr unsigned lane_count = 4;
constexpr unsigned words_a_block = 16;

inline __attribute__((always_inline)) Vector xor3(Vector a, Vector b, Vector c) { return veorq_u32(veorq_u32(a, b), c); }

template <int n>
inline __attribute__((always_inline)) Vector rotate(Vector x) {
  return vsriq_n_u32(vshlq_n_u32(x, 32 - n), x, n);
}

// FIPS 180-4 section 4.1.2.
inline __attribute__((always_inline)) Vector sum0(Vector a) { return xor3(rotate<2>(a), rotate<13>(a), rotate<22>(a)); }
inline __attribute__((always_inline)) Vector sum1(Vector e) { return xor3(rotate<6>(e), rotate<11>(e), rotate<25>(e)); }
inline __attribute__((always_inline)) Vector sigma0(Vector w) { return xor3(rotate<7>(w), rotate<18>(w), vshrq_n_u32(w, 3)); }
inline __attribute__((always_inline)) Vector sigma1(Vector w) { return xor3(rotate<17>(w), rotate<19>(w), vshrq_n_u32(w, 10)); }

// Round t: a..h are s[-t], s[1 - t], ... modulo 8, so that nothing moves. Maj(a, b, c) takes c where a and b differ, else b.
inline __attribute__((always_inline)) void one_round(Vector (&s)[8], unsigned t, Vector w, std::uint32_t constant) {
  const Vector a = s[(0 - t) % 8];
  const Vector b = s[(1 - t) % 8];
  const Vector e = s[(4 - t) % 8];
  Vector& d = s[(3 - t) % 8];
  Vector& h = s[(7 - t) % 8];
  const Vector choice = vbslq_u32(e, s[(5 - t) % 8], s[(6 - t) % 8]);
  const Vector majority = vbslq_u32(veorq_u32(a, b), s[(2 - t) % 8], b);
  h = vaddq_u32(vaddq_u32(vaddq_u32(h, vaddq_u32(w, vdupq_n_u32(constant))), choice), sum1(e));
  d = vaddq_u32(d, h);
  h = vaddq_u32(h, vaddq_u32(sum0(a), majority));
}

inline __attribute__((always_inline)) void schedule(Vector (&w)[words_a_block], unsigned t) {
  w[t % 16] = vaddq_u32(vaddq_u32(w[t % 16], sigma0(w[(t + 1) % 16])), vaddq_u32(w[(t + 9) % 16], sigma1(w[(t + 14) % 16])));
}

// rows[i] holds four words of stream i before, word i of all four streams after.
inline __attribute__((always_inline)) void turn(Vector* rows) {
  const uint64x2_t a = vreinterpretq_u64_u32(vtrn1q_u32(rows[0], rows[1]));
  const uint64x2_t b = vreinterpretq_u64_u32(vtrn2q_u32(rows[0], rows[1]));
  const uint64x2_t c = vreinterpretq_u64_u32(vtrn1q_u32(rows[2], rows[3]));
  const uint64x2_t d = vreinterpretq_u64_u32(vtrn2q_u32(rows[2], rows[3]));
  rows[0] = vreinterpretq_u32_u64(vtrn1q_u64(a, c));
  rows[1] = vreinterpretq_u32_u64(vtrn1q_u64(b, d));
  rows[2] = vreinterpretq_u32_u64(vtrn2q_u64(a, c));
  rows[3] = vreinterpretq_u32_u64(vtrn2q_u64(b, d));
}

}  // namespace

void sha256_compress_neon_x4(const Sha256Lane* lanes, std::size_t count) {
  Vector s[8];
#pragma GCC unroll 2
  for (unsigned half = 0; half < 8; half += 4) {
#pragma GCC unroll 4
    for (unsigned lane = 0; lane < lane_count; ++lane) s[half + lane] = vld1q_u32(lanes[lane].state + half);
    turn(s + half);
  }

  for (std::size_t block = 0; block < count; ++block) {
    Vector before[8];
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) before[i] = s[i];
    Vector w[words_a_block];
#pragma GCC unroll 4
    for (unsigned first = 0; first < words_a_block; first += lane_count) {
#pragma GCC unroll 4
      for (unsigned lane = 0; lane < lane_count; ++lane) {
        w[first + lane] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(lanes[lane].blocks + 64 * block + std::size_t{4} * first)));
      }
      turn(w + first);
    }
#pragma GCC unroll 16
    for (unsigned t = 0; t < 16; ++t) one_round(s, t, w[t], sha256_round_constants[t]);
#pragma GCC unroll 1
    for (unsigned first = 16; first < 64; first += 16) {
#pragma GCC unroll 16
      for (unsigned t = 0; t < 16; ++t) {
        schedule(w, t);
        one_round(s, t, w[t], sha256_round_constants[first + t]);
      }
    }
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) s[i] = vaddq_u32(s[i], before[i]);
  }

#pragma GCC unroll 2
  for (unsigned half = 0; half < 8; half += 4) {
    turn(s + half);
#pragma GCC unroll 4
    for (unsigned lane = 0; lane < lane_count; ++lane) vst1q_u32(lanes[lane].state + half, s[half + lane]);
  }
}

}  // namespace drover

#endif
