// SHA-256 of eight streams at once, a stream in each 32-bit element of AVX2 registers: for CPUs without the SHA extensions, which
// beat it (cycles a byte on Sapphire Rapids: 2.05 for one stream of those). Compiled with -mavx2.
#include "digest/sha256_backend.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace drover {

namespace {

using Vector = __m256i;

constexpr unsigned lane_count = 8;
constexpr unsigned words_a_block = 16;
constexpr std::uintptr_t prefetch_bytes = 1024;  // as in sha256_shani.cc

inline __attribute__((always_inline)) Vector load(const void* p) { return _mm256_loadu_si256(static_cast<const Vector*>(p)); }
inline __attribute__((always_inline)) Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
inline __attribute__((always_inline)) Vector xored(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
inline __attribute__((always_inline)) Vector both(Vector a, Vector b) { return _mm256_and_si256(a, b); }

template <int n>
inline __attribute__((always_inline)) Vector shift(Vector x) {
  return _mm256_srli_epi32(x, n);
}

template <int n>
inline __attribute__((always_inline)) Vector rotate(Vector x) {
  return xored(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - n));
}

// FIPS 180-4 section 4.1.2.
inline __attribute__((always_inline)) Vector choose(Vector e, Vector f, Vector g) { return xored(g, both(e, xored(f, g))); }
inline __attribute__((always_inline)) Vector sum0(Vector a) { return xored(xored(rotate<2>(a), rotate<13>(a)), rotate<22>(a)); }
inline __attribute__((always_inline)) Vector sum1(Vector e) { return xored(xored(rotate<6>(e), rotate<11>(e)), rotate<25>(e)); }
inline __attribute__((always_inline)) Vector sigma0(Vector w) { return xored(xored(rotate<7>(w), rotate<18>(w)), shift<3>(w)); }
inline __attribute__((always_inline)) Vector sigma1(Vector w) { return xored(xored(rotate<17>(w), rotate<19>(w)), shift<10>(w)); }

// Round t: a..h are s[-t], s[1 - t], ... modulo 8, so that nothing moves. `bc` is b ^ c, which is the a ^ b of the round before:
// Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)).
inline __attribute__((always_inline)) void one_round(Vector (&s)[8], Vector& bc, unsigned t, Vector w,
                                                     const std::uint32_t* constant) {
  const Vector a = s[(0 - t) % 8];
  const Vector b = s[(1 - t) % 8];
  const Vector e = s[(4 - t) % 8];
  Vector& d = s[(3 - t) % 8];
  Vector& h = s[(7 - t) % 8];
  const Vector ab = xored(a, b);
  const Vector majority = xored(b, both(ab, bc));
  bc = ab;
  const Vector sum = add(w, _mm256_set1_epi32(static_cast<int>(*constant)));
  h = add(add(add(h, sum), choose(e, s[(5 - t) % 8], s[(6 - t) % 8])), sum1(e));
  d = add(d, h);
  h = add(h, add(sum0(a), majority));
}

inline __attribute__((always_inline)) void schedule(Vector (&w)[words_a_block], unsigned t) {
  w[t % 16] = add(add(w[t % 16], sigma0(w[(t + 1) % 16])), add(w[(t + 9) % 16], sigma1(w[(t + 14) % 16])));
}

// Words first .. first + 7 of eight blocks: rows[i] holds them of stream i before, word first + i of all streams after.
inline __attribute__((always_inline)) void turn(Vector* rows) {
  Vector pairs[8];
#pragma GCC unroll 4
  for (unsigned i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  Vector quads[8];
#pragma GCC unroll 2
  for (unsigned i = 0; i < 8; i += 4) {
    quads[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    quads[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    quads[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    quads[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (unsigned i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x31);
  }
}

inline __attribute__((always_inline)) void load_words(Vector (&w)[words_a_block], const std::uint8_t* const* blocks,
                                                      std::size_t offset) {
  const Vector swap_bytes = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
#pragma GCC unroll 2
  for (unsigned first = 0; first < words_a_block; first += lane_count) {
#pragma GCC unroll 8
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      w[first + lane] = _mm256_shuffle_epi8(load(blocks[lane] + offset + std::size_t{4} * first), swap_bytes);
    }
    turn(w + first);
  }
}

}  // namespace

void sha256_compress_avx2_x8(const Sha256Lane* lanes, std::size_t count) {
  alignas(32) std::uint32_t words[8][lane_count];
  const std::uint8_t* blocks[lane_count];
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    blocks[lane] = lanes[lane].blocks;
    for (unsigned i = 0; i < 8; ++i) words[i][lane] = lanes[lane].state[i];
  }

  for (std::size_t block = 0; block < count; ++block) {
    const std::size_t offset = 64 * block;
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      const auto ahead = reinterpret_cast<std::uintptr_t>(blocks[lane]) + offset + prefetch_bytes;
      _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T0);
    }
    Vector w[words_a_block];
    load_words(w, blocks, offset);
    Vector s[8];
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) s[i] = load(words[i]);
    Vector bc = xored(s[1], s[2]);
    const std::uint32_t* constants = sha256_round_constants;
    __asm__("" : "+r"(constants));  // else the compiler broadcasts all 64 ahead of the loop
#pragma GCC unroll 16
    for (unsigned t = 0; t < 16; ++t) one_round(s, bc, t, w[t], constants + t);
#pragma GCC unroll 1
    for (unsigned first = 16; first < 64; first += 16) {
#pragma GCC unroll 16
      for (unsigned t = 0; t < 16; ++t) {
        schedule(w, t);
        one_round(s, bc, t, w[t], constants + first + t);
      }
    }
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) _mm256_store_si256(reinterpret_cast<Vector*>(words[i]), add(load(words[i]), s[i]));
  }

  for (unsigned lane = 0; lane < lane_count; ++lane) {
    for (unsigned i = 0; i < 8; ++i) lanes[lane].state[i] = words[i][lane];
  }
  _mm256_zeroupper();  // dirty upper halves slow the sha256 instructions of whoever comes next
}

}  // namespace drover

#endif
