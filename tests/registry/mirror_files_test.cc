#include "registry/mirror_files.h"

#include "base/error.h"
#include "tests/registry/sources_text.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <ostream>
#include <set>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(mirror_files)

namespace {

struct Row {
  std::string name;
  std::string text;
  std::string expected;  // one line a source, or the error
  std::string reference = "redis:7";

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

std::string result_of(const std::function<std::string()>& read) {
  try {
    return read();
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::invalid));
    return error.what();
  }
}

// The expected text of an error may be cut: the parser's own words are its affair.
void check(const std::string& actual, const std::string& expected) {
  if (expected.ends_with("...")) {
    BOOST_TEST(actual.starts_with(expected.substr(0, expected.size() - 3)), actual);
  } else {
    BOOST_TEST(actual == expected);
  }
}

std::string many(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

const std::string itself = "itself ?://docker.io/v2 library/redis resolve pull (/c/hosts.toml:1)\n";

const std::vector<Row> hosts_files = {
    {"empty", "", "nothing"},
    {"comments only", "# nothing\n", "nothing"},
    {"containerd's example",
     "server = \"https://registry-1.docker.io\"    # Exclude this to not use upstream\n\n[host.\"https://public-mirror.example.com\"]\n"
     "  capabilities = [\"pull\"]                  # Requires less trust, won't resolve tag to digest from this host\n"
     "[host.\"https://docker-mirror.internal\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"docker-mirror.crt\"\n",
     "mirror https://public-mirror.example.com/v2 library/redis ns=docker.io pull (/c/hosts.toml:3)\n"
     "mirror https://docker-mirror.internal/v2 library/redis ns=docker.io resolve pull ca=/c/docker-mirror.crt (/c/hosts.toml:5)\n"
     "itself https://docker.io/v2 library/redis resolve pull (/c/hosts.toml:1)\n"},
    {"order of the file, not of the names", "[host.\"http://z\"]\n[host.\"http://a\"]\n",
     "mirror http://z/v2 library/redis ns=docker.io resolve pull (/c/hosts.toml:1)\n"
     "mirror http://a/v2 library/redis ns=docker.io resolve pull (/c/hosts.toml:2)\n" + itself},
    {"no scheme is https", "[host.\"lan:5000\"]\n", "mirror https://lan:5000/v2 library/redis ns=docker.io resolve pull (/c/hosts.toml:1)\n" + itself},
    {"paths", "[host.\"https://a/x//y/\"]\n[host.\"https://b/x/v2\"]\n[host.\"https://c/x\"]\noverride_path = true\n[host.\"https://d\"]\noverride_path = true\n",
     "mirror https://a/x/y/v2 library/redis ns=docker.io resolve pull (/c/hosts.toml:1)\n"
     "mirror https://b/x/v2 library/redis ns=docker.io resolve pull (/c/hosts.toml:2)\n"
     "mirror https://c/x library/redis ns=docker.io resolve pull (/c/hosts.toml:3)\n"
     "mirror https://d library/redis ns=docker.io resolve pull (/c/hosts.toml:5)\n" + itself},
    {"settings of the registry itself", "capabilities = [\"pull\"]\nskip_verify = true\n",
     "itself ?://docker.io/v2 library/redis pull unverified (/c/hosts.toml:1)\n"},
    {"another server in its place", "server = \"http://[::1]:5000\"\n", "itself http://[::1]:5000/v2 library/redis resolve pull (/c/hosts.toml:1)\n"},
    {"the scheme's own port", "server = \"https://lan:443\"\n", "itself https://lan/v2 library/redis resolve pull (/c/hosts.toml:1)\n"},
    {"one file for certificate and key", "[host.\"https://a\"]\nclient = \"/k/both.pem\"\nskip_verify = true\n",
     "mirror https://a/v2 library/redis ns=docker.io resolve pull unverified client=/k/both.pem,/k/both.pem (/c/hosts.toml:1)\n" + itself},
    {"a pair", "[host.\"https://a\"]\nclient = [[\"a.cert\", \"a.key\"], [\"b.cert\", \"b.key\"]]\nca = [\"a.crt\", \"b.crt\"]\n",
     "mirror https://a/v2 library/redis ns=docker.io resolve pull ca=/c/a.crt client=/c/a.cert,/c/a.key (/c/hosts.toml:1)\n" + itself +
         "note /c/hosts.toml:3: only the first of several authorities is used; put them into one file\n"
         "note /c/hosts.toml:2: only the first of several certificates is shown\n"},
    {"headers", "[host.\"https://a\"]\n  [host.\"https://a\".header]\n    X-Custom = \"one\"\n    x-list = [\"a\", \"b\"]\n    Host = \"b\"\n",
     "mirror https://a/v2 library/redis ns=docker.io resolve pull x-custom=one x-list=a x-list=b (/c/hosts.toml:1)\n" + itself +
         "note /c/hosts.toml:5: header host is not sent, drover has its own\n"},
    {"headers of the registry itself", "[header]\nx = \"y\"\n", "itself ?://docker.io/v2 library/redis resolve pull x=y (/c/hosts.toml:1)\n"},
    {"a header that breaks its line", "[header]\nx = \"canary\\r\\ny: z\"\n", "/c/hosts.toml:2: x: not a header's value"},
    {"a name that is none", "[header]\n\"x y\" = \"canary\"\n", "/c/hosts.toml:1: header: x y is not a header's name"},
    {"a number for a header", "[header]\nx = 7\n", "/c/hosts.toml:2: x: neither a text nor a list of texts"},
    {"unknown members and capabilities in capitals", "[host.\"https://a\"]\ndial_timeout = \"1s\"\ncapabilities = [\"Pull\", \"PUSH\"]\nfuture = 1979-05-27\n",
     "mirror https://a/v2 library/redis ns=docker.io pull (/c/hosts.toml:1)\n" + itself},
    {"unknown capability", "\n[host.\"https://a\"]\ncapabilities = [\"pull\", \"fly\"]\n",
     "/c/hosts.toml:3: capabilities: unknown: fly; pull, resolve and push are known"},
    {"not TOML", "server = \"https://a\"\n[host\n", "/c/hosts.toml:2: ..."},
    {"two equal keys", "server = \"a\"\nserver = \"b\"\n", "/c/hosts.toml:2: ..."},
    {"a list for a switch", "[host.\"https://a\"]\nskip_verify = [true]\n", "/c/hosts.toml:2: skip_verify: neither true nor false"},
    {"a number for a file", "[host.\"https://a\"]\nca = 7\n", "/c/hosts.toml:2: ca: neither a text nor a list of texts"},
    {"three files for a pair", "[host.\"https://a\"]\nclient = [[\"a\", \"b\", \"c\"]]\n", "/c/hosts.toml:2: client: neither a file nor a pair of certificate and key"},
    {"a text for the hosts", "host = \"https://a\"\n", "/c/hosts.toml:1: host: not a table"},
    {"a text for a host", "[host]\n\"https://a\" = \"pull\"\n", "/c/hosts.toml:2: host.https://a: not a table"},
    {"a host without name", "[host.\"\"]\n", "/c/hosts.toml:1: host: it has no name"},
    {"another scheme", "[host.\"ftp://a\"]\n", "/c/hosts.toml:1: not a usable URL: only http and https are supported"},
    {"user info", "server = \"https://user:canary@a\"\n", "/c/hosts.toml:1: not a usable URL: a user name or password does not belong into a URL"},
    {"an address in disguise", "server = \"https://0x7f000001/\"\n", "/c/hosts.toml:1: not a usable URL: bad IPv4 address"},
    {"a line break in a host", "[host.\"https://a\\r\\nX: y\"]\n", "/c/hosts.toml:1: not a usable URL: it has a space..."},
    {"leaving the path", "[host.\"https://a/../v2\"]\n", "/c/hosts.toml:1: server: a path of plain words is wanted"},
    {"a query", "[host.\"https://a/x?y\"]\n", "/c/hosts.toml:1: server: a path of plain words is wanted"},
    {"more hosts than anybody has", [] {
       std::string text;
       for (int i = 0; i < 101; ++i) text += "[host.\"https://m" + std::to_string(i) + "\"]\n";
       return text;
     }(), "/c/hosts.toml:101: host: more than 100 of them"},
    {"a deep key", many("a.", 3000) + "a = 1\n", "/c/hosts.toml:1: a line of more than 4096 bytes"},
    {"a key as deep as a line allows", many("a.", 2000) + "a = 1\n", itself},
    {"deep lists", "a = " + many("[", 1000) + many("]", 1000) + "\n", "/c/hosts.toml:1: ..."},
    {"too long", many("#\n", 600'000), "/c/hosts.toml:1: larger than 1.0 MB"},
    {"NUL and broken UTF-8", std::string("server = \"\xff\0\"", 13), "/c/hosts.toml:1: ..."},
};

const std::string docker_itself = "itself ?://docker.io/v2 library/redis resolve pull\n";

const std::vector<Row> daemon_files = {
    {"nothing of interest", R"({"debug": true})", "nothing"},
    {"null", R"({"registry-mirrors": null})", "nothing"},
    {"mirrors", "{\n \"registry-mirrors\": [\n  \"https://mirror.lan\",\n  \"http://127.0.0.1:5000/\"]}",
     "mirror https://mirror.lan/v2 library/redis resolve pull (/d.json:3)\nmirror http://127.0.0.1:5000/v2 library/redis resolve pull (/d.json:4)\n" +
         docker_itself},
    {"mirrors are for docker.io", R"({"registry-mirrors": ["https://mirror.lan"]})", "nothing", "ghcr.io/acme/api:1"},
    {"a path", R"({"registry-mirrors": ["https:\/\/mirror.lan/proxy/"]})",
     "mirror https://mirror.lan/proxy/v2 library/redis resolve pull (/d.json:1)\n" + docker_itself},
    {"an insecure mirror", R"({"registry-mirrors": ["https://lan:5000"], "insecure-registries": ["LAN:5000"]})",
     "mirror https://lan:5000/v2 library/redis resolve pull unverified (/d.json:1)\n" + docker_itself},
    {"an insecure registry", "{\n\"insecure-registries\": [\"lan:5000\"]}", "itself !://lan:5000/v2 acme/api resolve pull (/d.json:2)\n", "lan:5000/acme/api:1"},
    {"another port", R"({"insecure-registries": ["lan.example"]})", "nothing", "lan.example:5000/acme/api:1"},
    {"an insecure network", R"({"insecure-registries": ["10.0.0.0/8"]})", "itself !://10.1.2.3:5000/v2 x resolve pull (/d.json:1)\n", "10.1.2.3:5000/x:1"},
    {"an insecure IPv6 network", R"({"insecure-registries": ["fd00::/8"]})", "itself !://[fd00::5]:5000/v2 x resolve pull (/d.json:1)\n",
     "[fd00::5]:5000/x:1"},
    {"outside of the network", R"({"insecure-registries": ["10.0.0.0/8"]})", "nothing", "11.1.2.3:5000/x:1"},
    {"a name in no network", R"({"insecure-registries": ["0.0.0.0/0"]})", "nothing", "reg.example/x:1"},
    {"not JSON", "{\n\"debug\": tru}", "/d.json:2: not JSON"},
    {"cut", "{\"registry-mirrors\": [", "/d.json:1: not JSON"},
    {"a list", "[]", "/d.json:1: not a JSON object"},
    {"one text", "{\n\"registry-mirrors\": \"https://a\"}", "/d.json:2: registry-mirrors is not a list of at most 100 texts"},
    {"numbers", R"({"insecure-registries": [1]})", "/d.json:1: insecure-registries is not a list of at most 100 texts"},
    {"no scheme", R"({"registry-mirrors": ["mirror.lan"]})", "/d.json:1: registry-mirrors: not a usable URL: no scheme"},
    {"user info", R"({"registry-mirrors": ["https://u:canary@mirror.lan"]})",
     "/d.json:1: registry-mirrors: not a usable URL: a user name or password does not belong into a URL"},
    {"a query", R"({"registry-mirrors": ["https://mirror.lan/?x=1"]})", "/d.json:1: registry-mirrors: a mirror has no query"},
};

const std::vector<Row> registries_files = {
    {"empty", "", "nothing"},
    {"short names only", "unqualified-search-registries = [\"docker.io\", \"quay.io\"]\nshort-name-mode = \"enforcing\"\n[aliases]\n\"alpine\" = \"docker.io/library/alpine\"\n",
     "nothing"},
    {"the manual's example",
     "[[registry]]\nprefix = \"example.com/foo\"\ninsecure = false\nblocked = false\nlocation = \"internal-registry-for-example.com/bar\"\n"
     "[[registry.mirror]]\nlocation = \"example-mirror-0.local/mirror-for-foo\"\n[[registry.mirror]]\nlocation = \"example-mirror-1.local/mirrors/foo\"\ninsecure = true\n",
     "mirror ?://example-mirror-0.local/v2 mirror-for-foo/image resolve pull (/r.conf:7)\n"
     "mirror !://example-mirror-1.local/v2 mirrors/foo/image resolve pull (/r.conf:9)\n"
     "itself ?://internal-registry-for-example.com/v2 bar/image resolve pull (/r.conf:5)\n",
     "example.com/foo/image:1"},
    {"no rule for it", "[[registry]]\nlocation = \"example.com\"\n", "nothing", "example.com:5000/x:1"},
    {"parts of names are whole", "[[registry]]\nlocation = \"example.com/foo\"\n", "nothing", "example.com/foobar/x:1"},
    {"use of mirrors",
     "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"a.lan\"\npull-from-mirror = \"digest-only\"\n"
     "[[registry.mirror]]\nlocation = \"b.lan\"\npull-from-mirror = \"tag-only\"\n[[registry.mirror]]\nlocation = \"c.lan\"\npull-from-mirror = \"all\"\n",
     "mirror ?://a.lan/v2 library/redis pull (/r.conf:4)\nmirror ?://b.lan/v2 library/redis resolve pull (/r.conf:7)\n"
     "mirror ?://c.lan/v2 library/redis resolve pull (/r.conf:10)\nitself ?://docker.io/v2 library/redis resolve pull (/r.conf:2)\n"},
    {"a tag-only mirror and a digest", "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"b.lan\"\npull-from-mirror = \"tag-only\"\n",
     "itself ?://docker.io/v2 library/redis resolve pull (/r.conf:2)\n", "redis@sha256:" + many("0", 64)},
    {"mirror-by-digest-only", "[[registry]]\nlocation = \"docker.io\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"a.lan\"\n",
     "mirror ?://a.lan/v2 library/redis pull (/r.conf:5)\nitself ?://docker.io/v2 library/redis resolve pull (/r.conf:2)\n"},
    {"a wildcard without location", "[[registry]]\nprefix = \"*.example.com\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"m.lan/all\"\n",
     "mirror ?://m.lan/v2 all/x resolve pull (/r.conf:5)\nitself !://a.b.example.com/v2 x resolve pull (/r.conf:1)\n", "a.b.example.com/x:1"},
    {"a wildcard with one", "[[registry]]\nprefix = \"*.example.com\"\nlocation = \"m.lan/all/\"\n", "itself ?://m.lan/v2 all/x resolve pull (/r.conf:3)\n",
     "a.example.com/x:1"},
    {"a wildcard is for hosts below", "[[registry]]\nprefix = \"*.example.com\"\nlocation = \"m.lan\"\n", "nothing", "example.com/x:1"},
    {"a wildcard is for hosts", "[[registry]]\nprefix = \"*.example.com\"\nlocation = \"m.lan\"\n", "nothing", "a.lan/b.example.com:1"},
    {"blocked", "[[registry]]\nlocation = \"docker.io\"\nblocked = true\n", "blocked\nitself ?://docker.io/v2 library/redis resolve pull (/r.conf:2)\n"},
    {"the whole name", "[[registry]]\nprefix = \"docker.io/library/redis\"\nlocation = \"m.lan/redis\"\n", "itself ?://m.lan/v2 redis resolve pull (/r.conf:3)\n"},
    {"nothing left of the name", "[[registry]]\nprefix = \"docker.io/library/redis\"\nlocation = \"m.lan\"\n",
     "/r.conf:3: m.lan in place of docker.io/library/redis leaves no repository of docker.io/library/redis"},
    {"no location", "[[registry]]\nprefix = \"docker.io\"\n", "/r.conf:1: location: missing"},
    {"a scheme", "[[registry]]\nlocation = \"https://m.lan\"\n", "/r.conf:2: location: ..."},
    {"no host", "[[registry]]\nlocation = \"mirrorhost\"\n", "/r.conf:2: location: ..."},
    {"capitals in the path", "[[registry]]\nlocation = \"m.lan/Foo\"\n", "/r.conf:2: location: ..."},
    {"leaving the path", "[[registry]]\nlocation = \"m.lan/../x\"\n", "/r.conf:2: location: ..."},
    {"an unknown use", "[[registry]]\nlocation = \"a.lan\"\n[[registry.mirror]]\nlocation = \"b.lan\"\npull-from-mirror = \"never\"\n",
     "/r.conf:5: pull-from-mirror: not one of all, digest-only, tag-only"},
    {"two words for one use", "[[registry]]\nlocation = \"a.lan\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"b.lan\"\npull-from-mirror = \"all\"\n",
     "/r.conf:6: pull-from-mirror: the registry has mirror-by-digest-only as well"},
    {"version 1", "[registries.block]\nregistries = [\"docker.io\"]\n",
     "/r.conf:1: registries: version 1 of the format is not read; write [[registry]] tables"},
    {"one table", "[registry]\nlocation = \"a.lan\"\n", "/r.conf:1: registry: not a list of tables, [[registry]]"},
    {"a text for a switch", "[[registry]]\nlocation = \"a.lan\"\nblocked = \"yes\"\n", "/r.conf:3: blocked: neither true nor false"},
};

}  // namespace

BOOST_DATA_TEST_CASE(hosts_toml, hosts_files, row) {
  check(result_of([&] {
          const auto rule = parse_hosts_toml(row.text, "/c/hosts.toml", "docker.io");
          if (!rule) return std::string("nothing");
          std::string text = to_text(sources_of(*rule, Reference::parse(row.reference)));
          for (const std::string& note : rule->notes) text += "note " + note + "\n";
          return text;
        }),
        row.expected);
}

BOOST_DATA_TEST_CASE(daemon_json, daemon_files, row) {
  check(result_of([&] {
          const auto rule = DaemonFile::parse(row.text, "/d.json").find(Reference::parse(row.reference));
          return rule ? to_text(sources_of(*rule, Reference::parse(row.reference))) : "nothing";
        }),
        row.expected);
}

BOOST_DATA_TEST_CASE(registries_conf, registries_files, row) {
  check(result_of([&] {
          const Reference reference = Reference::parse(row.reference);
          std::string text;
          for (const MirrorRule& rule : parse_registries_conf(row.text, "/r.conf")) {
            if (!name_behind(rule.prefix, reference)) continue;
            text += (rule.is_blocked ? "blocked\n" : "") + to_text(sources_of(rule, reference));
          }
          return text.empty() ? "nothing" : text;
        }),
        row.expected);
}

BOOST_AUTO_TEST_CASE(a_folder_for_all_registries_takes_every_name) {
  const auto rule = parse_hosts_toml("[host.\"https://all.lan\"]\n", "/c/hosts.toml", "");
  BOOST_TEST(to_text(sources_of(*rule, Reference::parse("ghcr.io/acme/api:1"))) ==
             "mirror https://all.lan/v2 acme/api ns=ghcr.io resolve pull (/c/hosts.toml:1)\nitself ?://ghcr.io/v2 acme/api resolve pull (/c/hosts.toml:1)\n");
}

BOOST_AUTO_TEST_CASE(mirrors_on_one_line_are_told_apart) {
  const Reference reference = Reference::parse("redis:7");
  const auto rule = DaemonFile::parse(R"({"registry-mirrors": ["https://lan/a", "https://lan/b", "http://lan/b"]})", "/d.json").find(reference);
  std::set<std::string> keys;
  for (const Source& source : sources_of(rule.value(), reference)) keys.insert(source.site.key());
  BOOST_TEST(keys.size() == 4U);
}

BOOST_AUTO_TEST_CASE(networks_hold_addresses_of_their_kind) {
  BOOST_TEST(is_in_network("192.168.7.255", "192.168.6.0/23"));
  BOOST_TEST(!is_in_network("192.168.8.0", "192.168.6.0/23"));
  BOOST_TEST(is_in_network("10.0.0.1", "10.0.0.1/32"));
  BOOST_TEST(is_in_network("::1", "::/0"));
  BOOST_TEST(!is_in_network("10.0.0.1", "::/0"));
  for (const char* const bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "lan/8", "/8", ""}) {
    BOOST_TEST(!is_in_network("10.0.0.1", bad), bad);
  }
  BOOST_TEST(!is_in_network("lan", "0.0.0.0/0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
