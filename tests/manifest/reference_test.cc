#include "manifest/reference.h"

#include "base/error.h"
#include "tests/manifest/documents.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(reference)

namespace {

struct Row {
  std::string text;
  std::string canonical;
  std::string familiar;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << '"' << row.text << '"'; }

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

const std::string sha512_b = "sha512:" + std::string(128, 'b');
const std::string hex64 = std::string(64, 'e');

const std::vector<Row> accepted = {
    {"redis", "docker.io/library/redis:latest", "redis:latest"},
    {"redis:7", "docker.io/library/redis:7", "redis:7"},
    {"library/redis", "docker.io/library/redis:latest", "redis:latest"},
    {"acme/api", "docker.io/acme/api:latest", "acme/api:latest"},
    {"docker.io/redis", "docker.io/library/redis:latest", "redis:latest"},
    {"docker.io/library/redis", "docker.io/library/redis:latest", "redis:latest"},
    {"index.docker.io/redis:7", "docker.io/library/redis:7", "redis:7"},
    {"index.docker.io/acme/api", "docker.io/acme/api:latest", "acme/api:latest"},
    {"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"},
    {"docker.io/library", "docker.io/library/library:latest", "library:latest"},
    {"ghcr.io/acme/api:1.4", "ghcr.io/acme/api:1.4", "ghcr.io/acme/api:1.4"},
    {"GHCR.io/acme/api", "GHCR.io/acme/api:latest", "GHCR.io/acme/api:latest"},
    {"localhost/x", "localhost/x:latest", "localhost/x:latest"},
    {"localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"},
    {"localhost", "docker.io/library/localhost:latest", "localhost:latest"},
    {"test:5000/repo", "test:5000/repo:latest", "test:5000/repo:latest"},
    {"test:5000/repo:tag", "test:5000/repo:tag", "test:5000/repo:tag"},
    {"test:5000", "docker.io/library/test:5000", "test:5000"},  // a tag that looks like a port
    {"test.com:tag", "docker.io/library/test.com:tag", "test.com:tag"},
    {"test_com", "docker.io/library/test_com:latest", "test_com:latest"},
    {"foo_bar.com:8080", "docker.io/library/foo_bar.com:8080", "foo_bar.com:8080"},
    {"foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080", "foo/foo_bar.com:8080"},
    {"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com/myimage:xn--n3h.com"},
    {"192.168.1.1:5000/repo:5050", "192.168.1.1:5000/repo:5050", "192.168.1.1:5000/repo:5050"},
    {"127.0.0.1:65535/r", "127.0.0.1:65535/r:latest", "127.0.0.1:65535/r:latest"},
    {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"},
    {"[2001:db8::1]/repo:tag", "[2001:db8::1]/repo:tag", "[2001:db8::1]/repo:tag"},
    {"[2001:DB8::]:5000/repo", "[2001:DB8::]:5000/repo:latest", "[2001:DB8::]:5000/repo:latest"},
    {"redis@" + digest_a, "docker.io/library/redis@" + digest_a, "redis@" + digest_a},
    {"redis:7@" + digest_a, "docker.io/library/redis:7@" + digest_a, "redis:7@" + digest_a},
    {"[::1]:5000/x@" + digest_a, "[::1]:5000/x@" + digest_a, "[::1]:5000/x@" + digest_a},
    {"[::1]:5000/x:t@" + sha512_b, "[::1]:5000/x:t@" + sha512_b, "[::1]:5000/x:t@" + sha512_b},
    {"a.b/c__d/e-f/g---h/i.j/k_l", "a.b/c__d/e-f/g---h/i.j/k_l:latest", "a.b/c__d/e-f/g---h/i.j/k_l:latest"},
    {"x:_tag", "docker.io/library/x:_tag", "x:_tag"},
    {"x:TAG.with-all_9", "docker.io/library/x:TAG.with-all_9", "x:TAG.with-all_9"},
    {"x:" + std::string(128, 't'), "docker.io/library/x:" + std::string(128, 't'), "x:" + std::string(128, 't')},
    {hex64 + ":1", "docker.io/library/" + hex64 + ":1", hex64 + ":1"},  // as docker: only the bare digits are an ID
    {"acme/" + hex64, "docker.io/acme/" + hex64 + ":latest", "acme/" + hex64 + ":latest"},
    {hex64.substr(1), "docker.io/library/" + hex64.substr(1) + ":latest", hex64.substr(1) + ":latest"},
    {"r.io/" + repeat("a/", 124) + "ab", "r.io/" + repeat("a/", 124) + "ab:latest", "r.io/" + repeat("a/", 124) + "ab:latest"},  // 255
};

struct Refused {
  std::string text;
  std::string why;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << '"' << row.text << '"'; }

const std::vector<Refused> refused = {
    {"", "empty"},
    {":justtag", "no repository"},
    {"@" + digest_a, "no repository"},
    {"docker.io/", "no repository"},
    {"ghcr.io/", "no repository"},
    {"ghcr.io/acme/", "part of its path is empty"},
    {"ghcr.io//acme", "part of its path is empty"},
    {"/acme", "part of its path is empty"},
    {"Uppercase:tag", "lower case"},
    {"Uppercase", "lower case"},
    {"test:5000/Uppercase/lowercase:tag", "lower case"},
    {"acme/API", "lower case"},
    {hex64, "image ID"},
    {"r.io/" + repeat("a/", 124) + "abc", "longer than 255"},
    {repeat("a/", 128) + "a:tag", "longer than 255"},
    {"aa/asdf$$^/aa", "joined by"},
    {"a..b", "joined by"},
    {"a___b", "joined by"},
    {"a._b", "joined by"},
    {"-a", "joined by"},
    {"a-", "joined by"},
    {".a", "joined by"},
    {"a_", "joined by"},
    {"../etc/passwd", "IPv4"},
    {"ghcr.io/../x", "joined by"},
    {"ghcr.io/a/../../x", "joined by"},
    {"redi\xC5\xBF", "joined by"},  // U+017F, a twin of "s"
    {"r\xD0\xB5" "dis", "joined by"},  // Cyrillic
    {"redis ", "joined by"},
    {"a b", "joined by"},
    {"redis\n", "joined by"},
    {"redis:latest\n", "a tag is"},
    {"redis:", "tag is empty"},
    {"redis:.x", "a tag is"},
    {"redis:-x", "a tag is"},
    {"redis:a:b", "a tag is"},
    {"redis:a/b", "not a port"},  // a host, by its colon
    {"redis:" + std::string(129, 't'), "longer than 128"},
    {std::string("redis:a\0b", 9), "a tag is"},
    {"redis@", "@"},
    {"redis@sha256:abc", "@"},
    {"redis@" + digest_a + "@" + digest_a, "@"},
    {"redis@md5:" + std::string(32, 'a'), "@"},
    {"redis@sha256:" + std::string(64, 'A'), "@"},
    {"redis@" + digest_a + ":tag", "@"},
    {"https://ghcr.io/acme/api", "leave out \"https://\""},
    {"docker://redis", "leave out \"docker://\""},
    {"[2001:db8::1]", "joined by"},
    {"[2001:db8::1]:5000", "joined by"},
    {"[fe80::1%eth0]:5000/repo", "IPv6"},
    {"[::1/x", "IPv6"},
    {"::1/x", "IPv6"},
    {"[::1]x/y", "IPv6"},
    {"[]/x", "joined by"},
    {"[:]/x", "IPv6"},
    {"-bad.com/x", "host name"},
    {"bad-.com/x", "host name"},
    {"a_b.com/x", "host name"},
    {"a..com/x", "host name"},
    {".com/x", "host name"},
    {"user@host.com/x", "@"},
    {"host:port/x", "not a port"},
    {"host:/x", "not a port"},
    {"host:0/x", "not a port"},
    {"host:65536/x", "not a port"},
    {"host:000080/x", "not a port"},
    {"host:80:80/x", "not a port"},
    {"[::1]:/x", "not a port"},
};

BOOST_DATA_TEST_CASE(parses, accepted, row) {
  const Reference reference = Reference::parse(row.text);

  BOOST_TEST(reference.to_string() == row.canonical);
  BOOST_TEST(reference.familiar() == row.familiar);
  BOOST_TEST(Reference::parse(reference.to_string()) == reference);
  BOOST_TEST(Reference::parse(reference.familiar()) == reference);
}

BOOST_DATA_TEST_CASE(refuses_and_says_why, refused, row) {
  BOOST_CHECK_EXCEPTION(Reference::parse(row.text), Error, (Says{ErrorCode::invalid, row.why}));
}

struct Login {
  std::string text;
  std::string shown;

  friend std::ostream& operator<<(std::ostream& out, const Login& row) { return out << row.shown; }
};

const Login logins[] = {
    {"user:canary@ghcr.io/acme/api:1", "\"user:***@ghcr.io/acme/api:1\": what follows @ is no digest, and a name holds no login"},
    {"user:canary@ghcr.io/acme/api@" + digest_a, "\"user:***@ghcr.io/acme/api@" + digest_a.substr(0, 20)},
    {"user:can/ary@ghcr.io/api", "\"user:***@ghcr.io/api\""},
    {"user:canary/@x@lan:5000/api", "\"user:***@lan:5000/api\""},
    {"user:canary@localhost", "\"user:***@localhost\""},
    {"ghp_canary@ghcr.io/acme/api", "\"***@ghcr.io/acme/api\""},
    {"https://user:canary@ghcr.io/api", "\"https://user:***@ghcr.io/api\": a name has no scheme"},
    {"user:canary@", "\"user:***@\""},
};

// A name is echoed in messages and logs.
BOOST_DATA_TEST_CASE(a_login_is_refused_and_not_repeated, logins, row) {
  BOOST_CHECK_EXCEPTION(Reference::parse(row.text), Error, [&](const Error& error) {
    const std::string what = error.what();
    BOOST_TEST(what.find("canary") == std::string::npos, what);
    BOOST_TEST(what.find("ary@") == std::string::npos, what);
    BOOST_TEST(what.find(row.shown) != std::string::npos, what);
    return error.code() == ErrorCode::invalid;
  });
}

BOOST_AUTO_TEST_CASE(takes_the_parts_apart) {
  const Reference r = Reference::parse("[::1]:5000/acme/api:1.4@" + digest_a);

  BOOST_TEST(r.registry() == "[::1]:5000");
  BOOST_TEST(r.repository() == "acme/api");
  BOOST_TEST(r.tag().value() == "1.4");
  BOOST_TEST(r.digest().value() == Digest::parse(digest_a));
  BOOST_TEST(r.name() == "[::1]:5000/acme/api");
  BOOST_TEST(r.manifest_name() == digest_a);
}

BOOST_AUTO_TEST_CASE(a_digest_alone_has_no_tag) {
  const Reference r = Reference::parse("redis@" + digest_a);

  BOOST_TEST(!r.tag().has_value());
  BOOST_TEST(r.familiar_name() == "redis");
  BOOST_TEST(r.without_digest().to_string() == "docker.io/library/redis:latest");
}

BOOST_AUTO_TEST_CASE(a_digest_is_put_on_and_taken_off) {
  const Reference r = Reference::parse("redis:7");
  const Reference pinned = r.with_digest(Digest::parse(digest_a));

  BOOST_TEST(r.manifest_name() == "7");
  BOOST_TEST(pinned.to_string() == "docker.io/library/redis:7@" + digest_a);
  BOOST_TEST(pinned.manifest_name() == digest_a);
  BOOST_TEST(pinned.without_digest() == r);
  BOOST_TEST((r != pinned));
}

BOOST_AUTO_TEST_CASE(a_mirror_has_another_name_for_the_same) {
  const Reference r = Reference::parse("redis:7@" + digest_a).at("mirror", "proxy/redis");

  BOOST_TEST(r.name() == "mirror/proxy/redis");
  BOOST_TEST(r.tag().value() == "7");
  BOOST_TEST(r.manifest_name() == digest_a);
}

BOOST_AUTO_TEST_CASE(messages_hold_no_control_characters) {
  BOOST_CHECK_EXCEPTION(Reference::parse("\x1b]0;x\a/y"), Error,
                        [](const Error& e) { return std::string(e.what()).find_first_of("\x1b\a") == std::string::npos; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
