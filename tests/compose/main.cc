#define BOOST_TEST_MODULE compose
#include <boost/test/included/unit_test.hpp>
