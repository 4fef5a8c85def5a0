#include "registry/credentials.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/credential_helper.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(credentials)

namespace {

namespace fs = std::filesystem;

std::string auth(const std::string& pair) { return R"({"auth": ")" + encode_base64(pair, Base64::standard) + "\"}"; }

// "user:password", with the tokens behind it; "-" for anonymous.
std::string shown(const std::optional<Credential>& credential) {
  if (!credential) return "-";
  std::string text = credential->username + ":" + credential->password.reveal();
  if (!credential->identity_token.empty()) text += " identity " + credential->identity_token.reveal();
  if (!credential->registry_token.empty()) text += " registry " + credential->registry_token.reveal();
  return text;
}

struct KeyRow {
  std::string text;
  std::string registry;
  std::string repository;

  friend std::ostream& operator<<(std::ostream& out, const KeyRow& row) { return out << row.text; }
};

const std::vector<KeyRow> keys = {
    {"https://index.docker.io/v1/", "docker.io", ""},
    {"https://index.docker.io/v1", "docker.io", ""},
    {"index.docker.io", "docker.io", ""},
    {"docker.io", "docker.io", ""},
    {"registry-1.docker.io", "docker.io", ""},
    {"docker.io/acme", "docker.io", "acme"},
    {"ghcr.io", "ghcr.io", ""},
    {"https://GHCR.io/v2/", "ghcr.io", ""},
    {"http://localhost:5000", "localhost:5000", ""},
    {"quay.io/acme/api", "quay.io", "acme/api"},
    {"quay.io/acme/", "quay.io", "acme"},
    {"https://quay.io/acme", "quay.io", ""},
    {"[::1]:5000", "[::1]:5000", ""},
};

struct MatchRow {
  std::string reference;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const MatchRow& row) { return out << row.reference; }
};

const std::vector<MatchRow> matches = {
    {"redis", "hub:h"},
    {"ghcr.io/acme/api", "gh:g"},
    {"quay.io/acme/api:1", "deep:d"},
    {"quay.io/acme/api/more", "deep:d"},
    {"quay.io/acme/apix", "mid:m"},
    {"quay.io/acme/web", "mid:m"},
    {"quay.io/acmex/web", "host:q"},
    {"quay.io:8443/acme/web", "-"},
    {"ghcr.io.evil.example/a/b", "-"},
    {"localhost:5000/x", "local:l"},
    {"localhost:5001/x", "-"},
    {"token.example/x", ": identity id-token"},
    {"ready.example/x", ": registry ready-token"},
    {"plain.example/x", "plain:text"},
    {"empty.example/x", "-"},
    {"broken.example/x", "-"},
    {"colon.example/x", "u:p:with:colons"},
    {"nul.example/x", "u:p"},
};

std::string many_auths() {
  return R"({"auths": {"https://index.docker.io/v1/": )" + auth("hub:h") + R"(, "https://ghcr.io": )" + auth("gh:g") + R"(, "quay.io": )" +
         auth("host:q") + R"(, "quay.io/acme/api": )" + auth("deep:d") + R"(, "quay.io/acme": )" + auth("mid:m") +
         R"(, "localhost:5000": )" + auth("local:l") + R"(, "token.example": {"identitytoken": "id-token"},
         "ready.example": {"registrytoken": "ready-token"}, "plain.example": {"username": "plain", "password": "text"},
         "empty.example": {}, "broken.example": {"auth": "***"}, "colon.example": )" +
         auth("u:p:with:colons") + R"(, "nul.example": )" + auth(std::string("u:p\0\0", 5)) + "}}";
}

// A folder with helpers in it, as PATH.
class Helpers {
 public:
  void add(const std::string& name, const std::string& script) {
    const fs::path file = folder_.write("docker-credential-" + name, "#!/bin/sh\n" + script);
    fs::permissions(file, fs::perms::owner_all);
  }
  std::string path() const { return folder_.path().string(); }
  std::string read(const std::string& name) const { return folder_.read(name); }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  fs::path config(const std::string& text) { return folder_.write("config.json", text); }

