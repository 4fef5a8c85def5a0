#include "cli/completion.h"
#include "cli/command.h"
#include "cli/session.h"

namespace drover::cli {
namespace {

ExitCode run_completion(Session& session) {
  const std::string& shell = session.flags().shell;
  if (shell.empty()) throw Error(ErrorCode::usage, "no shell is named; one of bash, zsh, fish");
  const GrammarNode root = grammar_tree();
  session.output().write_raw(shell == "bash" ? bash_completion(root) : shell == "zsh" ? zsh_completion(root) : fish_completion(root));
  return ExitCode::done;
}

}  // namespace

Command completion_command() {
  return {.path = "completion",
          .group = "Caring commands",
          .summary = "print a completion script for a shell",
          .details = "",
          .example = "  drover completion bash > /etc/bash_completion.d/drover",
          .positionals = {{"SHELL", &Flags::shell, "bash, zsh or fish", {"bash", "zsh", "fish"}}},
          .options = {},
          .run = run_completion};
}

}  // namespace drover::cli
