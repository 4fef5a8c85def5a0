#define BOOST_TEST_MODULE store
#include <boost/test/included/unit_test.hpp>
