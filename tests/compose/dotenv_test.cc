#include "compose/dotenv.h"

#include "base/error.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(dotenv)

namespace {

const VariableLookup outer = [](std::string_view name) -> std::optional<std::string> {
  if (name == "OUTER") return "from outside";
  if (name == "TAKEN") return "taken";
  return std::nullopt;
};

Environment parse(std::string_view text) {
  Environment values;
  WarningList warnings;
  parse_dotenv(text, "x.env", outer, values, warnings);
  return values;
}

struct Row {
  const char* text;
  const char* key;
  const char* value;  // nullptr: not set
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text; }

const Row rows[] = {
    {"A=plain", "A", "plain"},
    {"A=plain\n", "A", "plain"},
    {"A=1\r\nB=2\r\n", "A", "1"},
    {"A=1\r\nB=2\r\n", "B", "2"},
    {"\xEF\xBB\xBF"
     "A=bom\n",
     "A", "bom"},
    {"\n  # comment\n\tA=x\n", "A", "x"},
    {"export A=x\n", "A", "x"},
    {"exportA=x\n", "exportA", "x"},
    {"export=1\n", "export", "1"},
    {"A = spaced  \n", "A", "spaced"},
    {"A: yaml\n", "A", "yaml"},
    {"A : \"q\" \n", "A", "q"},
    {"A=\n", "A", ""},
    {"A=\"\"\n", "A", ""},
    {"A=value # comment\n", "A", "value"},
    {"A=value#none\n", "A", "value#none"},
    {"A=value\t#none\n", "A", "value\t#none"},
    {"A= # kept\n", "A", "# kept"},
    {"A=\"q # kept\" # comment\n", "A", "q # kept"},
    {"A=a=b:c\n", "A", "a=b:c"},
    {"A=a\\nb\n", "A", "a\\nb"},
    {"A=`back`\n", "A", "`back`"},
    {"A=it's\n", "A", "it's"},
    // Single quotes.
    {"A='lit $OUTER \\n'\n", "A", "lit $OUTER \\n"},
    {"A='it\\'s'\n", "A", "it's"},
    {"A='two\nlines'\n", "A", "two\nlines"},
    // Double quotes.
    {"A=\"a \\\"b\\\" \\n \\t\"\n", "A", "a \"b\" \n \t"},
    {"A=\"two\nlines $OUTER\"\n", "A", "two\nlines from outside"},
    {"A=\"\\$OUTER \\\\\"\n", "A", "$OUTER \\"},
    {"A=\"\\x \\q\"\n", "A", "\\x \\q"},
    {"A=\"\\0101\\0377\"\n", "A", "A\xC3\xBF"},
    {"A=\"\\01 \\0999\"\n", "A", "\\1 \\999"},
    {"A=\"x\" B=\"y\"\n", "B", "y"},
    // Variables.
    {"A=$OUTER-${OUTER}\n", "A", "from outside-from outside"},
    {"A=1\nB=${A}2\n", "B", "12"},
    {"OUTER=inner\nB=$OUTER\n", "B", "from outside"},
    {"B=$A\nA=late\n", "B", ""},
    {"A=$$x\n", "A", "$x"},
    {"A=${NOPE:-d}\n", "A", "d"},
    // A key alone.
    {"TAKEN\nA=x\n", "TAKEN", "taken"},
    {"TAKEN", "TAKEN", "taken"},
    {"export TAKEN\n", "TAKEN", "taken"},
    {"NOPE\nA=x\n", "NOPE", nullptr},
    // Keys.
    {"A.B-C[0]=x\n", "A.B-C[0]", "x"},
    {"1A=x\n", "1A", "x"},
    {"\xC3\xA9=x\n", "\xC3\xA9", "x"},
    {"A=first\nA=last\n", "A", "last"},
};

const Row refused[] = {
    {"A='it'\\''s'\n", "", "x.env:1: unexpected character '\\' in a variable's name"},
    {"\nA B=1\n", "", "x.env:2: a variable's name cannot contain a space"},
    {"A!=1\n", "", "x.env:1: unexpected character '!' in a variable's name"},
    {"A=x\n\nB=\"open\nC=1\n", "", "x.env:3: quote \" is not closed"},
    {"A='open", "", "x.env:1: quote ' is not closed"},
    {"S=${hunter2\n", "", "x.env:1: invalid interpolation format; write $$ for a dollar sign that starts no variable"},
    {"A=1\nB=${X?need it}\n", "", "x.env:2: required variable X is missing a value: need it"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_file_says, data::make(rows), row) {
  const Environment values = parse(row.text);
  const auto found = values.find(row.key);
  if (!row.value) {
    BOOST_TEST((found == values.end()));
    return;
  }
  BOOST_REQUIRE((found != values.end()));
  BOOST_TEST(found->second == row.value);
}

BOOST_DATA_TEST_CASE(a_broken_file_is_refused_by_line, data::make(refused), row) {
  BOOST_CHECK_EXCEPTION(parse(row.text), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == row.value);
    return error.code() == ErrorCode::invalid;
  });
}

BOOST_AUTO_TEST_CASE(a_later_file_overrides_and_sees_an_earlier_one) {
  const drover::test::TempDir directory;
  const auto one = directory.write("one.env", "A=1\nB=b\nP=mine\n");
  const auto two = directory.write("two.env", "A=${A}2\nC=$P\n");
  WarningList warnings;

  const Environment values = read_dotenv_files({one, two}, {{"P", "process"}}, warnings);

  BOOST_TEST(values.at("A") == "12");
  BOOST_TEST(values.at("B") == "b");
  BOOST_TEST(values.at("C") == "process");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  WarningList warnings;
  BOOST_CHECK_EXCEPTION(read_dotenv_files({"/nonexistent/x.env"}, {}, warnings), Error, [](const Error& error) {
    return error.code() == ErrorCode::not_found && std::string_view(error.what()) == "cannot find env file /nonexistent/x.env";
  });
}

BOOST_AUTO_TEST_SUITE_END()
