#include <boost/test/unit_test.hpp>

#include <cstdlib>

namespace {

// The machine's own proxies have no say in these tests.
struct NoProxies {
  NoProxies() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) unsetenv(name);
  }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(NoProxies);
