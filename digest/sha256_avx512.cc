// SHA-256 of sixteen streams at once, a stream in each 32-bit element of AVX-512 registers. Compiled with -mavx512f -mavx512bw.
#include "digest/sha256_backend.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace drover {

namespace {

using Vector = __m512i;

constexpr unsigned lane_count = 16;
constexpr unsigned words_a_block = 16;
constexpr std::uintptr_t prefetch_bytes = 1024;  // as in sha256_shani.cc

// Two ways to add up a round. `chain` has d + (h + K + W + Ch) ready before Sigma1, so that one addition follows it on the way
// from one round's e to the next: for CPUs that wait for results (512-bit operations take two cycles on Zen 5: 0.66 cycles a byte
// instead of 0.87). `fewest` does without its extra addition: for CPUs whose two 512-bit ports are never idle (Sapphire Rapids: 3
// % faster).
enum class Additions { chain, fewest };

// All elements. The unmasked intrinsics of g++ 12 start from a vector without a value, and warn of it (GCC bug 105593); with all
// elements chosen the same instructions come out.
constexpr __mmask16 all = 0xFFFF;

inline __attribute__((always_inline)) Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }

template <int n>
inline __attribute__((always_inline)) Vector rotate(Vector x) {
  return _mm512_maskz_ror_epi32(all, x, n);
}

template <int n>
inline __attribute__((always_inline)) Vector shift(Vector x) {
  return _mm512_maskz_srli_epi32(all, x, n);
}

inline __attribute__((always_inline)) Vector xor3(Vector a, Vector b, Vector c) {
  return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

// FIPS 180-4 section 4.1.2: Ch, Maj, and the Sigma functions.
inline __attribute__((always_inline)) Vector choose(Vector e, Vector f, Vector g) {
  return _mm512_ternarylogic_epi32(e, f, g, 0xCA);
}
inline __attribute__((always_inline)) Vector majority(Vector a, Vector b, Vector c) {
  return _mm512_ternarylogic_epi32(a, b, c, 0xE8);
}
inline __attribute__((always_inline)) Vector sum0(Vector a) { return xor3(rotate<2>(a), rotate<13>(a), rotate<22>(a)); }
inline __attribute__((always_inline)) Vector sum1(Vector e) { return xor3(rotate<6>(e), rotate<11>(e), rotate<25>(e)); }
inline __attribute__((always_inline)) Vector sigma0(Vector w) { return xor3(rotate<7>(w), rotate<18>(w), shift<3>(w)); }
inline __attribute__((always_inline)) Vector sigma1(Vector w) { return xor3(rotate<17>(w), rotate<19>(w), shift<10>(w)); }

// Round t: a..h are s[-t], s[1 - t], ... modulo 8, so that nothing moves. The constant is broadcast from memory by the addition.
template <Additions additions>
inline __attribute__((always_inline)) void one_round(Vector (&s)[8], unsigned t, Vector w, const std::uint32_t* constant) {
  const Vector a = s[(0 - t) % 8];
  const Vector e = s[(4 - t) % 8];
  Vector& d = s[(3 - t) % 8];
  Vector& h = s[(7 - t) % 8];
  const Vector constants = _mm512_set1_epi32(static_cast<int>(*constant));
  const Vector x = add(add(add(h, constants), w), choose(e, s[(5 - t) % 8], s[(6 - t) % 8]));
  const Vector y = add(sum0(a), majority(a, s[(1 - t) % 8], s[(2 - t) % 8]));
  const Vector sum = sum1(e);
  if constexpr (additions == Additions::chain) {
    d = add(add(d, x), sum);
    h = add(add(x, y), sum);
  } else {
    h = add(x, sum);
    d = add(d, h);
    h = add(h, y);
  }
}

inline __attribute__((always_inline)) void schedule(Vector (&w)[words_a_block], unsigned t) {
  w[t % 16] = add(add(w[t % 16], sigma0(w[(t + 1) % 16])), add(w[(t + 9) % 16], sigma1(w[(t + 14) % 16])));
}

// Sixteen blocks, turned: pair p of all streams is in the two vectors from p * 32 on, the low one with streams 0..7, the high one
// with 8..15. Turned by loads and stores of 64 bits, since those ports are idle, whereas shuffles would compete with the rounds.
struct alignas(64) TurnedBlocks {
  std::uint32_t words[lane_count * words_a_block];
};

// Words 4 * quarter .. 4 * quarter + 3 of one stream.
inline __attribute__((always_inline)) void turn(TurnedBlocks& turned, const std::uint8_t* block, unsigned lane,
                                                unsigned quarter) {
  if (quarter == 0) {
    _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(block) + prefetch_bytes), _MM_HINT_T0);
  }
