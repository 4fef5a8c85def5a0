#include "cli/command.h"
#include "cli/session.h"

#include "base/text.h"
#include "digest/digest.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace drover::cli {
namespace {

// An image ID as it is, any other name as the engine shows it.
std::string pin_name(const std::string& text) {
  constexpr std::size_t short_id = 12;
  constexpr std::size_t whole_id = 64;
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (Digest::try_parse(text) || (is_hex && text.size() >= short_id && text.size() <= whole_id)) return text;
  try {
    return Reference::parse(text).familiar();
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, error.what());
  }
}

void refuse_dry_run(const Session& session) {
  if (session.settings().dry_run) throw Error(ErrorCode::usage, "there is no plan of pins to print; leave out --dry-run");
}

std::vector<std::string> pin_names(const Session& session) {
  std::vector<std::string> names;
  for (const std::string& text : session.flags().references) names.push_back(pin_name(text));
  return names;
}

void print(Session& session, const stack::Ledger& ledger) {
  nlohmann::ordered_json pins = nlohmann::ordered_json::array();
  std::string text;
  for (const auto& [name, time] : ledger.pins) {
    pins.push_back({{"reference", name}, {"since", format_time(time)}});
    text += name + (session.settings().quiet ? "" : "  since " + format_time(time)) + "\n";
  }
  session.output().set_document({{"pins", pins}});
  session.output().write_text(text);
}

ExitCode run_pin(Session& session) {
  const std::vector<std::string> names = pin_names(session);
  if (names.empty() && !session.flags().list) throw Error(ErrorCode::usage, "no image is named; drover pin REF keeps one, drover pin --list shows those that are kept");
  if (session.flags().list) {
    print(session, session.state().read_ledger());
    return ExitCode::done;
  }
  refuse_dry_run(session);
  const stack::TimePoint now = session.ctx().clock->system_now();
  print(session, session.state().update_ledger(session.ctx(), [&](stack::Ledger ledger) {
    for (const std::string& name : names) ledger.pins.emplace(name, now);
    return ledger;
  }));
  return ExitCode::done;
}

ExitCode run_unpin(Session& session) {
  const std::vector<std::string> names = pin_names(session);
  if (names.empty()) throw Error(ErrorCode::usage, "no image is named; drover pin --list shows the pinned ones");
  refuse_dry_run(session);
  print(session, session.state().update_ledger(session.ctx(), [&](stack::Ledger ledger) {
    for (const std::string& name : names) {
      if (ledger.pins.erase(name) == 0) throw Error(ErrorCode::usage, printable(name) + " is not pinned; drover pin --list shows what is");
    }
    return ledger;
  }));
  return ExitCode::done;
}

}  // namespace

Command pin_command() {
  return {.path = "pin",
          .group = "Caring commands",
          .summary = "keep images from drover gc",
          .details = "By tag: whatever it names at the time; by digest or image ID: that image.",
          .example = "  drover pin registry.example/app:1.4\n  drover pin --list",
          .positionals = {{"REF", &Flags::references, "image references or IDs"}},
          .options = {{"--list", &Flags::list, "show what is pinned"}},
          .run = run_pin};
}

Command unpin_command() {
  return {.path = "unpin",
          .group = "Caring commands",
          .summary = "let drover gc judge pinned images again",
          .details = "",
          .example = "  drover unpin registry.example/app:1.4",
          .positionals = {{"REF", &Flags::references, "as they were pinned"}},
          .options = {},
          .run = run_unpin};
}

}  // namespace drover::cli
