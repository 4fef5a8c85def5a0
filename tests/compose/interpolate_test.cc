#include "compose/interpolate.h"

#include "base/error.h"
#include "compose/yaml.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <map>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(interpolate_suite)

namespace {

std::optional<std::string> look_up(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> variables = {
      {"SET", "set"}, {"EMPTY", ""}, {"OTHER", "other"}, {"_under", "u"}, {"A1", "one"}, {"DOLLARS", "$SET ${SET}"}, {"x", "small"}};
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

struct Outcome {
  std::string text;
  std::vector<std::string> warnings;
};

Outcome interpolate(std::string_view text) {
  WarningList warnings;
  std::string result = Interpolator(look_up, warnings).interpolate(text);
  return {result, warnings.lines()};
}

struct Row {
  const char* text;
  const char* expected;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text; }

const Row accepted[] = {
    {"plain", "plain"},
    {"", ""},
    {"$SET", "set"},
    {"${SET}", "set"},
    {"a${SET}b", "asetb"},
    {"$SET$OTHER", "setother"},
    {"$SET.x", "set.x"},
    {"$A1x", ""},  // the name is A1x
    {"${_under}", "u"},
    {"$x", "small"},
    // What stays as it is.
    {"$$", "$"},
    {"$$SET", "$SET"},
    {"$${SET}", "${SET}"},
    {"$$$SET", "$set"},
    {"$$$$", "$$"},
    {"$", "$"},
    {"a$ b", "a$ b"},
    {"$1", "$1"},
    {"$-", "$-"},
    {"cost: 5$", "cost: 5$"},
    {"}{", "}{"},
    // Values are not looked into again.
    {"${DOLLARS}", "$SET ${SET}"},
    // Defaults.
    {"${SET:-d}", "set"},
    {"${UNSET:-d}", "d"},
    {"${EMPTY:-d}", "d"},
    {"${EMPTY-d}", ""},
    {"${UNSET-d}", "d"},
    {"${UNSET:-}", ""},
    {"${UNSET-}", ""},
    {"${UNSET:-a:-b}", "a:-b"},
    {"${UNSET-:2283:2283}", ":2283:2283"},
    {"${UNSET:-a?b}", "a?b"},
    {"${UNSET-a:?b}", "a:?b"},
    {"${UNSET:-\"q\" 'r'}", "\"q\" 'r'"},
    {"${UNSET:-/a/b.c}", "/a/b.c"},
    {"${UNSET:-$SET}", "set"},
    {"${UNSET:-${SET}}", "set"},
    {"${UNSET:-${UNSET2:-x}}tail", "xtail"},
    {"${UNSET:-${UNSET2:-${SET}-y}}", "set-y"},
    {"${UNSET:-$$}", "$"},
    {"${UNSET:-a b}", "a b"},
    // Braces are counted.
    {"${UNSET:-{\"a\":1}}", "{\"a\":1}"},
    {"${UNSET:-{}}", "{}"},
    {"${SET:-a}b}", "setb}"},
    {"${UNSET:-a} and ${UNSET2:-b}", "a and b"},
    {"${UNSET:-a}${SET}${UNSET:-b}", "asetb"},
    {"${SET:-x}\n${UNSET:-y}", "set\ny"},
    {"${UNSET:-a}$}", "a$}"},
    // Alternatives.
    {"${SET:+a}", "a"},
    {"${SET+a}", "a"},
    {"${EMPTY:+a}", ""},
    {"${EMPTY+a}", "a"},
    {"${UNSET:+a}", ""},
    {"${UNSET+a}", ""},
    {"${SET:+${OTHER}}", "other"},
    {"${SET:+-x}", "-x"},
    // Required.
    {"${SET:?e}", "set"},
    {"${SET?e}", "set"},
    {"${EMPTY?e}", ""},
};

const Row refused[] = {
    {"${1}", "invalid interpolation format"},
    {"${ X}", "invalid interpolation format"},
    {"${X", "invalid interpolation format"},
    {"${X:0:1}", "invalid interpolation format"},
    {"${X b}", "invalid interpolation format"},
    {"${}", "invalid interpolation format"},
    {"${", "invalid interpolation format"},
    {"${X:}", "invalid interpolation format"},
    {"${X:-a", "invalid interpolation format"},
    {"${X:-a\nb}", "invalid interpolation format"},  // a form does not span lines
    {"${X/a/b}", "invalid interpolation format"},
    {"${!X}", "invalid interpolation format"},
    {"${SET:-a} ${1}", "invalid interpolation format"},
    {"${UNSET:-${1}}", "invalid interpolation format"},
    {"${UNSET:?}", "required variable UNSET is missing a value"},
    {"${UNSET?set it}", "required variable UNSET is missing a value: set it"},
    {"${EMPTY:?set it}", "required variable EMPTY is missing a value: set it"},
    {"${UNSET:?see ${SET}}", "required variable UNSET is missing a value: see set"},
    {"${UNSET:-${UNSET2:?deep}}", "required variable UNSET2 is missing a value: deep"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_form_becomes, data::make(accepted), row) { BOOST_TEST(interpolate(row.text).text == row.expected); }

BOOST_DATA_TEST_CASE(a_broken_form_is_refused, data::make(refused), row) {
  BOOST_CHECK_EXCEPTION(interpolate(row.text), Error, [&](const Error& error) {
    BOOST_TEST(std::string(error.what()).starts_with(row.expected), error.what());
    return error.code() == ErrorCode::invalid;
  });
}

BOOST_AUTO_TEST_CASE(an_unset_variable_warns_once_and_only_where_its_value_is_used) {
  const Outcome outcome = interpolate("$NOPE ${NOPE} ${SET:-$UNUSED} ${OPTIONAL:-} ${OPTIONAL:+x}");

  BOOST_TEST(outcome.warnings.size() == 1U);
  BOOST_TEST(outcome.warnings.at(0) == "the \"NOPE\" variable is not set, defaulting to a blank string");
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "${U:-";
  text += std::string(200, '}');

  BOOST_CHECK_THROW(interpolate(text), Error);
}

BOOST_AUTO_TEST_CASE(what_variables_write_is_bounded) {
  WarningList warnings;
  const std::string large(1024 * 1024, 'x');
  Interpolator interpolator([&](std::string_view) { return std::optional(large); }, warnings);
  std::string text;
  for (int i = 0; i < 100; ++i) text += "$A";

  BOOST_CHECK_THROW(interpolator.interpolate(text), Error);
}

BOOST_AUTO_TEST_CASE(a_long_line_of_forms_takes_linear_time) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "${UNSET:-a}";

  BOOST_TEST(interpolate(text).text == std::string(100'000, 'a'));
}

BOOST_AUTO_TEST_CASE(values_of_a_tree_change_and_keys_do_not) {
  Node root = parse_yaml("x-a: {$SET: [$SET, {k: '${SET}'}]}\nn: 1\n", "f.yml").at(0).root;
  WarningList warnings;

  Interpolator(look_up, warnings).interpolate_tree(root);

  const Node& list = *root.find("x-a")->find("$SET");
  BOOST_TEST(list.items.at(0).text == "set");
  BOOST_TEST(list.items.at(1).find("k")->text == "set");
}

BOOST_AUTO_TEST_CASE(an_error_in_a_tree_names_place_and_path) {
  Node root = parse_yaml("services:\n  web:\n    command: [a, '${1}']\n", "f.yml").at(0).root;
  WarningList warnings;

  BOOST_CHECK_EXCEPTION(Interpolator(look_up, warnings).interpolate_tree(root), Error, [](const Error& error) {
    BOOST_TEST(error.what() == "f.yml:3:18: services.web.command[1]: invalid interpolation format in \"${1}\"; write $$ for a dollar sign "
                               "that starts no variable");
    return true;
  });
}

BOOST_AUTO_TEST_SUITE_END()