#pragma GCC unroll 2
  for (unsigned pair = 2 * quarter; pair < 2 * quarter + 2; ++pair) {
    __builtin_memcpy(turned.words + pair * 2 * lane_count + 2 * lane, block + 8U * pair, 8);
  }
}

// The element that holds the lane after load_pair's shuffle.
constexpr unsigned element_of(unsigned lane) { return lane % 2 + (lane / 8) * 2 + ((lane % 8) / 2) * 4; }

inline __attribute__((always_inline)) void load_pair(Vector (&w)[words_a_block], const TurnedBlocks& turned, unsigned t) {
  const Vector swap_bytes = _mm512_maskz_broadcast_i32x4(all, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  const std::uint32_t* pair = turned.words + t * lane_count;
  const __m512 low = _mm512_castsi512_ps(_mm512_shuffle_epi8(_mm512_load_si512(pair), swap_bytes));
  const __m512 high = _mm512_castsi512_ps(_mm512_shuffle_epi8(_mm512_load_si512(pair + lane_count), swap_bytes));
  w[t] = _mm512_castps_si512(_mm512_maskz_shuffle_ps(all, low, high, 0x88));
  w[t + 1] = _mm512_castps_si512(_mm512_maskz_shuffle_ps(all, low, high, 0xDD));
}

// One block of each stream from `now`, and the next ones into `next`: in the first 48 rounds, so that its stores are done when
// the next call loads what they wrote.
template <Additions additions>
inline __attribute__((always_inline)) void compress_block(std::uint32_t (&state)[8][lane_count], const TurnedBlocks& now,
                                                          TurnedBlocks& next, const std::uint8_t* const* blocks,
                                                          std::size_t offset) {
  Vector s[8];
#pragma GCC unroll 8
  for (unsigned i = 0; i < 8; ++i) s[i] = _mm512_load_si512(state[i]);
  const std::uint32_t* constants = sha256_round_constants;
  __asm__("" : "+r"(constants));  // else the compiler broadcasts all 64 ahead of the loop, and has no registers to keep them in
  Vector w[words_a_block];
#pragma GCC unroll 16
  for (unsigned t = 0; t < 16; ++t) {
    if (t % 2 == 0) load_pair(w, now, t);
    one_round<additions>(s, t, w[t], constants + t);
    turn(next, blocks[t / 4] + offset, t / 4, t % 4);
  }
#pragma GCC unroll 16
  for (unsigned t = 16; t < 32; ++t) {
    schedule(w, t);
    one_round<additions>(s, t, w[t % 16], constants + t);
    turn(next, blocks[t / 4] + offset, t / 4, t % 4);
    turn(next, blocks[t / 4 + 4] + offset, t / 4 + 4, t % 4);
  }
#pragma GCC unroll 16
  for (unsigned t = 32; t < 48; ++t) {
    schedule(w, t);
    one_round<additions>(s, t, w[t % 16], constants + t);
    turn(next, blocks[t / 4 + 4] + offset, t / 4 + 4, t % 4);
  }
#pragma GCC unroll 16
  for (unsigned t = 48; t < 64; ++t) {
    schedule(w, t);
    one_round<additions>(s, t, w[t % 16], constants + t);
  }
#pragma GCC unroll 8
  for (unsigned i = 0; i < 8; ++i) _mm512_store_si512(state[i], add(_mm512_load_si512(state[i]), s[i]));
}

template <Additions additions>
inline __attribute__((always_inline)) void compress(const Sha256Lane* lanes, std::size_t count) {
  if (count == 0) return;
  alignas(64) std::uint32_t state[8][lane_count];
  TurnedBlocks turned[2];
  const std::uint8_t* blocks[lane_count];
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    blocks[lane] = lanes[lane].blocks;
    for (unsigned i = 0; i < 8; ++i) state[i][element_of(lane)] = lanes[lane].state[i];
    for (unsigned quarter = 0; quarter < 4; ++quarter) turn(turned[0], blocks[lane], lane, quarter);
  }

  for (std::size_t block = 0; block < count; ++block) {
    const std::size_t following = block + 1 < count ? block + 1 : block;  // after the last block itself once more, for nobody
    compress_block<additions>(state, turned[block % 2], turned[(block + 1) % 2], blocks, 64 * following);
  }

  for (unsigned lane = 0; lane < lane_count; ++lane) {
    for (unsigned i = 0; i < 8; ++i) lanes[lane].state[i] = state[i][element_of(lane)];
  }
  _mm256_zeroupper();  // dirty upper halves slow the sha256 instructions of whoever comes next
}

}  // namespace

void sha256_compress_avx512_x16(const Sha256Lane* lanes, std::size_t count) { compress<Additions::chain>(lanes, count); }
void sha256_compress_avx512_x16_short(const Sha256Lane* lanes, std::size_t count) { compress<Additions::fewest>(lanes, count); }

}  // namespace drover

#endif
