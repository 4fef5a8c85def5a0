#include "cli/completion.h"

#include "base/text.h"

#include <algorithm>
#include <functional>

namespace drover::cli {
namespace {

using Option = GrammarNode::Option;

// Calls fn(path, node) for every command below the root; the path is "store gc".
void for_each_command(const GrammarNode& node, const std::string& path, const std::function<void(const std::string&, const GrammarNode&)>& fn) {
  for (const GrammarNode& child : node.children) {
    const std::string child_path = path.empty() ? child.name : path + " " + child.name;
    fn(child_path, child);
    for_each_command(child, child_path, fn);
  }
}

// Options that take a value, of all commands, each spelling once, with the choices that any of them has.
std::vector<Option> value_options(const GrammarNode& root) {
  std::vector<Option> options;
  const auto collect = [&](const GrammarNode& node) {
    for (const Option& option : node.options) {
      if (option.value.empty()) continue;
      const auto known = std::find_if(options.begin(), options.end(), [&](const Option& other) { return other.names == option.names; });
      if (known == options.end()) {
        options.push_back(option);
        continue;
      }
      for (const std::string& choice : option.choices) {
        if (std::find(known->choices.begin(), known->choices.end(), choice) == known->choices.end()) known->choices.push_back(choice);
      }
    }
  };
  collect(root);
  for_each_command(root, "", [&](const std::string&, const GrammarNode& node) { collect(node); });
  return options;
}

// In single quotes, for all three shells.
std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool is_help(const Option& option) { return std::find(option.names.begin(), option.names.end(), "--help") != option.names.end(); }

// Its children, its own options and the root's.
std::string words_of(const GrammarNode& node, const GrammarNode& root) {
  std::vector<std::string> words = node.words;
  for (const GrammarNode& child : node.children) words.push_back(child.name);
  for (const Option& option : node.options) {
    if (!is_help(option)) words.insert(words.end(), option.names.begin(), option.names.end());
  }
  for (const Option& option : root.options) {
    if (&node != &root || is_help(option)) words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return join(words, " ");
}

// The command path so far, from the words before the cursor: the same case list in bash and zsh.
std::string path_cases(const GrammarNode& root) {
  std::string text;
  for_each_command(root, "", [&](const std::string& path, const GrammarNode&) {
    text += "      " + quote(" " + path) + ") where=" + quote(" " + path) + " ;;\n";
  });
  return text;
}

std::string bash_value(const Option& option) {
  if (!option.choices.empty()) return "COMPREPLY=($(compgen -W " + quote(join(option.choices, " ")) + " -- \"$cur\"))";
  if (option.value == "DIR") return "COMPREPLY=($(compgen -d -- \"$cur\"))";
  if (option.value == "FILE") return "COMPREPLY=($(compgen -f -- \"$cur\"))";
  return "COMPREPLY=()";
}

std::string zsh_value(const Option& option) {
  if (!option.choices.empty()) return "compadd -- " + join(option.choices, " ");
  if (option.value == "DIR") return "_files -/";
  if (option.value == "FILE") return "_files";
  return "_message " + quote(option.value);
}

// "name:description", with the colons of both made plain.
std::string zsh_item(const std::string& name, const std::string& description) {
  std::string text;
  for (const char c : name) text += c == ':' ? std::string("\\:") : std::string(1, c);
  return quote(text + ":" + description);
}

std::string zsh_items(const GrammarNode& node) {
  std::string text;
  for (const std::string& word : node.words) text += " " + zsh_item(word, word);
  for (const GrammarNode& child : node.children) text += " " + zsh_item(child.name, child.summary);
  for (const Option& option : node.options) {
    if (is_help(option)) continue;
    for (const std::string& name : option.names) text += " " + zsh_item(name, option.help);
  }
  return text;
}

// What must have been typed, and what must not, for a fish suggestion below `path`.
std::string fish_condition(const std::string& path, const GrammarNode& node) {
  std::string condition;
  for (const std::string_view word : split(path, ' ')) {
    condition += (condition.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") + std::string(word);
  }
  if (node.children.empty()) return condition;
  std::vector<std::string> names;
  for (const GrammarNode& child : node.children) names.push_back(child.name);
  return condition + "; and not __fish_seen_subcommand_from " + join(names, " ");
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string line = "complete -c drover";
  if (!condition.empty()) line += " -n " + quote(condition);
  for (const std::string& name : option.names) line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.value.empty()) line += option.value == "FILE" || option.value == "DIR" ? " -r -F" : " -x";
  if (!option.choices.empty()) line += " -a " + quote(join(option.choices, " "));
  return line + " -d " + quote(option.help) + "\n";
}

}  // namespace

std::string bash_completion(const GrammarNode& root) {
  std::string text =
      "# bash completion for drover; install: drover completion bash > /etc/bash_completion.d/drover\n"
      "_drover() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" where='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$where ${COMP_WORDS[i]}\" in\n" +
      path_cases(root) +
      "    esac\n"
      "  done\n"
      "  case \"$prev\" in\n";
  for (const Option& option : value_options(root)) text += "    " + join(option.names, "|") + ") " + bash_value(option) + "; return ;;\n";
  text += "  esac\n  local words=''\n  case \"$where\" in\n";
  for_each_command(root, "", [&](const std::string& path, const GrammarNode& node) {
    text += "    " + quote(" " + path) + ") words=" + quote(words_of(node, root)) + " ;;\n";
  });
  return text + "    *) words=" + quote(words_of(root, root)) +
         " ;;\n"
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -F _drover drover\n";
}

std::string zsh_completion(const GrammarNode& root) {
  std::string text =
      "#compdef drover\n"
      "# zsh completion for drover; install: drover completion zsh > \"${fpath[1]}/_drover\"\n"
      "_drover() {\n"
      "  local where='' i\n"
      "  local -a items\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$where ${words[i]}\" in\n" +
      path_cases(root) +
      "    esac\n"
      "  done\n"
      "  case \"${words[CURRENT-1]}\" in\n";
  for (const Option& option : value_options(root)) text += "    " + join(option.names, "|") + ") " + zsh_value(option) + "; return ;;\n";
  text += "  esac\n  case \"$where\" in\n";
  GrammarNode global;
  global.options = root.options;
  for_each_command(root, "", [&](const std::string& path, const GrammarNode& node) {
    text += "    " + quote(" " + path) + ") items=(" + zsh_items(node) + zsh_items(global) + " ) ;;\n";
  });
  return text + "    *) items=(" + zsh_items(root) +
         " ) ;;\n"
         "  esac\n"
         "  _describe drover items\n"
         "}\n"
         "_drover \"$@\"\n";
}

std::string fish_completion(const GrammarNode& root) {
  std::string text = "# fish completion for drover; install: drover completion fish > ~/.config/fish/completions/drover.fish\ncomplete -c drover -f\n";
  for (const Option& option : root.options) text += fish_option(option, "");
  for (const GrammarNode& child : root.children) {
    text += "complete -c drover -n __fish_use_subcommand -a " + child.name + " -d " + quote(child.summary) + "\n";
  }
  for_each_command(root, "", [&](const std::string& path, const GrammarNode& node) {
    const std::string condition = fish_condition(path, node);
    for (const GrammarNode& child : node.children) {
      text += "complete -c drover -n " + quote(condition) + " -a " + child.name + " -d " + quote(child.summary) + "\n";
    }
    if (!node.words.empty()) text += "complete -c drover -n " + quote(condition) + " -a " + quote(join(node.words, " ")) + "\n";
    for (const Option& option : node.options) {
      if (!is_help(option)) text += fish_option(option, condition);  // the root's stands for all
    }
  });
  return text;
}

}  // namespace drover::cli
