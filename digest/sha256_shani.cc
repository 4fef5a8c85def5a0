// SHA-256 by the x86 SHA extensions. Compiled with -msha -msse4.1 -mavx: see the note at vzeroupper.
#include "digest/sha256_backend.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace drover {

namespace {

using Vector = __m128i;

// How far ahead of the rounds memory is asked for. Bytes that no cache holds: 0.52 ns each, instead of 0.87 where only the CPU's
// own prefetcher works (it stops at pages; Sapphire Rapids, 16 and 64 MiB; 512 to 4096 are alike). Bytes in a cache: no
// difference.
constexpr std::uintptr_t prefetch_bytes = 1024;

inline __attribute__((always_inline)) Vector load(const void* p) { return _mm_loadu_si128(static_cast<const Vector*>(p)); }

// As a number, since the address may be beyond the caller's buffer; a prefetch never faults.
inline __attribute__((always_inline)) void prefetch(const std::uint8_t* blocks) {
  _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(blocks) + prefetch_bytes), _MM_HINT_T0);
}

inline __attribute__((always_inline)) Vector load_constants(unsigned t) {
  return _mm_load_si128(reinterpret_cast<const Vector*>(sha256_round_constants + t));
}

inline __attribute__((always_inline)) Vector load_big_endian(const std::uint8_t* p) {
  return _mm_shuffle_epi8(load(p), _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

// Names spell the lanes from the highest down: memory holds dcba and hgfe, the instructions want abef and cdgh.
inline __attribute__((always_inline)) void load_state(const std::uint32_t* state, Vector& abef, Vector& cdgh) {
  const Vector cdab = _mm_shuffle_epi32(load(state), 0xB1);
  const Vector efgh = _mm_shuffle_epi32(load(state + 4), 0x1B);
  abef = _mm_alignr_epi8(cdab, efgh, 8);
  cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
}

inline __attribute__((always_inline)) void store_state(std::uint32_t* state, Vector abef, Vector cdgh) {
  const Vector feba = _mm_shuffle_epi32(abef, 0x1B);
  const Vector dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<Vector*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<Vector*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// Four rounds. The chain of sha256rnds2 is what one stream waits for; all else fits beside it.
inline __attribute__((always_inline)) void four_rounds(Vector& abef, Vector& cdgh, Vector words, unsigned t) {
  const Vector sum = _mm_add_epi32(words, load_constants(t));
  cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
  abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

// W[t+16..t+19] from the sixteen words before it.
inline __attribute__((always_inline)) Vector schedule(Vector w0, Vector w1, Vector w2, Vector w3) {
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);
}

// Four words of a block's message schedule, from the block for the first 16 and from `w`, the last 16, after that; with the round
// constants added into `sums`.
inline __attribute__((always_inline)) void prepare(Vector (&w)[4], Vector* sums, const std::uint8_t* block, unsigned group) {
  if (group < 4) {
    w[group] = load_big_endian(block + 16U * group);
  } else {
    w[group % 4] = schedule(w[group % 4], w[(group + 1) % 4], w[(group + 2) % 4], w[(group + 3) % 4]);
  }
  sums[group] = _mm_add_epi32(w[group % 4], load_constants(4 * group));
}

// Several streams: what bounds them is how many sha256rnds2 the CPU starts, one in three cycles on Sapphire Rapids, one in two on
// Zen. Nothing else may stand in its way, so the rounds of a block read sums that were prepared during the rounds of the block
// before, one stream's after the other: that needs four registers for the schedule however many lanes there are. Measured on
// Sapphire Rapids, cycles a byte: 1.52, 1.51 and 1.50 for 2, 3 and 4 lanes of the possible 1.50; with each block's schedule among
// its own rounds 1.71, 1.67 and 1.68.
template <unsigned lane_count>
inline __attribute__((always_inline)) void compress_lanes(const Sha256Lane* lanes, std::size_t count) {
  if (count == 0) return;
  _mm256_zeroupper();
  constexpr unsigned groups = 16;
  alignas(64) Vector sums[2][lane_count][groups];
  Vector abef[lane_count];
  Vector cdgh[lane_count];
  const std::uint8_t* blocks[lane_count];
#pragma GCC unroll 4
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    load_state(lanes[lane].state, abef[lane], cdgh[lane]);
    blocks[lane] = lanes[lane].blocks;
    Vector w[4];
#pragma GCC unroll 16
    for (unsigned group = 0; group < groups; ++group) prepare(w, sums[0][lane], blocks[lane], group);
  }

  for (std::size_t block = 0; block < count; ++block) {
    const auto& now = sums[block % 2];
    auto& next = sums[(block + 1) % 2];
    const std::size_t step = block + 1 < count ? 64 : 0;  // after the last block its own sums are prepared once more, for nobody
    Vector abef_before[lane_count];
    Vector cdgh_before[lane_count];
#pragma GCC unroll 4
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      abef_before[lane] = abef[lane];
      cdgh_before[lane] = cdgh[lane];
      blocks[lane] += step;
      prefetch(blocks[lane]);
    }
    Vector w[4];
#pragma GCC unroll 16
    for (unsigned group = 0; group < groups; ++group) {
#pragma GCC unroll 4
      for (unsigned lane = 0; lane < lane_count; ++lane) {
        cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], now[lane][group]);
      }
#pragma GCC unroll 4
      for (unsigned lane = 0; lane < lane_count; ++lane) {
        abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], _mm_shuffle_epi32(now[lane][group], 0x0E));
      }
