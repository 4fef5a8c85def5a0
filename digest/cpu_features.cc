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

}  // namespace

CpuFeatures cpu_features() {
  CpuFeatures features = feature::none;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
    if ((c & bit_SSE4_1) != 0) features |= feature::sse41;
    if ((c & bit_OSXSAVE) != 0 && (c & bit_AVX) != 0 && (saved_registers() & xmm_and_ymm) == xmm_and_ymm) features |= feature::avx;
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0) features |= feature::sha;
  return features;
}

#elif defined(__aarch64__)

CpuFeatures cpu_features() { return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0 ? feature::sha2 : feature::none; }

#else

CpuFeatures cpu_features() { return feature::none; }

#endif

}  // namespace drover
