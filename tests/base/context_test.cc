#include "base/context.h"

#include "base/error.h"
#include "tests/support/fake_clock.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(context)

BOOST_AUTO_TEST_CASE(without_a_deadline_there_is_time) {
  const Context ctx;
  ctx.check_stop();
  BOOST_TEST((ctx.time_left(5s) == 5s));
}

BOOST_AUTO_TEST_CASE(the_nearer_deadline_counts) {
  test::FakeClock clock;
  Context ctx;
  ctx.clock = &clock;
  const Context outer = ctx.within(10s);

  BOOST_TEST((outer.within(20s).time_left(1min) == 10s));
  BOOST_TEST((outer.within(3s).time_left(1min) == 3s));
  BOOST_TEST((outer.time_left(2s) == 2s));
  clock.advance(4s);
  outer.check_stop();
  BOOST_TEST((outer.time_left(1min) == 6s));
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_is_final) {
  test::FakeClock clock;
  Context ctx;
  ctx.clock = &clock;
  const Context bounded = ctx.within(1s);
  clock.advance(1s);

  BOOST_TEST((bounded.time_left(1min) == 0s));
  BOOST_CHECK_EXCEPTION(bounded.check_stop(), Error, [](const Error& error) { return error.is_final && error.code() == ErrorCode::network; });
  ctx.check_stop();
}

BOOST_AUTO_TEST_SUITE_END()