#pragma GCC unroll 4
      for (unsigned lane = 0; lane < lane_count; ++lane) {
        const unsigned i = group * lane_count + lane;
        prepare(w, next[i / groups], blocks[i / groups], i % groups);
      }
    }
#pragma GCC unroll 4
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      abef[lane] = _mm_add_epi32(abef[lane], abef_before[lane]);
      cdgh[lane] = _mm_add_epi32(cdgh[lane], cdgh_before[lane]);
    }
  }

#pragma GCC unroll 4
  for (unsigned lane = 0; lane < lane_count; ++lane) store_state(lanes[lane].state, abef[lane], cdgh[lane]);
}

}  // namespace

void sha256_compress_shani(const Sha256Lane* lanes, std::size_t count) {
  // The sha256 instructions have no VEX form. Where a caller's wide kernel left upper register halves dirty they run 1.7 times
  // slower on Zen 5 and, mixed with VEX instructions, 18 times slower on Sapphire Rapids (both measured), so the halves are
  // cleared here, and -mavx gives the instructions around them VEX forms.
  _mm256_zeroupper();
  const std::uint8_t* blocks = lanes->blocks;
  Vector abef;
  Vector cdgh;
  load_state(lanes->state, abef, cdgh);

  for (; count != 0; --count, blocks += 64) {
    prefetch(blocks);
    const Vector abef_before = abef;
    const Vector cdgh_before = cdgh;
    Vector w0 = load_big_endian(blocks);
    Vector w1 = load_big_endian(blocks + 16);
    Vector w2 = load_big_endian(blocks + 32);
    Vector w3 = load_big_endian(blocks + 48);
    four_rounds(abef, cdgh, w0, 0);
    four_rounds(abef, cdgh, w1, 4);
    four_rounds(abef, cdgh, w2, 8);
    four_rounds(abef, cdgh, w3, 12);
#pragma GCC unroll 3
    for (unsigned t = 16; t < 64; t += 16) {
      w0 = schedule(w0, w1, w2, w3);
      four_rounds(abef, cdgh, w0, t);
      w1 = schedule(w1, w2, w3, w0);
      four_rounds(abef, cdgh, w1, t + 4);
      w2 = schedule(w2, w3, w0, w1);
      four_rounds(abef, cdgh, w2, t + 8);
      w3 = schedule(w3, w0, w1, w2);
      four_rounds(abef, cdgh, w3, t + 12);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  store_state(lanes->state, abef, cdgh);
}

void sha256_compress_shani_x2(const Sha256Lane* lanes, std::size_t count) { compress_lanes<2>(lanes, count); }
void sha256_compress_shani_x3(const Sha256Lane* lanes, std::size_t count) { compress_lanes<3>(lanes, count); }
void sha256_compress_shani_x4(const Sha256Lane* lanes, std::size_t count) { compress_lanes<4>(lanes, count); }

}  // namespace drover

#endif
