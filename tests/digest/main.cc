#define BOOST_TEST_MODULE digest
#include <boost/test/included/unit_test.hpp>
