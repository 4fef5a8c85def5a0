// The commands as a table: each row is what a user types, what the help says, and the function that does it.
#pragma once

#include "cli/exit_code.h"
#include "cli/flags.h"

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace drover::cli {

class Session;

// Where a word ends up. A list takes one word each time its option is given.
using FlagTarget = std::variant<bool Flags::*, std::string Flags::*, std::vector<std::string> Flags::*>;

struct OptionRow {
  std::string_view names;            // "-f,--file"
  FlagTarget target;
  std::string_view help;
  std::string_view value = {};       // "FILE", "DIR", "REF", ...; empty for a switch
  std::vector<std::string> choices = {};
};

// Words without a dash, after the command.
struct PositionalRow {
  std::string_view name;             // "REF"
  FlagTarget target;
  std::string_view help;
  std::vector<std::string> choices = {};
};

struct Command {
  std::string_view path;             // "pull", "store gc"
  std::string_view group;            // heading in the help
  std::string_view summary;
  std::string_view details;          // further lines for its own help; may be empty
  std::string_view example;          // lines for its own help
  std::vector<PositionalRow> positionals;
  std::vector<OptionRow> options;
  // Prints through the session's output. Throws Error.
  ExitCode (*run)(Session&);
};

// In the order of the help.
const std::vector<Command>& commands();
// Before or after the command word.
const std::vector<OptionRow>& global_options();

// --by and --min-free: of the commands that fetch images.
std::vector<OptionRow> with_budget_options(std::vector<OptionRow> rows);

// One a file in commands/.
Command resolve_command();
Command check_command();
Command ls_command();
Command inspect_command();
Command config_command();
Command pull_command();
Command load_command();
Command prefetch_command();
Command verify_command();
Command pin_command();
Command unpin_command();
std::vector<Command> gc_commands();
Command up_command();
Command down_command();
Command start_command();
Command stop_command();
Command restart_command();
Command ps_command();
Command logs_command();
Command store_gc_command();
Command store_path_command();
Command store_rm_command();
Command bench_sha256_command();
Command bench_pull_command();
Command bench_load_command();
Command completion_command();

}  // namespace drover::cli
