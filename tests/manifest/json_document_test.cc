#include "manifest/json_document.h"

#include "base/error.h"
#include "manifest/manifest.h"
#include "tests/manifest/documents.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(json_document)

namespace {

struct Row {
  std::string text;
  std::string piece;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text.substr(0, 60); }

const std::vector<Row> refused = {
    {"", "not JSON at byte"},
    {" ", "not JSON at byte"},
    {"{", "not JSON at byte"},
    {"{} {}", "not JSON at byte"},
    {"{}x", "not JSON at byte"},
    {"{'a':1}", "not JSON at byte"},
    {"{a:1}", "not JSON at byte"},
    {"[1,]", "not JSON at byte"},
    {"// comment\n{}", "not JSON at byte"},
    {"{}/**/", "not JSON at byte"},
    {"[NaN]", "not JSON at byte"},
    {"[01]", "not JSON at byte"},
    {"[+1]", "not JSON at byte"},
    {"[1e999]", "not JSON at byte"},
    {"[\"\xff\"]", "not JSON at byte"},
    {"[\"\xc0\xaf\"]", "not JSON at byte"},
    {"[\"\\ud800\"]", "not JSON at byte"},
    {"[\"a\nb\"]", "not JSON at byte"},
    {"\xEF\xBB\xBF{}", "byte order mark"},
    {std::string("{}\0x", 4), "a NUL"},
    {std::string("{}\0", 3), "a NUL"},
    {R"({"a":1,"a":1})", "\"a\" is there twice"},
    {R"({"a":1,"\u0061":2})", "\"a\" is there twice"},
    {R"({"x":[{"b":{"a":1,"c":2,"a":null}}]})", "\"a\" is there twice"},
    {std::string(65, '[') + std::string(65, ']'), "nested deeper than 64"},
};

const std::vector<std::string> accepted = {
    "{}",
    "[]",
    "null",
    " \t\r\n{} ",
    R"({"a":{"a":{"a":1}}})",      // the same key on other levels
    R"([{"a":1},{"a":2}])",
    R"({"a":1,"A":2,"aſ":3})",     // twins are judged where objects are read
    R"({"\u0000":"\u0000"})",      // escaped NULs are text
    std::string(64, '[') + std::string(64, ']'),
};

constexpr std::array<std::string_view, 2> known = {"size", "kind"};

JsonObject object_of(const nlohmann::json& json) { return JsonObject(json, "thing", known); }

Says says(std::string piece) { return {ErrorCode::invalid, std::move(piece)}; }

BOOST_DATA_TEST_CASE(refuses, refused, row) { BOOST_CHECK_EXCEPTION(parse_json_strictly(row.text, "thing"), Error, says(row.piece)); }

BOOST_DATA_TEST_CASE(accepts, accepted, text) { BOOST_CHECK_NO_THROW(parse_json_strictly(text, "thing")); }

BOOST_AUTO_TEST_CASE(messages_begin_with_what_was_read) { BOOST_CHECK_EXCEPTION(parse_json_strictly("x", "thing"), Error, says("thing: ")); }

BOOST_AUTO_TEST_CASE(builds_what_the_library_builds) {
  const std::string text = R"({"a":[1,-2,3.5,"x",null,true,{"b":[]},[[]]],"c":{"d":{"e":18446744073709551615}},"f":"\u017f"})";
  BOOST_TEST((parse_json_strictly(text, "thing") == nlohmann::json::parse(text)));
}

BOOST_AUTO_TEST_CASE(counts_values) {
  std::string text = "[0";
  for (std::size_t i = 2; i < json_values_max; ++i) text += ",0";  // the array is a value as well
  BOOST_CHECK_NO_THROW(parse_json_strictly(text + "]", "thing"));
  BOOST_CHECK_EXCEPTION(parse_json_strictly(text + ",0]", "thing"), Error, says("values"));
}

BOOST_AUTO_TEST_CASE(folds_as_case_blind_parsers_do) {
  BOOST_TEST(fold_key("MediaType") == "mediatype");
  BOOST_TEST(fold_key("layer\u017F") == "layers");
  BOOST_TEST(fold_key("\u212Aey") == "key");
  BOOST_TEST(fold_key("\u00C9") == "\u00C9");
  BOOST_TEST(fold_key("") == "");
}

struct Twins {
  std::string text;
  bool ok;
};
std::ostream& operator<<(std::ostream& out, const Twins& row) { return out << row.text; }

const std::vector<Twins> twins = {
    {R"({"size":1})", true},
    {R"({"size":1,"other":2,"another":3})", true},
    {R"({"size":1,"Size":2})", false},
    {R"({"Size":2,"size":1})", false},
    {R"({"Size":1})", false},            // read by others, not by us
    {R"({"\u017fize":1})", false},
    {R"({"size":1,"\u017fIZE":2})", false},
    {R"({"\u212aind":1})", false},
    {R"({"other":1,"OTHER":2})", false},
    {R"({"OTHER":2})", true},            // nobody reads it
};

BOOST_DATA_TEST_CASE(keys_that_differ_only_in_case, twins, row) {
  const nlohmann::json json = parse_json_strictly(row.text, "thing");
  if (row.ok) BOOST_CHECK_NO_THROW(object_of(json));
  else BOOST_CHECK_EXCEPTION(object_of(json), Error, says("differ only in case"));
}

BOOST_AUTO_TEST_CASE(an_object_is_wanted) {
  for (const char* text : {"[]", "null", "1", R"("x")"}) {
    const nlohmann::json json = parse_json_strictly(text, "thing");
    BOOST_CHECK_EXCEPTION(object_of(json), Error, says("thing: not a JSON object"));
  }
}

struct Number {
  std::string text;
  bool ok;
};
std::ostream& operator<<(std::ostream& out, const Number& row) { return out << row.text; }

const std::vector<Number> numbers = {
    {"0", true},     {"1", true},     {"9223372036854775807", true},   {"9223372036854775808", false}, {"18446744073709551616", false},
    {"-1", false},   {"-0", false},   {"1.0", false},                  {"1e3", false},                 {"0.5", false},
    {"\"1\"", false}, {"true", false}, {"[1]", false},                  {"null", false},                {"1E0", false},
};

BOOST_DATA_TEST_CASE(sizes_are_plain_integers, numbers, row) {
  const nlohmann::json json = parse_json_strictly(R"({"size":)" + row.text + "}", "thing");
  if (row.ok) BOOST_TEST(std::to_string(object_of(json).uint("size")) == row.text);
  else BOOST_CHECK_EXCEPTION(object_of(json).uint("size"), Error, says("thing.size: "));
}

BOOST_AUTO_TEST_CASE(absent_and_null_are_alike_except_for_arrays) {
  const nlohmann::json json = parse_json_strictly(R"({"a":null,"b":["x"],"c":"y","d":[1]})", "thing");
  const JsonObject object = object_of(json);

  BOOST_TEST(!object.has("a"));
  BOOST_TEST(!object.find_string("a").has_value());
  BOOST_TEST(!object.find_string("absent").has_value());
  BOOST_TEST(object.find_strings("a").empty());
  BOOST_TEST(object.find_strings("b").size() == 1U);
  BOOST_TEST(object.string("c") == "y");
  BOOST_TEST(object.array("a", 1).empty());
  BOOST_TEST(object.array("b", 1).size() == 1U);
  BOOST_CHECK_EXCEPTION(object.array("b", 0), Error, says("1 entries, more than 0"));
  BOOST_CHECK_EXCEPTION(object.array("absent", 1), Error, says("thing.absent: missing"));
  BOOST_CHECK_EXCEPTION(object.array("c", 1), Error, says("not an array"));
  BOOST_CHECK_EXCEPTION(object.string("a"), Error, says("thing.a: missing"));
  BOOST_CHECK_EXCEPTION(object.string("b"), Error, says("not a string"));
  BOOST_CHECK_EXCEPTION(object.find_strings("c"), Error, says("array of strings"));
  BOOST_CHECK_EXCEPTION(object.find_strings("d"), Error, says("array of strings"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
