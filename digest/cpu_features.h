// What this CPU can do, as far as the kernels of this room ask for it.
//
// Plain integers and no standard templates: files compiled with the flags of one instruction set include this header.
#pragma once

#include <cstdint>

namespace drover {

// A set of the bits below.
using CpuFeatures = std::uint32_t;

namespace feature {
inline constexpr CpuFeatures none = 0;
inline constexpr CpuFeatures sse41 = 1U << 0U;  // x86: cpuid leaf 1; SSSE3 comes with it
inline constexpr CpuFeatures avx = 1U << 1U;    // x86: cpuid leaf 1 and the operating system saves the registers (xgetbv)
inline constexpr CpuFeatures sha = 1U << 2U;    // x86: cpuid leaf 7, "SHA-NI"
inline constexpr CpuFeatures sha2 = 1U << 3U;   // 64-bit ARM: HWCAP_SHA2
inline constexpr CpuFeatures avx2 = 1U << 4U;   // x86: cpuid leaf 7, and avx
inline constexpr CpuFeatures avx512 = 1U << 5U;  // x86: cpuid leaf 7, F and BW, and the operating system saves the registers
}  // namespace feature

// Asked of the CPU at every call (tens of nanoseconds natively, microseconds in a virtual machine): callers keep what they chose.
CpuFeatures cpu_features();

}  // namespace drover
