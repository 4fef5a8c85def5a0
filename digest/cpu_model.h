// Which CPU this is: the key of what was measured on it, and of the table of what is known about its kind.
#pragma once

#include <string>

namespace drover {

struct CpuModel {
  // x86: cpuid's vendor, "GenuineIntel"; 64-bit ARM: the implementer as in MIDR_EL1, "0x41". Empty where it cannot be told.
  std::string vendor;
  unsigned family = 0;    // x86, with the extended family added in (AMD APM volume 3, CPUID Fn0000_0001_EAX)
  unsigned model = 0;     // x86: with the extended model; ARM: the part number
  unsigned stepping = 0;  // x86: stepping; ARM: variant and revision, "r1p2" being 0x12

  static CpuModel host();

  // "GenuineIntel 6-207-2": one line, no blanks at its ends.
  std::string to_string() const;
};

}  // namespace drover
