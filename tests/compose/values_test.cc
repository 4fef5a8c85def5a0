// Values as compose files write them: sizes, durations, numbers, words of a command, ports.
#include "base/error.h"
#include "compose/go_json.h"
#include "compose/quantity.h"
#include "compose/shell_words.h"
#include "compose/short_port.h"
#include "compose/yaml.h"
#include "compose/yaml_emitter.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(values)

namespace {

struct Row {
  std::string text;
  std::string expected;  // "none": refused
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << '"' << row.text << '"';
}

template <typename Value> std::string to_text(const std::optional<Value>& value) {
  return value ? std::to_string(*value) : "none";
}

std::string ports_of(const std::string& text) {
  try {
    std::string line;
    for (const ShortPort& port : parse_short_ports(text))
      line += port.host_ip + "|" + port.published + "|" + std::to_string(port.target) + "|" + port.protocol + " ";
    return line;
  } catch (const Error&) {
    return "none";
  }
}

std::string words_of(const std::string& text) {
  const auto words = split_shell_words(text);
  if (!words) return "none";
  std::string line;
  for (const std::string& word : *words) line += "[" + word + "]";
  return line;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_size_is_read,
                     data::make(std::vector<Row>{{"1g", "1073741824"},
                                                 {"1.5GiB", "1610612736"},
                                                 {"512 MB", "536870912"},
                                                 {"10b", "10"},
                                                 {"7", "7"},
                                                 {"1p", "1125899906842624"},
                                                 {"0", "0"},
                                                 {"1x", "none"},
                                                 {"1gi", "none"},
                                                 {"1bb", "none"},
                                                 {"-1", "none"},
                                                 {"g", "none"},
                                                 {"", "none"},
                                                 {"9999p", "none"},
                                                 {"1.2.3k", "none"}}),
                     row) {
  BOOST_TEST(to_text(parse_byte_count(row.text)) == row.expected);
}

BOOST_DATA_TEST_CASE(a_duration_is_printed_as_go_does,
                     data::make(std::vector<Row>{{"90s", "1m30s"},
                                                 {"36h", "36h0m0s"},
                                                 {"1d12h", "36h0m0s"},
                                                 {"1w", "168h0m0s"},
                                                 {"1.5s", "1.5s"},
                                                 {".5h", "30m0s"},
                                                 {"1500us", "1.5ms"},
                                                 {"10\xC2\xB5s", "10\xC2\xB5s"},
                                                 {"7ns", "7ns"},
                                                 {"0", "0s"},
                                                 {"0s", "0s"},
                                                 {"-1m", "-1m0s"},
                                                 {"5", "none"},
                                                 {"s", "none"},
                                                 {".s", "none"},
                                                 {"1y", "none"},
                                                 {"", "none"},
                                                 {"1h-5m", "none"},
                                                 {"99999999w", "none"}}),
                     row) {
  const auto duration = parse_duration(row.text);
  BOOST_TEST((duration ? format_duration(*duration) : "none") == row.expected);
}

BOOST_DATA_TEST_CASE(an_integer_is_decimal,
                     data::make(std::vector<Row>{{"12", "12"},
                                                 {"+3", "3"},
                                                 {"-4", "-4"},
                                                 {"9223372036854775807", "9223372036854775807"},
                                                 {"9223372036854775808", "none"},
                                                 {"0x1", "none"},
                                                 {" 1", "none"},
                                                 {"1.0", "none"},
                                                 {"", "none"}}),
                     row) {
  BOOST_TEST(to_text(parse_integer(row.text)) == row.expected);
}

BOOST_DATA_TEST_CASE(a_command_is_taken_apart,
                     data::make(std::vector<Row>{{"a 'b c' \"d e\"", "[a][b c][d e]"},
                                                 {"a\\ b", "[a b]"},
                                                 {"x'y z'w", "[xy zw]"},
                                                 {"''", "[]"},
                                                 {"", ""},
                                                 {"a && b", "[a]"},
                                                 {"a|b", "[a]"},
                                                 {"a 2>b", "[a]"},
                                                 {"'open", "none"},
                                                 {"a \\", "none"},
                                                 {"f(x)", "none"},
                                                 {"`x y`", "[`x y`]"}}),
                     row) {
  BOOST_TEST(words_of(row.text) == row.expected);
}

BOOST_DATA_TEST_CASE(a_port_is_read,
                     data::make(std::vector<Row>{{"80", "||80|tcp "},
                                                 {"8080:80/udp", "|8080|80|udp "},
                                                 {"127.0.0.1::80", "127.0.0.1||80|tcp "},
                                                 {"[::1]:1:2", "::1|1|2|tcp "},
                                                 {"9-10", "||10|tcp ||9|tcp "},
                                                 {"5-6:80", "|5-6|80|tcp "},
                                                 {":443:443", "|443|443|tcp "},
                                                 {"80:", "none"},
                                                 {"::1:1:2", "none"},
                                                 {"1-2:3-5", "none"},
                                                 {"65536", "none"},
                                                 {"2-1", "none"},
                                                 {"80/icmp", "none"},
                                                 {"x:80", "none"},
                                                 {"", "none"}}),
                     row) {
  BOOST_TEST(ports_of(row.text) == row.expected);
}

BOOST_AUTO_TEST_CASE(json_is_that_of_go) {
  const nlohmann::ordered_json value = {{"b", "<&>\"\\\n\x01\xE2\x80\xA8"},
                                        {"a", {1, 0.5, 1e-7, 100.0, true, nullptr}},
                                        {"e",
                                         "\xff"
                                         "x"}};

  BOOST_TEST(to_go_json(value, JsonLayout::compact) ==
             R"({"b":"\u003c\u0026\u003e\"\\\n\u0001\u2028","a":[1,0.5,1e-7,100,true,null],"e":"\ufffdx"})");
  BOOST_TEST(to_go_json({{"a", nlohmann::ordered_json::array()}, {"b", {1}}}, JsonLayout::indented) ==
             "{\n  \"a\": [],\n  \"b\": [\n    1\n  ]\n}");
}

