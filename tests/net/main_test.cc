#define BOOST_TEST_MODULE net
#include <boost/test/included/unit_test.hpp>
