#include "cli/grammar.h"

#include "base/error.h"
#include "base/text.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace drover::cli {
namespace {

constexpr std::string_view description =
    "drover moves multi-architecture container images ahead of time, and swaps compose stacks onto them.";
// An unset variable of a script, most likely: taken for "not given", it would lift a cap.
constexpr const char* empty_text = "an empty value";
constexpr std::string_view closing = "drover COMMAND --help tells more. Global options may stand before or after the command.";

std::string choices_text(const std::vector<std::string>& choices) { return "{" + join(choices, ",") + "}"; }

CLI::Option* add_target(CLI::App& app, const std::string& names, const FlagTarget& target, Flags& flags, const std::string& help) {
  if (const auto* boolean = std::get_if<bool Flags::*>(&target)) return app.add_flag(names, flags.**boolean, help);
  if (const auto* text = std::get_if<std::string Flags::*>(&target)) return app.add_option(names, flags.**text, help);
  return app.add_option(names, flags.*std::get<std::vector<std::string> Flags::*>(target), help);
}

std::string refuse_empty(const std::string& value) { return value.empty() ? empty_text : ""; }

void add_option(CLI::App& app, const OptionRow& row, Flags& flags) {
  CLI::Option* option = add_target(app, std::string(row.names), row.target, flags, std::string(row.help));
  if (std::holds_alternative<bool Flags::*>(row.target)) return;
  option->type_name(std::string(row.value))->allow_extra_args(false)->check(refuse_empty);
  if (std::holds_alternative<std::string Flags::*>(row.target)) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!row.choices.empty()) option->type_name(choices_text(row.choices))->check(CLI::IsMember(row.choices).description(""));
}

void add_positional(CLI::App& app, const PositionalRow& row, Flags& flags) {
  CLI::Option* option = add_target(app, std::string(row.name), row.target, flags, std::string(row.help));
  option->type_name(row.choices.empty() ? " " : choices_text(row.choices));
  if (!row.choices.empty()) option->check(CLI::IsMember(row.choices).description(""));
}

CLI::App* find_child(CLI::App& app, const std::string& name) {
  for (CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name() == name) return child;
  }
  return nullptr;
}

std::string group_summary(std::string_view word) {
  if (word == "gc") return "remove from the engine what nobody needs any more";
  if (word == "bench") return "figures on this machine, with the tools found on PATH beside them";
  return "look after the " + std::string(word);
}

// A subcommand for each word of the path: "store gc" stands under "store".
CLI::App* add_command(CLI::App& root, const Command& command, Flags& flags) {
  CLI::App* parent = &root;
  const std::vector<std::string_view> path = split(command.path, ' ');
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    CLI::App* found = find_child(*parent, std::string(path[i]));
    if (found == nullptr) {
      found = parent->add_subcommand(std::string(path[i]), group_summary(path[i]))->group(std::string(command.group));
      found->fallthrough()->require_subcommand(0, 1);
      found->footer("Example:\n" + std::string(command.example) + "\n\n" + std::string(closing));
    }
    parent = found;
  }
  CLI::App* app = parent->add_subcommand(std::string(path.back()), std::string(command.summary));
  app->fallthrough()->group(std::string(command.group));
  std::string footer;
  if (!command.details.empty()) footer += std::string(command.details) + "\n\n";
  app->footer(footer + "Example:\n" + std::string(command.example) + "\n\nGlobal options: drover --help");
  for (const PositionalRow& row : command.positionals) add_positional(*app, row, flags);
  for (const OptionRow& row : command.options) add_option(*app, row, flags);
  return app;
}

struct Grammar {
  CLI::App root{std::string(description), "drover"};
  std::vector<std::pair<const CLI::App*, const Command*>> apps;
};

std::unique_ptr<Grammar> make_grammar(Flags& flags) {
  auto grammar = std::make_unique<Grammar>();
  CLI::App& root = grammar->root;
  root.set_help_flag("-h,--help", "print this help");
  root.get_formatter()->column_width(36);
  root.get_formatter()->label("SUBCOMMAND", "COMMAND");
  root.require_subcommand(0, 1);
  root.footer("Example:\n  drover prefetch -f compose.yml\n\n" + std::string(closing));
  for (const OptionRow& row : global_options()) add_option(root, row, flags);
  for (const Command& command : commands()) grammar->apps.emplace_back(add_command(root, command, flags), &command);
  return grammar;
}

const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.back());
}

std::vector<std::string> child_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(child->get_name());
  return names;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> option_names(const CLI::App& root, const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* each : {&root, &app}) {
    for (const CLI::Option* option : each->get_options()) {
      const auto more = names_of(*option);
      names.insert(names.end(), more.begin(), more.end());
    }
  }
  return names;
}

std::string help_remedy(const CLI::App& root, const CLI::App& app) {
  std::string path = "drover";
  for (const CLI::App* each = &root; each != &app;) {
    each = each->get_subcommands().back();
    path += " " + each->get_name();
  }
  return "see " + path + " --help";
}

