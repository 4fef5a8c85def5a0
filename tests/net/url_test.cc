#include "base/error.h"
#include "net/url.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(url)

namespace {

struct Accepted {
  std::string text;
  std::string scheme;
  std::string host;
  std::uint16_t port;
  std::string target;

  friend std::ostream& operator<<(std::ostream& out, const Accepted& row) { return out << row.text; }
};

const std::vector<Accepted> accepted = {
    {"https://ghcr.io", "https", "ghcr.io", 443, "/"},
    {"http://ghcr.io/v2/", "http", "ghcr.io", 80, "/v2/"},
    {"HTTPS://GHCR.io./v2/?x=1", "https", "ghcr.io", 443, "/v2/?x=1"},
    {"https://reg:5000?n=10", "https", "reg", 5000, "/?n=10"},
    {"https://reg/a?q=http://x/@y", "https", "reg", 443, "/a?q=http://x/@y"},
    {"https://reg/a#part", "https", "reg", 443, "/a"},
    {"http://[::1]:5000/v2/", "http", "::1", 5000, "/v2/"},
    {"http://[2001:DB8::0:1]/", "http", "2001:db8::1", 80, "/"},
    {"http://127.0.0.1:65535/", "http", "127.0.0.1", 65535, "/"},
    {"http://my_host-1/", "http", "my_host-1", 80, "/"},
    {"https://h/a%20b%2F", "https", "h", 443, "/a%20b%2F"},
    {"https://1.2.3.example/", "https", "1.2.3.example", 443, "/"},
};

const std::vector<std::string> refused = {
    "",
    "ghcr.io/v2/",
    "ftp://ghcr.io/",
    "file:///etc/passwd",
    "https:/ghcr.io/",
    "https://",
    "https:///v2/",
    "https://user@ghcr.io/",
    "https://user:secret@ghcr.io/",
    "https://good#@evil/",
    "https://good/#user@evil",
    "https://a b/",
    "https://a/b c",
    "https://a/\r\nX: y",
    "https://a/\t",
    std::string("https://a/\0b", 12),
    "https://a\\@b/",
    "https://m\xc3\xbcnchen.example/",
    "https://a..b/",
    "https://.a/",
    "https://a/\x7f",
    "https://reg:/",
    "https://reg:0/",
    "https://reg:65536/",
    "https://reg:80a/",
    "https://reg:-1/",
    "https://reg:+80/",
    "https://reg:80:80/",
    "https://[::1/",
    "https://[::1]x/",
    "https://[fe80::1%25eth0]/",
    "https://[127.0.0.1]/",
    "https://::1/",
    "https://127.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://127.0.0.0x1/",
    "https://%31%32/",
    "https://" + std::string(254, 'a') + "/",
    "https://a/" + std::string(16 * 1024, 'a'),
};

struct Relative {
  std::string base;
  std::string location;
  std::string result;

  friend std::ostream& operator<<(std::ostream& out, const Relative& row) { return out << row.base << " + " << row.location; }
};

const std::vector<Relative> relatives = {
    {"https://r:5000/v2/a/tags/list?n=1", "/v2/b", "https://r:5000/v2/b"},
    {"https://r:5000/v2/a/tags/list?n=1", "//cdn.example/x?s=1", "https://cdn.example/x?s=1"},
    {"https://r:5000/v2/a/tags/list?n=1", "?n=2&last=x", "https://r:5000/v2/a/tags/list?n=2&last=x"},
    {"https://r:5000/v2/a/tags/list?n=1", "other", "https://r:5000/v2/a/tags/other"},
    {"https://r:5000/v2/a/tags/list?n=1", "../blobs/x", "https://r:5000/v2/a/blobs/x"},
    {"https://r:5000/v2/a/tags/list", "../../../../x", "https://r:5000/x"},
    {"https://r:5000/v2/a/tags/list", "./x/./y/../z", "https://r:5000/v2/a/tags/x/z"},
    {"https://r:5000/v2/a/tags/list", "..", "https://r:5000/v2/a/"},
    {"https://r:5000/v2/a/tags/list", "#top", "https://r:5000/v2/a/tags/list"},
    {"https://r:5000/v2/", "http://other/x", "http://other/x"},
    {"https://r:5000/v2/", "HTTPS://Other:443/a/../b?c=/../d", "https://other/b?c=/../d"},
    {"https://r:5000/v2/?a=/b/c", "x", "https://r:5000/v2/x"},
    {"https://r/a/b", "/x/../../y?q=../z", "https://r/y?q=../z"},
    {"http://[::1]:81/a", "/b", "http://[::1]:81/b"},
    {"https://r/v2/", " /x ", "https://r/x"},
};

bool is_invalid(const Error& error) { return error.code() == ErrorCode::invalid; }

BOOST_DATA_TEST_CASE(reads_what_is_well_formed, accepted) {
  const Url url = Url::parse(sample.text);

  BOOST_TEST(url.scheme == sample.scheme);
  BOOST_TEST(url.host == sample.host);
  BOOST_TEST(url.port == sample.port);
  BOOST_TEST(url.target == sample.target);
  BOOST_TEST((Url::parse(url.to_string()) == url));
}

BOOST_DATA_TEST_CASE(refuses_everything_else, refused) { BOOST_CHECK_EXCEPTION(Url::parse(sample), Error, is_invalid); }

BOOST_DATA_TEST_CASE(resolves_locations, relatives) {
  BOOST_TEST(Url::parse(sample.base).resolve(sample.location).to_string() == sample.result);
}

BOOST_AUTO_TEST_CASE(refuses_locations_that_leave_http) {
  const Url base = Url::parse("https://r/v2/");
  for (const char* location : {"", "  ", "file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "//user@evil/", "http:evil", "/a\r\nb", "https://"}) {
    BOOST_CHECK_EXCEPTION(base.resolve(location), Error, is_invalid);
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_never_repeats_the_password) {
  try {
    Url::parse("https://user:hunter2@ghcr.io/");
    BOOST_FAIL("accepted");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).find("hunter2") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(text_forms) {
  const Url url = Url::parse("https://[::1]:8443/v2/a?X-Signature=secret");

  BOOST_TEST(url.redacted() == "https://[::1]:8443/v2/a");
  BOOST_TEST(url.origin() == "https://[::1]:8443");
  BOOST_TEST(Url::parse("https://GHCR.io/x").origin() == "https://ghcr.io:443");
}

BOOST_AUTO_TEST_CASE(origins_differ_by_scheme_host_and_port) {
  const Url url = Url::parse("https://r/a");

  BOOST_TEST(url.has_same_origin(Url::parse("https://R.:443/b?c")));
  BOOST_TEST(!url.has_same_origin(Url::parse("http://r:443/a")));
  BOOST_TEST(!url.has_same_origin(Url::parse("https://r:444/a")));
  BOOST_TEST(!url.has_same_origin(Url::parse("https://r.example/a")));
}

BOOST_AUTO_TEST_CASE(people_read_the_port_where_it_says_something) {
  BOOST_TEST(Url::parse("https://ghcr.io/v2/").authority() == "ghcr.io");
  BOOST_TEST(Url::parse("http://ghcr.io:443/").authority() == "ghcr.io:443");
  BOOST_TEST(Url::parse("http://127.0.0.1:5000/v2/").authority() == "127.0.0.1:5000");
  BOOST_TEST(Url::parse("https://[::1]:5000/").authority() == "[::1]:5000");
  BOOST_TEST(Url::parse("http://[::1]/").authority() == "[::1]");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
