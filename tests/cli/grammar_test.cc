#include "cli/grammar.h"

#include "base/error.h"
#include "cli/completion.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <set>

using namespace drover;
using namespace drover::cli;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(grammar)

namespace {

std::string usage_of(const std::vector<std::string>& words) {
  try {
    parse_line(words);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::usage));
    return error.what();
  }
  return "no error";
}

using Words = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(global_options_stand_before_or_after_the_command) {
  for (const Words& words : {Words{"--json", "--platform", "linux/arm64", "pull", "redis:7"}, Words{"pull", "redis:7", "--platform=linux/arm64", "--json"},
                             Words{"--json", "pull", "--platform", "linux/arm64", "redis:7"}}) {
    const ParsedLine line = parse_line(words);
    BOOST_TEST(line.command->path == "pull");
    BOOST_TEST(line.flags.json);
    BOOST_TEST(line.flags.platforms == Words{"linux/arm64"}, boost::test_tools::per_element());
    BOOST_TEST(line.flags.references == Words{"redis:7"}, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(global_options_also_stand_behind_a_command_of_two_words) {
  const ParsedLine line = parse_line({"store", "path", "--json", "--store", "/s"});
  BOOST_TEST(line.command->path == "store path");
  BOOST_TEST(line.flags.json);
  BOOST_TEST(line.flags.store == "/s");
}

BOOST_AUTO_TEST_CASE(a_repeated_option_takes_one_word_each_time) {
  const ParsedLine line = parse_line({"prefetch", "-f", "a.yml", "-f", "b.yml", "redis", "--platform", "linux/amd64", "nginx", "--platform", "all"});

  BOOST_TEST(line.flags.files == (Words{"a.yml", "b.yml"}), boost::test_tools::per_element());
  BOOST_TEST(line.flags.platforms == (Words{"linux/amd64", "all"}), boost::test_tools::per_element());
  BOOST_TEST(line.flags.references == (Words{"redis", "nginx"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_word_that_is_also_a_command_can_be_an_image) {
  const ParsedLine line = parse_line({"pull", "ls", "resolve"});
  BOOST_TEST(line.command->path == "pull");
  BOOST_TEST(line.flags.references == (Words{"ls", "resolve"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_of_a_single_option_wins) { BOOST_TEST(parse_line({"--store", "/a", "ls", "--store", "/b"}).flags.store == "/b"); }

struct SlipRow {
  Words words;
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const SlipRow& row) { return out << row.message; }

const SlipRow slips[] = {
    {{"pul", "redis"}, "unknown command pul; did you mean pull?"},
    {{"prefech"}, "unknown command prefech; did you mean prefetch?"},
    {{"xyzzy"}, "unknown command xyzzy; see drover --help"},
    {{"store", "pth"}, "unknown command pth; did you mean path?"},
    {{"pull", "--plattform", "linux/amd64", "redis"}, "unknown option --plattform; did you mean --platform?"},
    {{"--jsn", "ls"}, "unknown option --jsn; did you mean --json?"},
    {{"check", "--exitcode=1"}, "unknown option --exitcode; did you mean --exit-code?"},
    {{"ls", "--zzzzzzzz"}, "unknown option --zzzzzzzz; see drover ls --help"},
    {{"ls", "redis"}, "ls does not take redis; see drover ls --help"},
};

BOOST_DATA_TEST_CASE(a_slip_of_the_finger_is_understood, data::make(slips), row) { BOOST_TEST(usage_of(row.words) == row.message); }

BOOST_AUTO_TEST_CASE(bad_lines_are_usage_errors_that_name_the_help) {
  BOOST_TEST(usage_of({"pull", "--jobs"}).ends_with("; see drover pull --help"));
  BOOST_TEST(usage_of({"pull", "--progress", "loud", "redis"}).find("loud") != std::string::npos);
  BOOST_TEST(usage_of({}).starts_with("a command is missing: "));
  BOOST_TEST(usage_of({"store"}).starts_with("a command is missing: "));
  BOOST_TEST(usage_of({"completion", "tcsh"}).find("tcsh") != std::string::npos);
}

// An unset variable in a script must not lift a cap.
BOOST_AUTO_TEST_CASE(an_empty_value_is_wrong_usage) {
  BOOST_TEST(usage_of({"pull", "--limit-rate", "", "redis"}) == "--limit-rate: an empty value; see drover pull --help");
  BOOST_TEST(usage_of({"--limit-rate", "", "pull", "redis"}).starts_with("--limit-rate: an empty value; see drover"));
  BOOST_TEST(usage_of({"pull", "--limit-rate=", "redis"}) == "--limit-rate: an empty value; see drover --help");
  BOOST_TEST(usage_of({"pull", "redis", "--by="}) == "--by: an empty value; see drover --help");
  BOOST_TEST(usage_of({"pull", "--min-free", "", "redis"}).starts_with("--min-free: an empty value"));
  BOOST_TEST(usage_of({"pull", "--platform", "", "redis"}).starts_with("--platform: an empty value"));
  BOOST_TEST(usage_of({"ls", "--store="}).starts_with("--store: an empty value"));
  BOOST_TEST(usage_of({"ls", "-H", ""}).find("an empty value") != std::string::npos);
  BOOST_TEST(parse_line({"pull", "--limit-rate=10M", "redis"}).flags.limit_rate == "10M");
  BOOST_TEST(parse_line({"pull", "--", "--by="}).flags.references == Words{"--by="}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_misspelled_name_of_any_kind_gets_a_did_you_mean) {
  BOOST_TEST(unknown_word_text("service", "rediss", {"redis", "web"}, "has redis, web") == "unknown service rediss; did you mean redis?");
  BOOST_TEST(unknown_word_text("service", "mail", {"redis", "web"}, "has redis, web") == "unknown service mail; has redis, web");
}

BOOST_AUTO_TEST_CASE(every_command_has_a_help_with_an_example) {
  for (const Command& command : commands()) {
    Words words;
    for (std::size_t at = 0; at < command.path.size();) {
      const std::size_t space = std::min(command.path.find(' ', at), command.path.size());
      words.emplace_back(command.path.substr(at, space - at));
      at = space + 1;
    }
    words.emplace_back("--help");

    const ParsedLine line = parse_line(words);

    BOOST_TEST_REQUIRE(line.help.has_value(), command.path);
    BOOST_TEST(line.help->find("Example:\n  ") != std::string::npos, command.path);
    BOOST_TEST(line.help->find(command.summary) != std::string::npos, command.path);
    for (const OptionRow& option : command.options) BOOST_TEST(line.help->find(option.names) != std::string::npos, option.names);
  }
}

BOOST_AUTO_TEST_CASE(a_group_of_commands_has_an_example_of_its_own) {
  BOOST_TEST(parse_line({"store", "--help"}).help->find("drover store gc --apply") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(help_can_be_asked_for_in_words) {
  BOOST_TEST(*parse_line({"help", "pull"}).help == *parse_line({"pull", "--help"}).help);
  BOOST_TEST(*parse_line({"help"}).help == *parse_line({"--help"}).help);
  BOOST_TEST(usage_of({"help", "pul"}) == "unknown command pul; did you mean pull?");
}

BOOST_AUTO_TEST_CASE(help_on_a_command_that_is_none_is_a_slip_too) {
  BOOST_TEST(usage_of({"pul", "--help"}) == "unknown command pul; did you mean pull?");
  BOOST_TEST(usage_of({"--help", "pul"}) == "unknown command pul; did you mean pull?");
  BOOST_TEST(usage_of({"xyzzy", "redis", "--help"}) == "unknown command xyzzy; see drover --help");
  BOOST_TEST(usage_of({"store", "pth", "-h"}) == "unknown command pth; did you mean path?");
  for (const Words& words : {Words{"--plattform", "x", "--help"}, Words{"pull", "--plattform", "--help"}, Words{"ls", "redis", "--help"}}) {
    BOOST_TEST(parse_line(words).help.has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_main_help_names_every_command_and_every_global_option) {
  const std::string help = *parse_line({"--help"}).help;
  for (const Command& command : commands()) BOOST_TEST(help.find(command.path.substr(0, command.path.find(' '))) != std::string::npos);
  for (const OptionRow& option : global_options()) BOOST_TEST(help.find(option.names) != std::string::npos, option.names);
}

BOOST_AUTO_TEST_CASE(version_needs_no_command) {
  BOOST_TEST(parse_line({"--version"}).flags.version);
  BOOST_TEST(parse_line({"-v", "--version"}).flags.verbose);
}

BOOST_AUTO_TEST_CASE(completions_know_every_command_and_option) {
  const GrammarNode tree = grammar_tree();
  for (const std::string& script : {bash_completion(tree), zsh_completion(tree), fish_completion(tree)}) {
    const auto names = [&](std::string_view row) {
      for (std::size_t at = 0; at < row.size();) {
        const std::size_t comma = std::min(row.find(',', at), row.size());
        std::string name(row.substr(at, comma - at));
        const bool is_fish = script.starts_with("# fish");
        if (is_fish) name = name.starts_with("--") ? "-l " + name.substr(2) : "-s " + name.substr(1);
        BOOST_TEST(script.find(name) != std::string::npos, name);
        at = comma + 1;
      }
    };
    for (const Command& command : commands()) {
      BOOST_TEST(script.find(command.path.substr(command.path.rfind(' ') + 1)) != std::string::npos, command.path);
      for (const OptionRow& option : command.options) names(option.names);
    }
    for (const OptionRow& option : global_options()) names(option.names);
    BOOST_TEST(script.find("auto tty plain json none") != std::string::npos);
    const bool has_shells = script.find("bash zsh fish") != std::string::npos || script.find("'bash:bash'") != std::string::npos;
    BOOST_TEST(has_shells);
  }
}

BOOST_AUTO_TEST_SUITE_END()
