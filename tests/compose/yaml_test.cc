#include "compose/yaml.h"

#include "base/error.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;

namespace drover::compose {
std::ostream& operator<<(std::ostream& out, Node::Kind kind) { return out << describe(kind); }
}  // namespace drover::compose

BOOST_AUTO_TEST_SUITE(yaml)

namespace {

std::string json_of(std::string_view text) { return to_json(parse_yaml(text, "f.yml").at(0).root).dump(); }

struct ScalarRow {
  const char* text;
  Node::Kind kind;
  const char* value;
};

std::ostream& operator<<(std::ostream& out, const ScalarRow& row) { return out << row.text; }

// Values as docker compose 2.40.3 writes them into a container's environment.
const ScalarRow scalars[] = {
    {"", Node::Kind::null, ""},
    {"~", Node::Kind::null, ""},
    {"null", Node::Kind::null, ""},
    {"true", Node::Kind::boolean, "true"},
    {"False", Node::Kind::boolean, "false"},
    {"yes", Node::Kind::string, "yes"},
    {"no", Node::Kind::string, "no"},
    {"on", Node::Kind::string, "on"},
    {"y", Node::Kind::string, "y"},
    {"5", Node::Kind::integer, "5"},
    {"-5", Node::Kind::integer, "-5"},
    {"+5", Node::Kind::integer, "5"},
    {"-0", Node::Kind::integer, "0"},
    {"010", Node::Kind::integer, "8"},
    {"0o10", Node::Kind::integer, "8"},
    {"0o8", Node::Kind::string, "0o8"},
    {"08", Node::Kind::number, "8"},
    {"0x1F", Node::Kind::integer, "31"},
    {"-0x10", Node::Kind::integer, "-16"},
    {"0b11", Node::Kind::integer, "3"},
    {"1_000", Node::Kind::integer, "1000"},
    {"9223372036854775807", Node::Kind::integer, "9223372036854775807"},
    {"-9223372036854775808", Node::Kind::integer, "-9223372036854775808"},
    {"12345678901234567890", Node::Kind::integer, "12345678901234567890"},
    {"123456789012345678901234", Node::Kind::number, "1.2345678901234569e+23"},
    {"1.10", Node::Kind::number, "1.1"},
    {"1.0", Node::Kind::number, "1"},
    {".5", Node::Kind::number, "0.5"},
    {"5.", Node::Kind::number, "5"},
    {"+1.5", Node::Kind::number, "1.5"},
    {"1e3", Node::Kind::number, "1000"},
    {"100000.0", Node::Kind::number, "100000"},
    {"1e6", Node::Kind::number, "1e+06"},
    {"123456789.5", Node::Kind::number, "1.234567895e+08"},
    {"0.00001", Node::Kind::number, "1e-05"},
    {"0.0001", Node::Kind::number, "0.0001"},
    {".inf", Node::Kind::number, "+Inf"},
    {"-.inf", Node::Kind::number, "-Inf"},
    {".nan", Node::Kind::number, "NaN"},
    {"1e", Node::Kind::string, "1e"},
    {".", Node::Kind::string, "."},
    {"-", Node::Kind::string, "-"},
    {"+", Node::Kind::string, "+"},
    {"0x", Node::Kind::string, "0x"},
    {"1.2.3", Node::Kind::string, "1.2.3"},
    {"22:22", Node::Kind::string, "22:22"},
    {"10.5/24", Node::Kind::string, "10.5/24"},
    {"2024-01-31", Node::Kind::timestamp, "2024-01-31"},
    {"2024-01-31T10:00:00Z", Node::Kind::timestamp, "2024-01-31T10:00:00Z"},
    {"2024-01-31 10:00:00", Node::Kind::timestamp, "2024-01-31 10:00:00"},
    {"2024-13-01", Node::Kind::string, "2024-13-01"},
    {"2024-01", Node::Kind::string, "2024-01"},
};

struct TextRow {
  const char* text;
  const char* expected;
};

std::ostream& operator<<(std::ostream& out, const TextRow& row) { return out << row.text; }

const TextRow trees[] = {
    {"a: {b: [1, '2', \"3\", x]}", R"({"a":{"b":[1,"2","3","x"]}})"},
    {"b: 1\na: 2", R"({"b":1,"a":2})"},
    {"a: !!str 5\nb: !!int \"3\"\nc: !custom 4", R"({"a":"5","b":3,"c":4})"},
    {"a: !!binary aGVsbG8=", R"({"a":"hello"})"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y", R"({"a":"x\ny\n","b":"x y"})"},
    {"a: &x [1]\nb: *x", R"({"a":[1],"b":[1]})"},
    {"a: &x 1\nb: *x\nc: &x 2\nd: *x", R"({"a":1,"b":1,"c":2,"d":2})"},
    {"a: &x k\n*x : v", R"({"a":"k","k":"v"})"},
    {"a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", R"({"a":{"k":1,"l":2},"b":{"k":3,"l":2}})"},
    {"a: &x {k: 1}\ny: &y {k: 2, m: 3}\nb: {<<: [*x, *y]}", R"({"a":{"k":1},"y":{"k":2,"m":3},"b":{"k":1,"m":3}})"},
    {"b: {<<: {k: 1}, l: 2}", R"({"b":{"l":2,"k":1}})"},
    {"a: &l [{k: 1}, {m: 2}]\nb: {<<: *l}", R"({"a":[{"k":1},{"m":2}],"b":{"k":1,"m":2}})"},
    {"b: {\"<<\": 1}", R"({"b":{"<<":1}})"},
    {"a: !reset 1\nb: [1, !reset 2, 3]", R"({"b":[1,3]})"},
    {"a: !override {b: 1}", R"({"a":{"b":1}})"},
    {"a:\r\n  b: x\r\n", R"({"a":{"b":"x"}})"},
    {"yes: 1\non: 2", R"({"yes":1,"on":2})"},
};

const TextRow refused[] = {
    {"a: 1\nb: 2\na: 3\n", "f.yml:3:1: top level: key \"a\" is already at line 1"},
    {"s:\n  a: 1\n  \"a\": 3\n", "f.yml:3:3: s: key \"a\" is already at line 2"},
    {"a: {<<: {b: 1}, <<: {c: 1}}\n", "f.yml:1:17: a: key \"<<\" is already at line 1"},
    {"a: {1: x}\n", "f.yml:1:5: a: key 1 is an integer, keys must be strings: put it in quotes"},
    {"a: {true: x}\n", "f.yml:1:5: a: key true is a boolean, keys must be strings: put it in quotes"},
    {"a: {~: x}\n", "f.yml:1:5: a: key ~ is null, keys must be strings: put it in quotes"},
    {"? [a]\n: b\n", "f.yml:1:3: top level: a key must be a string"},
    {"a: *nope\n", "f.yml:1:4: alias *nope has no anchor before it"},
    {"a: *later\nb: &later 1\n", "f.yml:1:4: alias *later has no anchor before it"},
    {"a: &x\n  b: *x\n", "f.yml:2:6: a.b.b: alias *x stands inside its own anchor"},
    {"a: {<<: 1}\n", "f.yml:1:9: a: << takes a mapping or a list of mappings"},
    {"a: {<<: [1]}\n", "f.yml:1:10: a: << takes a mapping or a list of mappings"},
    {"a: !!int x\n", "f.yml:1:10: a: \"x\" is not a !!int"},
    {"a: !!binary '?'\n", "f.yml:1:13: a: !!binary is not base64"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_plain_scalar_is, data::make(scalars), row) {
  const PlainScalar scalar = resolve_plain_scalar(row.text);

  BOOST_TEST(scalar.kind == row.kind);
  BOOST_TEST(scalar.text == row.value);
}

BOOST_DATA_TEST_CASE(a_text_becomes_a_tree, data::make(trees), row) { BOOST_TEST(json_of(row.text) == row.expected); }

BOOST_DATA_TEST_CASE(a_broken_text_is_refused_by_place, data::make(refused), row) {
  BOOST_CHECK_EXCEPTION(parse_yaml(row.text, "f.yml"), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == row.expected);
    return error.code() == ErrorCode::invalid;
  });
}

BOOST_AUTO_TEST_CASE(syntax_errors_have_a_place) {
  for (const char* const text : {"a: [1\n", "a: b: c\n", "\ta: 1\n", "a: 'x\n", "a: @x\n", "{a: 1\n"}) {
    BOOST_CHECK_EXCEPTION(parse_yaml(text, "f.yml"), Error, [&](const Error& error) {
      BOOST_TEST(std::string_view(error.what()).starts_with("f.yml:"), error.what());
      BOOST_TEST(std::string_view(error.what()).find("not valid YAML: ") != std::string_view::npos, error.what());
      return error.code() == ErrorCode::invalid;
    });
  }
}

BOOST_AUTO_TEST_CASE(documents_are_apart_and_know_their_resets) {
  const auto documents = parse_yaml("a: 1\n---\nb: {c: !reset , d: !override [1]}\nx: &x {e: !reset }\nf: {<<: *x}\n---\n", "f.yml");

  BOOST_REQUIRE(documents.size() == 3U);
  BOOST_TEST(documents[0].resets.empty());
  const std::vector<TreePath> expected = {{"b", "c"}, {"b", "d"}, {"x", "e"}, {"f", "e"}};
  BOOST_TEST((documents[1].resets == expected));
  BOOST_TEST(documents[2].root.is_null());
  BOOST_TEST(parse_yaml("", "f.yml").empty());
  BOOST_TEST(parse_yaml("# nothing\n", "f.yml").empty());
}

BOOST_AUTO_TEST_CASE(anchors_do_not_reach_into_the_next_document) { BOOST_CHECK_THROW(parse_yaml("a: &x 1\n---\nb: *x\n", "f.yml"), Error); }

BOOST_AUTO_TEST_CASE(places_are_kept) {
  const Node root = parse_yaml("a:\n  b: \"x\"\n  c: [1, {d: y}]\n", "dir/f.yml").at(0).root;

  BOOST_TEST(root.find("a")->find("b")->origin.to_string() == "dir/f.yml:2:6");
  BOOST_TEST(root.find("a")->find("c")->items.at(1).find("d")->origin.to_string() == "dir/f.yml:3:14");
}

BOOST_AUTO_TEST_CASE(aliases_cannot_grow_without_bound) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j ? ", " : "") + before;
    text += "]\n";
  }

  BOOST_CHECK_EXCEPTION(parse_yaml(text, "f.yml"), Error,
                        [](const Error& error) { return std::string_view(error.what()).find("beyond 100000 nodes") != std::string_view::npos; });
}

BOOST_AUTO_TEST_CASE(depth_and_size_are_bounded) {
  BOOST_CHECK_NO_THROW(parse_yaml(std::string(99, '[') + std::string(99, ']'), "f.yml"));
  BOOST_CHECK_THROW(parse_yaml(std::string(101, '[') + std::string(101, ']'), "f.yml"), Error);
  BOOST_CHECK_THROW(parse_yaml(std::string(100'000, '['), "f.yml"), Error);
  std::string nested;
  for (int i = 0; i < 200; ++i) nested += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  BOOST_CHECK_THROW(parse_yaml(nested, "f.yml"), Error);
  std::string many = "[";
  for (std::size_t i = 0; i < yaml_nodes_max; ++i) many += "1,";
  BOOST_CHECK_THROW(parse_yaml(many + "]", "f.yml"), Error);
  BOOST_CHECK_THROW(parse_yaml(std::string(yaml_bytes_max + 1, '#'), "f.yml"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
