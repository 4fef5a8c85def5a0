#define BOOST_TEST_MODULE registry_client
#include <boost/test/included/unit_test.hpp>
