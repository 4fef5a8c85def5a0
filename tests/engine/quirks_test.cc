#include "engine/quirks.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using namespace drover::engine;

BOOST_AUTO_TEST_SUITE(quirks)

namespace {

constexpr std::optional<StoreKind> classic = StoreKind::classic;
constexpr std::optional<StoreKind> containerd = StoreKind::containerd;

EngineTraits docker(int minor, std::optional<StoreKind> store = {}) {
  return {.product = Product::docker, .spoken = {1, minor}, .newest = {1, minor}, .store = store};
}

struct TraitsRow {
  const char* name;
  EngineTraits traits;
  const char* quirks;
};

std::ostream& operator<<(std::ostream& out, const TraitsRow& row) { return out << row.name; }

std::string quirks_of(const EngineTraits& traits) {
  std::string out;
  std::optional<Quirk> last;
  for (const QuirkRow& row : quirk_table()) {
    if (row.quirk == last || !has_quirk(traits, row.quirk)) continue;
    out.append(out.empty() ? "" : " ").append(row.name);
    last = row.quirk;
  }
  return out;
}

}  // namespace

const TraitsRow engines[] = {
    {"20.10", docker(41, classic),
     "always_classic refuses_zstd_layers forgets_digests hides_output_format prunes_named_volumes allows_same_names "
     "creates_with_one_network measures_alone"},
    {"23.0, store unknown", docker(42), "allows_same_names creates_with_one_network"},
    {"24.0 classic", docker(43, classic), "forgets_digests allows_same_names creates_with_one_network"},
    {"26.1 classic", docker(45, classic), "forgets_digests"},
    {"26.1 containerd", docker(45, containerd), ""},
    {"28.5 containerd", docker(51, containerd), ""},
    {"28.5 held down to 1.41",
     {.product = Product::docker, .spoken = {1, 41}, .newest = {1, 51}, .store = containerd},
     "hides_output_format prunes_named_volumes creates_with_one_network"},
    {"podman",
     {.product = Product::podman, .spoken = {1, 44}, .newest = {1, 44}, .store = classic},
     "always_classic refuses_partial_archives hides_output_format"},
};

BOOST_DATA_TEST_CASE(each_engine_has_its_own, boost::unit_test::data::make(engines), row) {
  BOOST_TEST(quirks_of(row.traits) == row.quirks);
}

BOOST_AUTO_TEST_CASE(every_row_has_a_source) {
  for (const QuirkRow& row : quirk_table()) BOOST_TEST(!row.source.empty(), row.name);
}

BOOST_AUTO_TEST_SUITE_END()
