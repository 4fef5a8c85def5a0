#include "cli/version.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

using namespace drover;
using namespace drover::cli;

BOOST_AUTO_TEST_SUITE(version)

namespace {

void no_blocks(const Sha256Lane*, std::size_t) {}

const Sha256Backend one{"fast", feature::none, 1, no_blocks};
const Sha256Backend four{"fast", feature::none, 4, no_blocks};
const Sha256Backend sixteen{"wide", feature::none, 16, no_blocks};

KernelView view(FigureSource source) {
  const std::vector<Sha256Figure> figures = {{&one, 2.0}, {&four, 1.0}, {&sixteen, 0.5}};
  return {.one = "fast", .usable = {&one, &four, &sixteen}, .in_use = {.choice = Sha256Choice(figures), .source = source}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_text_names_rows_and_choice) {
  BOOST_TEST(kernels_text(view(FigureSource::measured)) ==
             "sha256 kernel: fast\n"
             "sha256 kernels usable: fast x1 x4, wide x16\n"
             "sha256 kernel by streams: 1-2: fast x1, 3-8: fast x4, 9+: wide x16 (measured)\n");
}

BOOST_AUTO_TEST_CASE(the_document_has_the_same) {
  nlohmann::ordered_json json;
  add_kernels(json, view(FigureSource::table));
  BOOST_TEST(json.dump() == R"({"sha256":"fast","sha256Rows":[{"name":"fast","lanes":1},{"name":"fast","lanes":4},)"
                            R"({"name":"wide","lanes":16}],"sha256ByStreams":[{"from":1,"name":"fast","lanes":1},)"
                            R"({"from":3,"name":"fast","lanes":4},{"from":9,"name":"wide","lanes":16}],"sha256Figures":"table"})");
}

BOOST_AUTO_TEST_CASE(this_process_has_rows_and_a_choice_of_them) {
  const KernelView real = KernelView::real();
  BOOST_TEST(!real.usable.empty());
  for (std::size_t live = 1; live <= sha256_lanes_max; ++live) {
    const Sha256Backend* row = &real.in_use.choice.row_for(live);
    BOOST_TEST((std::find(real.usable.begin(), real.usable.end(), row) != real.usable.end()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
