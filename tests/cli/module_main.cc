#define BOOST_TEST_MODULE cli_module
#include <boost/test/included/unit_test.hpp>
