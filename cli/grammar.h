// From the table of commands to parsed words, helps and a tree for completion. The only users of CLI11 stand behind it.
#pragma once

#include "cli/command.h"
#include "cli/flags.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct ParsedLine {
  const Command* command = nullptr;   // nothing: help or version was asked for
  std::optional<std::string> help;    // the text to print instead of running
  Flags flags;
};

// `words` without the program's name. Throws usage for what cannot be understood, with a did-you-mean where there is one.
ParsedLine parse_line(const std::vector<std::string>& words);

// What was meant by an unknown word: "unknown <kind> <word>; did you mean <candidate>?", else with `remedy` behind.
std::string unknown_word_text(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates, std::string_view remedy);

// What can be typed where, read back from the parser itself.
struct GrammarNode {
  struct Option {
    std::vector<std::string> names;    // "-f", "--file"
    std::string help;
    std::string value;                 // empty for a switch
    std::vector<std::string> choices;
  };
  std::string name;
  std::string summary;
  std::vector<Option> options;         // its own; those of the root are valid everywhere
  std::vector<std::string> words;      // choices of its positional
  std::vector<GrammarNode> children;
};
GrammarNode grammar_tree();

}  // namespace drover::cli
