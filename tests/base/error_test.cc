#include "base/error.h"

#include <boost/test/unit_test.hpp>

using namespace drover;

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(frames_say_what_was_wanted_once) {
  const auto framed = [](const char* text, const char* frame) { return std::string(Error(ErrorCode::network, text).add_frame(frame).what()); };
  BOOST_TEST(framed("no route", "cannot pull redis:7") == "cannot pull redis:7: no route");
  BOOST_TEST(framed("cannot read redis:7: no route", "cannot pull redis:7") == "cannot pull redis:7: no route");
  for (const char* other : {"cannot read redis:71: no route", "cannot read redis: no route", "cannot read redis:7", "cannot", "cannot ", "redis:7: no route"}) {
    BOOST_TEST(framed(other, "cannot pull redis:7") == std::string("cannot pull redis:7: ") + other);
  }
  BOOST_TEST(framed("cannot x: y", "cannot") == "cannot: cannot x: y");
}

BOOST_AUTO_TEST_SUITE_END()
