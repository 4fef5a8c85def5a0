#define BOOST_TEST_MODULE engine_module
#include <boost/test/included/unit_test.hpp>
