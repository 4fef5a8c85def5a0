#include "digest/cpu_model.h"

#include <array>
#include <cstdint>
#include <cstdio>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace drover {

#if defined(__x86_64__)

CpuModel CpuModel::host() {
  CpuModel cpu;
  std::uint32_t a = 0;
  std::array<std::uint32_t, 3> vendor{};
  if (__get_cpuid(0, &a, &vendor[0], &vendor[2], &vendor[1]) == 0) return cpu;
  for (const std::uint32_t part : vendor) {
    for (unsigned i = 0; i < 32; i += 8) {
      const char c = static_cast<char>((part >> i) & 0xFFU);
      cpu.vendor += c > ' ' && c < 0x7F ? c : '?';  // hypervisors may say anything
    }
  }
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return cpu;
  cpu.family = (a >> 8U) & 0xFU;
  cpu.model = ((a >> 4U) & 0xFU) | ((a >> 12U) & 0xF0U);
  if (cpu.family == 0xF) cpu.family += (a >> 20U) & 0xFFU;
  cpu.stepping = a & 0xFU;
  return cpu;
}

#elif defined(__aarch64__)

CpuModel CpuModel::host() {
  CpuModel cpu;
  if ((getauxval(AT_HWCAP) & HWCAP_CPUID) == 0) return cpu;
  std::uint64_t midr = 0;  // the kernel answers for user space: arm64 documentation, cpu-feature-registers
  __asm__("mrs %0, MIDR_EL1" : "=r"(midr));
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", static_cast<unsigned>((midr >> 24U) & 0xFFU));
  cpu.vendor = text.data();
  cpu.model = static_cast<unsigned>((midr >> 4U) & 0xFFFU);
  cpu.stepping = static_cast<unsigned>(((midr >> 16U) & 0xF0U) | (midr & 0xFU));
  return cpu;
}

#else

CpuModel CpuModel::host() { return {}; }

#endif

std::string CpuModel::to_string() const {
  const std::string name = vendor.empty() ? "unknown" : vendor;
  return name + ' ' + std::to_string(family) + '-' + std::to_string(model) + '-' + std::to_string(stepping);
}

}  // namespace drover
