// Lines from pieces of output that are cut anywhere.
#include "stack/project_logs.h"

#include "base/text.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace drover;
using namespace drover::stack;
using engine::OutputStream;

namespace {

struct Collected {
  std::vector<std::string> lines;
  LogLines parser{{.container = "shop-web-1", .service = "web"}, [this](const LogLine& line) {
                    lines.push_back((line.stream == OutputStream::standard_error ? "err " : "out ") + line.time + "|" + line.text);
                  }};

  void feed(const std::string& text, OutputStream stream = OutputStream::standard_output) { parser.feed(stream, as_bytes(text)); }
};

const std::string at = "2026-01-31T06:00:00.123456789Z";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(project_logs, Collected)

BOOST_AUTO_TEST_CASE(lines_are_whole_wherever_they_were_cut) {
  const std::string text = at + " one\n" + at + " two words\n" + at + " \n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Collected each;
    each.feed(text.substr(0, cut));
    each.feed(text.substr(cut));
    each.parser.finish();
    const std::vector<std::string> expected = {"out " + at + "|one", "out " + at + "|two words", "out " + at + "|"};
    BOOST_TEST_CONTEXT("cut at " << cut) { BOOST_TEST(each.lines == expected, boost::test_tools::per_element()); }
  }
}

BOOST_AUTO_TEST_CASE(streams_do_not_mix_and_the_last_line_needs_no_end) {
  feed(at + " a");
  feed(at + " b\n", OutputStream::standard_error);
  feed("c");
  BOOST_TEST(lines.size() == 1U);
  parser.finish();
  const std::vector<std::string> expected = {"err " + at + "|b", "out " + at + "|ac"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_terminals_line_ends_with_a_return) {
  feed(at + " x\r\n");
  BOOST_TEST(lines.at(0) == "out " + at + "|x");
}

BOOST_AUTO_TEST_CASE(a_line_without_a_time_stays_whole) {
  feed("no time here\n\n");
  const std::vector<std::string> expected = {"out |no time here", "out |"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_without_end_is_handed_over_in_pieces) {
  feed(std::string(log_line_bytes_max, 'x'));
  BOOST_TEST(lines.size() == 1U);
  feed("y\n");
  BOOST_TEST(lines.at(1) == "out |y");
}

BOOST_AUTO_TEST_CASE(names_are_short_within_their_project) {
  BOOST_TEST(short_name_of("shop-web-1", "shop") == "web-1");
  BOOST_TEST(short_name_of("shop_web_1", "shop") == "web_1");
  BOOST_TEST(short_name_of("shopping", "shop") == "shopping");
}

BOOST_AUTO_TEST_SUITE_END()