 private:
  test::TempDir folder_{"drover-helpers"};
};

}  // namespace

BOOST_DATA_TEST_CASE(keys_name_a_registry_or_a_part_of_it, keys) {
  const CredentialKey key = parse_credential_key(sample.text);
  BOOST_TEST(key.registry == sample.registry);
  BOOST_TEST(key.repository == sample.repository);
}

BOOST_DATA_TEST_CASE(longest_path_wins_and_no_other_host_is_served, matches) {
  const CredentialFile file = CredentialFile::parse(many_auths(), "auth.json");
  BOOST_TEST(shown(file.find(Reference::parse(sample.reference))) == sample.expected);
}

BOOST_AUTO_TEST_CASE(source_names_file_and_key_but_no_secret) {
  const CredentialFile file = CredentialFile::parse(many_auths(), "/home/u/.docker/config.json");
  const auto found = file.find(Reference::parse("ghcr.io/a/b"));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->source == "/home/u/.docker/config.json: auths[\"https://ghcr.io\"]");
}

BOOST_AUTO_TEST_CASE(secrets_do_not_print) {
  std::ostringstream out;
  out << Secret("canary") << Secret();
  BOOST_TEST(out.str() == "(secret)(none)");
}

BOOST_AUTO_TEST_CASE(odd_files_are_tolerated_or_named) {
  for (const std::string text : {"{}", R"({"auths": null})", R"({"auths": []})", R"({"auths": {"a": 1, "b": []}})", R"({"credHelpers": {"a": 1}})"}) {
    BOOST_TEST(shown(CredentialFile::parse(text, "f").find(Reference::parse("a.example/b"))) == "-");
  }
  for (const std::string text : {"", "[]", "{", "null"}) BOOST_CHECK_THROW(CredentialFile::parse(text, "f"), Error);
}

BOOST_AUTO_TEST_CASE(first_file_with_a_login_wins_and_broken_files_are_warned_about) {
  const test::TempDir folder;
  const fs::path broken = folder.write("broken.json", "{");
  const fs::path first = folder.write("config.json", R"({"auths": {"a.example": )" + auth("one:1") + "}}");
  const fs::path second = folder.write("auth.json", R"({"auths": {"a.example": )" + auth("two:2") + R"(, "b.example": )" + auth("bee:b") + "}}");
  test::RecordingLog log;
  Context ctx;
  ctx.log = &log;
  Credentials credentials({folder / "absent.json", broken, first, second}, "");

  BOOST_TEST(shown(credentials.find(ctx, Reference::parse("a.example/x"))) == "one:1");
  BOOST_TEST(shown(credentials.find(ctx, Reference::parse("b.example/x"))) == "bee:b");
  BOOST_TEST(log.has(LogLevel::warning, "broken.json"));
  BOOST_TEST(credentials.describe(ctx, Reference::parse("c.example/x")) == "none, anonymous");
}

BOOST_AUTO_TEST_CASE(helper_is_asked_once_in_dockers_words) {
  Helpers helpers;
  helpers.add("vault", "cat > " + (helpers / "asked").string() + R"(.$1; echo >> )" + (helpers / "count").string() + R"(; echo '{"ServerURL":"ghcr.io","Username":"u","Secret":"s"}')");
  helpers.add("store", "cat > " + (helpers / "hub").string() + R"(; echo '{"Username":"<token>","Secret":"refresh"}')");
  Credentials credentials({helpers.config(R"({"credHelpers": {"ghcr.io": "vault"}, "credsStore": "store"})")}, helpers.path());

  BOOST_TEST(shown(credentials.find({}, Reference::parse("ghcr.io/a/b"))) == "u:s");
  BOOST_TEST(shown(credentials.find({}, Reference::parse("ghcr.io/a/c"))) == "u:s");
  BOOST_TEST(shown(credentials.find({}, Reference::parse("redis"))) == "<token>: identity refresh");
  BOOST_TEST(helpers.read("asked.get") == "ghcr.io");
  BOOST_TEST(helpers.read("hub") == "https://index.docker.io/v1/");
  BOOST_TEST(helpers.read("count") == "\n");
}