// The first word that nothing took, by place: an option has a dash, a command stands where a command is wanted.
Error unknown_word(const CLI::App& root) {
  const CLI::App& app = deepest(root);
  const std::vector<std::string> remaining = root.remaining(true);
  const std::string word = remaining.empty() ? std::string() : remaining.front();
  const std::string remedy = help_remedy(root, app);
  if (word.starts_with('-') && word.size() > 1) {
    const std::string name = word.substr(0, word.find('='));
    return Error(ErrorCode::usage, unknown_word_text("option", name, option_names(root, app), remedy));
  }
  const std::vector<std::string> children = child_names(app);
  if (!children.empty()) return Error(ErrorCode::usage, unknown_word_text("command", word, children, remedy));
  return Error(ErrorCode::usage, app.get_name() + " does not take " + printable(word) + "; " + remedy);
}

// Where a command is wanted there is a word that is none. Help on it would be help on something else; beside wrong options help is what is wanted.
bool has_unknown_command(const CLI::App& root) {
  const std::vector<std::string> remaining = root.remaining(true);
  return !remaining.empty() && !remaining.front().starts_with('-') && !child_names(deepest(root)).empty();
}

// CLI11's own words, in one line and in our case.
Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return Error(ErrorCode::usage, printable(trim(text)) + "; " + help_remedy(root, deepest(root)));
}

// `--name=`, for whose value CLI11 would take the next word.
void refuse_cut_values(const CLI::App& app, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return;
    if (!word.starts_with("--") || word.find('=') != word.size() - 1) continue;
    const std::string name = word.substr(0, word.size() - 1);
    const auto is_it = [&](const CLI::Option* option) { return option->get_expected_max() > 0 && option->check_name(name); };
    const std::vector<const CLI::Option*> options = app.get_options();
    if (std::any_of(options.begin(), options.end(), is_it)) {
      throw Error(ErrorCode::usage, name + ": " + empty_text + "; see drover --help");
    }
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) refuse_cut_values(*child, words);
}

// `help pull` is `pull --help`.
std::vector<std::string> spell_out_help(const std::vector<std::string>& words) {
  if (words.empty() || words.front() != "help") return words;
  std::vector<std::string> spelled(words.begin() + 1, words.end());
  spelled.emplace_back("--help");
  return spelled;
}

std::vector<std::string> parse_choices(const std::string& type_name) {
  if (!type_name.starts_with('{') || !type_name.ends_with('}')) return {};
  std::vector<std::string> choices;
  for (const std::string_view part : split(std::string_view(type_name).substr(1, type_name.size() - 2), ',')) choices.emplace_back(part);
  return choices;
}

GrammarNode node_of(const CLI::App& app) {
  GrammarNode node{.name = app.get_name(), .summary = app.get_description(), .options = {}, .words = {}, .children = {}};
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_expected_max() == 0 ? std::string() : option->get_type_name();
    if (option->get_positional()) {
      node.words = parse_choices(type);
    } else {
      node.options.push_back({.names = names_of(*option), .help = option->get_description(), .value = type, .choices = parse_choices(type)});
    }
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) node.children.push_back(node_of(*child));
  return node;
}

}  // namespace

std::string unknown_word_text(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates,
                              std::string_view remedy) {
  const std::string text = "unknown " + std::string(kind) + " " + printable(word);
  if (const auto meant = did_you_mean(word, candidates)) return text + "; did you mean " + *meant + "?";
  return text + "; " + std::string(remedy);
}

ParsedLine parse_line(const std::vector<std::string>& words) {
  ParsedLine line;
  const std::unique_ptr<Grammar> grammar = make_grammar(line.flags);
  CLI::App& root = grammar->root;
  const std::vector<std::string> spelled = spell_out_help(words);
  refuse_cut_values(root, spelled);
  try {
    root.parse(std::vector<std::string>(spelled.rbegin(), spelled.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    const bool is_in_words = spelled != words;
    if (has_unknown_command(root) || (is_in_words && !root.remaining(true).empty())) throw unknown_word(root);
    line.help = root.help();
    return line;
  } catch (const CLI::ExtrasError&) {
    throw unknown_word(root);
  } catch (const CLI::ParseError& error) {
    throw usage_error(root, error);
  }
  if (line.flags.version) return line;
  const CLI::App& chosen = deepest(root);
  for (const auto& [app, command] : grammar->apps) {
    if (app == &chosen) line.command = command;
  }
  if (line.command == nullptr) {
    throw Error(ErrorCode::usage, "a command is missing: " + join(child_names(chosen), ", ") + "; " + help_remedy(root, chosen));
  }
  return line;
}

GrammarNode grammar_tree() {
  Flags flags;
  return node_of(make_grammar(flags)->root);
}

}  // namespace drover::cli
