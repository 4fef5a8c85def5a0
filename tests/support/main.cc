// main() of every test program, and the one copy of Boost.Test that they all share.
#define BOOST_TEST_MODULE drover
#include <boost/test/included/unit_test.hpp>
