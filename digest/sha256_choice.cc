#include "digest/sha256_choice.h"

#include <algorithm>
#include <string_view>

namespace drover {

namespace {

// Kinds of CPU that differ in which row is best. The first one is for what is not known: safe rather than right.
//
// The figures are measured for zen4 (EPYC Genoa), zen5 (EPYC, 2024) and golden_cove (Sapphire and Emerald Rapids). The rest is from what others
// published: openssl speed (lelegard/shabench) for one lane; two lanes gain 1.8 to 2 times on Zen 1 to 4 and Neoverse (E.
// Biggers, Linux "multibuffer hashing", 2024), nothing on Tiger Lake (openwall/john 5437), 1.1 to 1.3 times on Apple M (Plonky3
// 2184). Only the order within a column matters, and a measurement corrects it.
#if defined(__aarch64__)

enum Kind : unsigned { unknown, neoverse, apple, kinds };

struct TableRow {
  std::string_view name;
  unsigned lanes;
  double cycles_per_byte[kinds];
};

constexpr TableRow table[] = {
    {"armv8", 1, {2.04, 1.57, 1.30}}, {"armv8", 2, {1.40, 0.86, 1.10}},    {"armv8", 3, {1.38, 0.85, 1.08}},
    {"neon", 4, {10.0, 6.00, 4.00}},  {"openssl", 1, {16.7, 9.00, 5.50}},    {"portable", 1, {17.0, 10.0, 6.00}},
};

// By the manuals of the cores: MIDR_EL1, implementer and part number.
Kind kind_of(const CpuModel& cpu) {
  if (cpu.vendor == "0x41" && cpu.model >= 0xD0C) return neoverse;  // N1 and what came after it
  return cpu.vendor == "0x61" ? apple : unknown;
}

#else

enum Kind : unsigned { unknown, zen, zen4, zen5, ice_lake, golden_cove, kinds };

struct TableRow {
  std::string_view name;
  unsigned lanes;
  double cycles_per_byte[kinds];
};

constexpr TableRow table[] = {
    {"shani", 1, {2.05, 2.03, 2.03, 2.03, 2.20, 2.05}},
    {"shani", 2, {1.60, 1.08, 1.24, 1.31, 2.20, 1.52}},
    {"shani", 3, {1.59, 1.05, 1.25, 1.20, 2.20, 1.51}},
    {"shani", 4, {1.58, 1.03, 1.24, 1.14, 2.20, 1.50}},
    {"avx512", 16, {0.90, 0.95, 1.04, 0.69, 0.90, 0.88}},
    {"avx512-short", 16, {0.91, 0.98, 1.11, 0.87, 0.88, 0.86}},
    {"avx2", 8, {2.40, 2.53, 2.07, 2.53, 2.40, 2.28}},
    {"openssl", 1, {5.80, 5.80, 5.80, 5.80, 5.80, 5.80}},  // without SHA-NI
    {"portable", 1, {8.80, 8.80, 8.80, 8.80, 8.80, 7.30}},
};

// Of family 19h, which Zen 3 shares (AMD's processor programming references).
constexpr bool is_zen4(unsigned model) {
  return (model >= 0x10 && model <= 0x1F) || (model >= 0x60 && model <= 0x7F) || (model >= 0xA0 && model <= 0xAF);
}

// By AMD's families and Intel's models (SDM volume 4, table 2-1).
Kind kind_of(const CpuModel& cpu) {
  if (cpu.vendor == "AuthenticAMD" || cpu.vendor == "HygonGenuine") {
    if (cpu.family >= 0x1A) return zen5;
    if (cpu.family == 0x19 && is_zen4(cpu.model)) return zen4;
    return cpu.family >= 0x17 ? zen : unknown;
  }
  if (cpu.vendor != "GenuineIntel" || cpu.family != 6) return unknown;
  constexpr unsigned ice_lakes[] = {0x6A, 0x6C, 0x7D, 0x7E, 0x8C, 0x8D, 0xA7};  // and Tiger and Rocket Lake
  constexpr unsigned golden_coves[] = {0x8F, 0xCF, 0x97, 0x9A, 0xB7, 0xBA, 0xBF, 0xAD, 0xAE};  // Rapids, Alder and Raptor Lake
  if (std::find(std::begin(ice_lakes), std::end(ice_lakes), cpu.model) != std::end(ice_lakes)) return ice_lake;
  return std::find(std::begin(golden_coves), std::end(golden_coves), cpu.model) != std::end(golden_coves) ? golden_cove : unknown;
}

#endif

double table_figure(const Sha256Backend& row, Kind kind) {
  for (const TableRow& known : table) {
    if (known.name != row.name || known.lanes != row.lanes) continue;
    return known.cycles_per_byte[kind];
  }
  return 1000;  // a row that the table forgot is taken only where there is no other; a test looks for it
}

}  // namespace

std::vector<Sha256Figure> table_figures(const CpuModel& cpu, CpuFeatures have, const char* wanted) {
  const Kind kind = kind_of(cpu);
  std::vector<Sha256Figure> figures;
  for (const Sha256Backend& row : sha256_backends) {
    if (is_permitted(row, wanted, have)) figures.push_back({.row = &row, .per_byte = table_figure(row, kind)});
  }
  return figures;
}

Sha256Choice::Sha256Choice(std::span<const Sha256Figure> figures) {
  for (std::size_t live = 1; live <= rows_.size(); ++live) {
    const auto cost = [live](const Sha256Figure& figure) {
      return figure.per_byte * static_cast<double>(std::max<std::size_t>(figure.row->lanes, live));
    };
    const auto best = std::min_element(figures.begin(), figures.end(),
                                       [&](const Sha256Figure& a, const Sha256Figure& b) { return cost(a) < cost(b); });
    rows_[live - 1] = best->row;
  }
}

}  // namespace drover