struct BrokenHelper {
  std::string name;
  std::string script;
  std::string warning;  // empty: "none here" is no failure

  friend std::ostream& operator<<(std::ostream& out, const BrokenHelper& row) { return out << row.name; }
};

const std::vector<BrokenHelper> broken_helpers = {
    {"fails", "echo canary-secret; exit 1", "exit code 1"},
    {"garbage", "echo canary-secret", "not a JSON object"},
    {"silent", "exit 0", "not a JSON object"},
    {"floods", "while :; do echo canary-secret-canary-secret-canary-secret; done", "too much"},
    {"other host", R"(echo '{"ServerURL":"docker.io","Username":"u","Secret":"canary-secret"}')", "another server"},
    {"has none", "echo 'credentials not found in native keychain'; exit 1", ""},
    {"empty secret", R"(echo '{"Username":"u","Secret":""}')", ""},
};

// CVE-2021-41092: a broken store must not lead to another host's login.
BOOST_DATA_TEST_CASE(broken_helper_means_anonymous_and_a_warning, broken_helpers) {
  Helpers helpers;
  helpers.add("bad", sample.script);
  const fs::path config = helpers.config(R"({"credsStore": "bad", "auths": {"docker.io": )" + auth("hub:canary-secret") + "}}");
  test::RecordingLog log;
  Context ctx;
  ctx.log = &log;
  Credentials credentials({config}, helpers.path());

  BOOST_TEST(shown(credentials.find(ctx, Reference::parse("ghcr.io/a/b"))) == "-");
  BOOST_TEST(log.text().empty() == sample.warning.empty());
  BOOST_TEST(log.text().find(sample.warning) != std::string::npos);
  BOOST_TEST(log.text().find("canary") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(missing_and_misnamed_helpers_are_warned_about) {
  Helpers helpers;
  for (const std::string name : {"absent", "../../bin/sh", "a b", "UPPER", "x;y"}) {
    test::RecordingLog log;
    Context ctx;
    ctx.log = &log;
    Credentials credentials({helpers.config(R"({"credsStore": ")" + name + "\"}")}, helpers.path());
    BOOST_TEST(shown(credentials.find(ctx, Reference::parse("ghcr.io/a/b"))) == "-");
    BOOST_TEST(log.has(LogLevel::warning, "credential helper"));
  }
}

BOOST_AUTO_TEST_CASE(broken_helper_still_leaves_the_hosts_own_entry) {
  Helpers helpers;
  helpers.add("bad", "exit 3");
  Credentials credentials({helpers.config(R"({"credsStore": "bad", "auths": {"ghcr.io": )" + auth("own:o") + "}}")}, helpers.path());
  BOOST_TEST(shown(credentials.find({}, Reference::parse("ghcr.io/a/b"))) == "own:o");
}

// CVE-2020-11008 (git): a newline in the name asked for another host's login.
BOOST_AUTO_TEST_CASE(helper_is_not_run_for_malformed_names) {
  Helpers helpers;
  helpers.add("vault", "touch " + (helpers / "ran").string() + R"(; echo '{"Username":"u","Secret":"s"}')");
  for (const std::string& server : {std::string("a\nhost=b"), std::string("a\rb"), std::string("a\0b", 3), std::string("a b"), std::string()}) {
    BOOST_CHECK_THROW(run_credential_helper({}, "vault", server, helpers.path()), Error);
  }
  BOOST_TEST(!fs::exists(helpers / "ran"));
}

BOOST_AUTO_TEST_CASE(helper_in_a_folder_that_others_may_write_is_not_run) {
  Helpers helpers;
  helpers.add("vault", R"(echo '{"Username":"u","Secret":"s"}')");
  BOOST_TEST(run_credential_helper({}, "vault", "ghcr.io", helpers.path()).has_value());
  fs::permissions(helpers.path(), fs::perms::all);
  BOOST_CHECK_THROW(run_credential_helper({}, "vault", "ghcr.io", helpers.path()), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
