#define BOOST_TEST_MODULE registry
#include <boost/test/included/unit_test.hpp>
