#define BOOST_TEST_MODULE manifest
#include <boost/test/included/unit_test.hpp>