BOOST_DATA_TEST_CASE(
    a_string_in_yaml_stays_a_string,
    data::make(std::vector<std::string>{
        "80",      "true",  "yes",    "Off",   "null",   "~",   "",   "1e3",  "0x1F",     "2024-01-02",   "22:22",
        "<<",      "=",     "a: b",   "a #b",  "#a",     "- a", "a:", "*a",   "&a",       "!a",           "%a",
        "@a",      "`a",    "'a'",    "\"a\"", "a'b",    " a",  "a ", "[a]",  "{a}",      "a,b",          "a]b",
        "|",       ">",     "?",      "-",     "a\nb\n", "\n",  "\t", "\x7f", "\xC2\x85", "\xE2\x80\xA8", "\xE4\xB8\xAD",
        "C:\\dir", "plain", "/a/b:c", "+1",    ".5",     "."})) {
  const std::string text = emit_yaml({{sample, {{{"k", sample}}, sample}}});

  BOOST_TEST_CONTEXT(text) {
    const Node root = parse_yaml(text, "x").at(0).root;
    BOOST_TEST(root.members.at(0).key == sample);
    BOOST_TEST(root.members.at(0).value.items.at(0).text_of("k") == sample);
    BOOST_TEST(root.members.at(0).value.items.at(1).is_string());
    BOOST_TEST(root.members.at(0).value.items.at(1).text == sample);
  }
}

BOOST_AUTO_TEST_CASE(a_string_that_is_no_utf8_is_shown) { BOOST_TEST(emit_yaml({{"k", "a\xff"}}).find("\"a\xEF\xBF\xBD\"") != std::string::npos); }

BOOST_AUTO_TEST_SUITE_END()
