#include "registry/challenge.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {
BOOST_AUTO_TEST_SUITE(challenge)

namespace {

// "bearer{realm=x,service=y} basic{}": what was understood.
std::string understood(const std::vector<std::string>& headers) {
  const std::vector<std::string_view> views(headers.begin(), headers.end());
  std::string text;
  for (const Challenge& challenge : parse_challenges(views)) {
    text += text.empty() ? "" : " ";
    text += challenge.scheme + "{";
    for (const auto& [name, value] : challenge.parameters) text += (text.back() == '{' ? "" : ",") + name + "=" + value;
    text += "}";
  }
  return text;
}

struct Row {
  std::string name;
  std::vector<std::string> headers;
  std::string expected;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<Row> rows = {
    {"docker hub",
     {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/redis:pull")"},
     "bearer{realm=https://auth.docker.io/token,scope=repository:library/redis:pull,service=registry.docker.io}"},
    {"basic", {R"(Basic realm="Registry")"}, "basic{realm=Registry}"},
    {"scheme in any case", {R"(bEaReR REALM="https://a/t")"}, "bearer{realm=https://a/t}"},
    {"two headers", {R"(Basic realm="a")", R"(Bearer realm="b")"}, "basic{realm=a} bearer{realm=b}"},
    {"two in one header", {R"(Negotiate, Basic realm="a", Bearer realm="b",service="c")"}, "negotiate{} basic{realm=a} bearer{realm=b,service=c}"},
    {"commas are missing", {R"(Bearer realm="a" service="b" Basic realm="c")"}, "bearer{realm=a,service=b} basic{realm=c}"},
    {"comma inside of quotes", {R"(Bearer realm="a",scope="repository:x:pull,push")"}, "bearer{realm=a,scope=repository:x:pull,push}"},
    {"escapes", {R"(Basic realm="a \"b\" \\c")"}, R"(basic{realm=a "b" \c})"},
    {"unquoted url", {"Bearer realm=https://a/token?x=1,service=b"}, "bearer{realm=https://a/token?x=1,service=b}"},
    {"spaces around equals", {R"(Bearer realm = "a" , service= b)"}, "bearer{realm=a,service=b}"},
    {"token68", {"Negotiate YIIB+/==, Basic realm=\"a\""}, "negotiate{} basic{realm=a}"},
    {"token68 at the end", {"Negotiate YIIBabc"}, "negotiate{}"},
    {"first of a name counts", {R"(Bearer realm="a",realm="b")"}, "bearer{realm=a}"},
    {"unfinished quote", {R"(Bearer service="s",realm="a)"}, "bearer{service=s}"},
    {"parameter without scheme", {R"(realm="a")"}, ""},
    {"parameter of the second header belongs to nobody", {"Basic", R"(realm="a")"}, "basic{}"},
    {"nothing", {"", " , ,"}, ""},
    {"junk", {"=,\x01\x02,@@@, Basic realm=x"}, "basic{realm=x}"},
};

}  // namespace

BOOST_DATA_TEST_CASE(reads_challenges_as_they_are_meant, rows) { BOOST_TEST(understood(sample.headers) == sample.expected); }

BOOST_AUTO_TEST_CASE(reads_no_more_than_its_limits) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "Basic realm=\"x\",";
  const std::vector<std::string_view> flood = {many};
  const std::string long_text = "Bearer realm=\"" + std::string(challenge_bytes_max, 'a') + "\"";
  const std::vector<std::string_view> too_long = {long_text};
  std::string wide = "Bearer ";
  for (int i = 0; i < 100; ++i) wide += "p" + std::to_string(i) + "=v,";
  const std::vector<std::string_view> too_wide = {wide};

  BOOST_TEST(parse_challenges(flood).size() == challenges_max);
  BOOST_TEST(parse_challenges(too_long).empty());
  BOOST_TEST(parse_challenges(too_wide).at(0).parameters.size() == challenge_parameters_max);
}

BOOST_AUTO_TEST_CASE(finds_a_scheme_and_its_parameters) {
  const std::vector<std::string_view> headers = {R"(Basic realm="a", Bearer realm="b")"};
  const std::vector<Challenge> challenges = parse_challenges(headers);

  BOOST_REQUIRE(find_challenge(challenges, "bearer") != nullptr);
  BOOST_TEST(find_challenge(challenges, "bearer")->parameter("realm") == "b");
  BOOST_TEST(find_challenge(challenges, "bearer")->parameter("service") == "");
  BOOST_TEST((find_challenge(challenges, "digest") == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
