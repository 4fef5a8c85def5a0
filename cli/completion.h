// Completion scripts, generated from the grammar that parses, so that they cannot fall behind it. Pure.
#pragma once

#include "cli/grammar.h"

#include <string>

namespace drover::cli {

std::string bash_completion(const GrammarNode& root);
std::string zsh_completion(const GrammarNode& root);
std::string fish_completion(const GrammarNode& root);

}  // namespace drover::cli
