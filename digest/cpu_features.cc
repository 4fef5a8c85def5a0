#include "digest/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace drover {

#if defined(__x86_64__)

namespace {

// The registers that the operating system saves (Intel SDM volume 1, 13.3). Only valid where OSXSAVE is set.
std::uint32_t saved_registers() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr std::uint32_t xmm_and_ymm = 0x6;
constexpr std::uint32_t xmm_ymm_and_zmm = 0xE6;

}  // namespace

CpuFeatures cpu_features() {
  CpuFeatures features = feature::none;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  std::uint32_t saved = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
    if ((c & bit_OSXSAVE) != 0) saved = saved_registers();
    if ((c & bit_SSE4_1) != 0) features |= feature::sse41;
    if ((c & bit_AVX) != 0 && (saved & xmm_and_ymm) == xmm_and_ymm) features |= feature::avx;
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return features;
  constexpr std::uint32_t f_and_bw = bit_AVX512F | bit_AVX512BW;
  if ((b & bit_SHA) != 0) features |= feature::sha;
  if ((b & bit_AVX2) != 0 && (features & feature::avx) != 0) features |= feature::avx2;
  if ((b & f_and_bw) == f_and_bw && (saved & xmm_ymm_and_zmm) == xmm_ymm_and_zmm) features |= feature::avx512;
  return features;
}

#elif defined(__aarch64__)

CpuFeatures cpu_features() { return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0 ? feature::sha2 : feature::none; }

#else

CpuFeatures cpu_features() { return feature::none; }

#endif

}  // namespace drover
