#define BOOST_TEST_MODULE stack_module
#include <boost/test/included/unit_test.hpp>
