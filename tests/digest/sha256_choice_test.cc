#include "digest/sha256_choice.h"

#include "tests/digest/sha256_reference.h"

#include <algorithm>

namespace drover {
BOOST_AUTO_TEST_SUITE(sha256_choice)

namespace {

using test::last_resort;

constexpr CpuFeatures everything = ~feature::none;

const CpuModel unknown{};
const CpuModel zen5{.vendor = "AuthenticAMD", .family = 0x1A, .model = 2};
const CpuModel zen3{.vendor = "AuthenticAMD", .family = 0x19, .model = 1};
const CpuModel zen4{.vendor = "AuthenticAMD", .family = 0x19, .model = 0x11};
const CpuModel sapphire_rapids{.vendor = "GenuineIntel", .family = 6, .model = 0x8F};
const CpuModel tiger_lake{.vendor = "GenuineIntel", .family = 6, .model = 0x8C};
const CpuModel neoverse_n1{.vendor = "0x41", .family = 0, .model = 0xD0C};
const CpuModel apple_m1{.vendor = "0x61", .family = 0, .model = 0x22};

// "1 shani x1, 2 shani x2, ...": from which number of streams on which row.
std::string to_text(const Sha256Choice& choice) {
  std::string text;
  const Sha256Backend* last = nullptr;
  for (std::size_t live = 1; live <= 40; ++live) {
    const Sha256Backend& row = choice.row_for(live);
    if (&row == last) continue;
    last = &row;
    text += (text.empty() ? "" : ", ") + std::to_string(live) + ' ' + row.name + " x" + std::to_string(row.lanes);
  }
  return text;
}

std::string table_choice(const CpuModel& cpu, CpuFeatures have, const char* wanted = nullptr) {
  return to_text(Sha256Choice(table_figures(cpu, have, wanted)));
}

#if defined(__x86_64__)

constexpr CpuFeatures shani = feature::sse41 | feature::avx | feature::sha;

BOOST_AUTO_TEST_CASE(the_table_decides_by_kind_of_cpu) {
  BOOST_TEST(table_choice(zen5, everything) == "1 shani x1, 2 shani x2, 3 shani x3, 4 shani x4, 10 avx512 x16");
  BOOST_TEST(table_choice(zen4, everything) == "1 shani x1, 2 shani x2, 14 avx512 x16");
  BOOST_TEST(table_choice(sapphire_rapids, everything) == "1 shani x1, 2 shani x2, 3 shani x3, 4 shani x4, 10 avx512-short x16");
  // Tiger Lake gains nothing from SHA-NI in lanes.
  BOOST_TEST(table_choice(tiger_lake, everything) == "1 shani x1, 7 avx512-short x16");
  BOOST_TEST(table_choice(zen3, shani | feature::avx2) == "1 shani x1, 2 shani x2, 3 shani x3, 4 shani x4");
  // A CPU with AVX2 alone: three streams of OpenSSL's row are faster one after the other than eight lanes for them.
  BOOST_TEST(table_choice(unknown, feature::sse41 | feature::avx | feature::avx2) == "1 openssl x1, 4 avx2 x8");
  BOOST_TEST(table_choice(unknown, feature::none) == "1 openssl x1");
}

BOOST_AUTO_TEST_CASE(a_wish_behaves_like_a_cpu_without_the_rest) {
  BOOST_TEST(table_choice(sapphire_rapids, everything, "shani") == table_choice(sapphire_rapids, shani));
  BOOST_TEST(table_choice(sapphire_rapids, everything, "avx2") == "1 openssl x1, 4 avx2 x8");
  BOOST_TEST(table_choice(sapphire_rapids, everything, "avx512") == "1 openssl x1, 3 avx512 x16");
  BOOST_TEST(table_choice(sapphire_rapids, everything, "portable") == "1 portable x1");
}

#elif defined(__aarch64__)

BOOST_AUTO_TEST_CASE(the_table_decides_by_kind_of_cpu) {
  BOOST_TEST(table_choice(neoverse_n1, everything) == "1 armv8 x1, 2 armv8 x2, 3 armv8 x3");
  BOOST_TEST(table_choice(unknown, feature::none) == std::string("1 ") + last_resort + " x1, 3 neon x4");
  BOOST_TEST(table_choice(neoverse_n1, everything, "neon") == table_choice(neoverse_n1, feature::none));
  BOOST_TEST(table_choice(neoverse_n1, everything, "portable") == "1 portable x1");
}

#endif

// A row that the table forgot would never be taken.
BOOST_AUTO_TEST_CASE(every_row_has_a_figure_for_every_kind) {
  for (const CpuModel& cpu : {unknown, zen5, zen4, zen3, sapphire_rapids, tiger_lake, neoverse_n1, apple_m1}) {
    const auto figures = table_figures(cpu, everything, nullptr);
    BOOST_TEST(figures.size() == std::size(sha256_backends));
    for (const Sha256Figure& figure : figures) BOOST_TEST((figure.per_byte > 0 && figure.per_byte < 100), figure.row->name);
  }
}

// Whatever figures say, even of a file that lies: a row of the set.
BOOST_AUTO_TEST_CASE(any_positive_figures_give_rows_of_the_set) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    auto figures = table_figures(unknown, everything, nullptr);
    for (Sha256Figure& figure : figures) figure.per_byte = 1 + static_cast<double>(random() % 1000000);
    const Sha256Choice choice(figures);
    for (std::size_t live = 1; live <= 40; ++live) {
      const Sha256Backend& row = choice.row_for(live);
      BOOST_TEST(std::any_of(figures.begin(), figures.end(), [&](const Sha256Figure& figure) { return figure.row == &row; }));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_host_has_a_name_of_one_line) {
  const std::string name = CpuModel::host().to_string();
  BOOST_TEST_MESSAGE("this CPU: " << name);
  BOOST_TEST(!name.empty());
  BOOST_TEST(std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 0x7F; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
