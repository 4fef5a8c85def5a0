#include "registry/token.h"

#include "base/error.h"
#include "base/text.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(token)

namespace {

struct RealmRow {
  std::string registry;
  std::string realm;
  std::string expected;  // "refused"

  friend std::ostream& operator<<(std::ostream& out, const RealmRow& row) { return out << row.registry << " " << row.realm; }
};

const std::vector<RealmRow> realms = {
    {"https://reg.example/", "https://reg.example/token", "https://reg.example/token"},
    {"https://reg.example/", "/service/token?x=1", "https://reg.example/service/token?x=1"},
    {"https://registry-1.docker.io/", "https://auth.docker.io/token", "https://auth.docker.io/token"},
    {"https://reg.example/", "https://reg.example:8443/token", "https://reg.example:8443/token"},
    {"http://127.0.0.1:5000/", "http://127.0.0.1:5001/token", "http://127.0.0.1:5001/token"},
    {"http://127.0.0.1:5000/", "https://auth.example/token", "https://auth.example/token"},
    {"https://reg.example/", "http://reg.example/token", "refused"},
    {"https://reg.example/", "http://auth.example/token", "refused"},
    {"https://reg.example/", "https://user:pass@auth.example/token", "refused"},
    {"https://reg.example/", "https://reg.example@evil.example/token", "refused"},
    {"https://reg.example/", "file:///etc/passwd", "refused"},
    {"https://reg.example/", "https://a/\r\nX: y", "refused"},
    {"https://reg.example/", "https://0x7f.1/token", "refused"},
    {"https://reg.example/", "", "refused"},
};

struct LifeRow {
  std::string body;
  std::string expected;  // "token seconds"

  friend std::ostream& operator<<(std::ostream& out, const LifeRow& row) { return out << row.body; }
};

const std::vector<LifeRow> answers = {
    {R"({"token":"t","expires_in":300})", "t 300"},
    {R"({"access_token":"t"})", "t 60"},
    {R"({"token":"t","access_token":"u","expires_in":3600})", "t 3600"},
    {R"({"token":"","access_token":"u"})", "u 60"},
    {R"({"token":"t","expires_in":0})", "t 60"},
    {R"({"token":"t","expires_in":-1})", "t 60"},
    {R"({"token":"t","expires_in":1e12})", "t 86400"},
    {R"({"token":"t","expires_in":"600"})", "t 600"},
    {R"({"token":"t","expires_in":null})", "t 60"},
    {R"({"token":"t","issued_at":"1970-01-01T00:00:00Z","expires_in":299.5})", "t 299"},
    {R"({})", "refused"},
    {R"({"token":5})", "refused"},
    {"", "refused"},
    {"<html>", "refused"},
    {"[\"token\"]", "refused"},
};

struct ScopeRow {
  std::string challenge;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const ScopeRow& row) { return out << row.challenge; }
};

const std::vector<ScopeRow> scopes = {
    {"", "repository:a/b:pull"},
    {"repository:a/b:pull", "repository:a/b:pull"},
    {"repository:a/b:pull,push", "repository:a/b:pull,push"},
    {"registry:catalog:*", "registry:catalog:* repository:a/b:pull"},
    {"repository:x:pull  repository:a/b:pull", "repository:x:pull repository:a/b:pull"},
    {"repository:a/bc:pull", "repository:a/bc:pull repository:a/b:pull"},
};

TokenService service() {
  return {net::Url::parse("https://auth.example/token"), "reg", {"repository:a/b:pull"}};
}

}  // namespace

BOOST_DATA_TEST_CASE(realms_are_checked, realms) {
  std::string result;
  try {
    result = parse_realm(sample.realm, net::Url::parse(sample.registry)).to_string();
  } catch (const Error& error) {
    result = "refused";
    BOOST_TEST((error.code() == ErrorCode::authentication));
    BOOST_TEST(std::string(error.what()).find("pass") == std::string::npos);
  }
  BOOST_TEST(result == sample.expected);
}

BOOST_DATA_TEST_CASE(answers_have_a_token_and_a_life, answers) {
  std::string result;
  try {
    const TokenAnswer answer = parse_token_answer(sample.body, "auth.example");
    result = answer.token.reveal() + " " + std::to_string(answer.life.count());
  } catch (const Error& error) {
    result = "refused";
    BOOST_TEST((error.code() == ErrorCode::authentication));
  }
  BOOST_TEST(result == sample.expected);
}

BOOST_DATA_TEST_CASE(the_challenges_scope_comes_first, scopes) { BOOST_TEST(join(scopes_for(sample.challenge, "a/b"), " ") == sample.expected); }

// A challenge's words must not become parameters of their own (devcontainers/cli#1276).
BOOST_AUTO_TEST_CASE(everything_in_the_query_is_encoded) {
  TokenService hostile = service();
  hostile.service = "a&scope=evil#%\r\n\"";
  hostile.scopes = {"repository:x:pull&account=root", "b c"};

  BOOST_TEST(token_url(hostile, "u&v").target ==
             "/token?service=a%26scope%3Devil%23%25%0D%0A%22&account=u%26v&scope=repository%3Ax%3Apull%26account%3Droot&scope=b%20c");
}

BOOST_AUTO_TEST_CASE(the_realms_own_query_is_kept) {
  TokenService with_query = service();
  with_query.realm = net::Url::parse("https://auth.example/token?tenant=1");
  BOOST_TEST(token_url(with_query, "").target == "/token?tenant=1&service=reg&scope=repository%3Aa%2Fb%3Apull");
}

BOOST_AUTO_TEST_CASE(forms_carry_a_refresh_token_or_a_password) {
  Credential credential;
  credential.username = "u&";
  credential.password = Secret("p=w");
  BOOST_TEST(token_form(service(), credential) ==
             "grant_type=password&username=u%26&password=p%3Dw&service=reg&client_id=drover&scope=repository%3Aa%2Fb%3Apull");
  credential.identity_token = Secret("r+t");
  BOOST_TEST(token_form(service(), credential) ==
             "grant_type=refresh_token&refresh_token=r%2Bt&service=reg&client_id=drover&scope=repository%3Aa%2Fb%3Apull");
}

BOOST_AUTO_TEST_CASE(headers_are_one_line) {
  BOOST_TEST(bearer_header(Secret("abc")).reveal() == "Bearer abc");
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\r\nX: y"), std::string(token_bytes_max + 1, 'a')}) {
    BOOST_CHECK_THROW(bearer_header(Secret(bad)), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
