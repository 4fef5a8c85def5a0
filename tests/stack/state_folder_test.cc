#include "stack/state_folder.h"

#include "base/error.h"
#include "stack/ledger_file.h"
#include "tests/stack/engine_state.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::test;

BOOST_AUTO_TEST_SUITE(state_folder)

namespace {

stack::Ledger full_ledger() {
  stack::Ledger ledger;
  ledger.projects["mail"] = {.last_seen = now, .volumes = {{"mail_data", {.services = {"db", "web"}, .last_seen = ago(days(1))}}}, .images = {{"db", "db:1"}}, .declared = {"db:2"}, .engines = {"unix:///x"}};
  ledger.volumes_used["mail_data"] = now;
  ledger.images["unix:///x"]["sha256:aa"] = {.first_seen = ago(days(2)), .last_used = now, .repositories = {"db"}};
  ledger.images["unix:///x"]["sha256:bb"] = {.first_seen = ago(days(2))};
  ledger.prefetched = {{.image_id = "sha256:cc", .reference = "db:2", .project = "mail", .time = now}};
  ledger.forgotten["wiki"] = {{"unix:///x", now}, {stack::every_engine, ago(days(1))}};
  ledger.pins["db:1"] = now;
  return ledger;
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_ledger_comes_back_as_it_was) {
  BOOST_TEST((stack::parse_ledger(stack::to_bytes(full_ledger())) == full_ledger()));
  BOOST_TEST((stack::parse_ledger(stack::to_bytes(stack::Ledger())) == stack::Ledger()));
}

// Written before the ledger knew on which engines it saw a project: it may have been any.
BOOST_AUTO_TEST_CASE(a_ledger_without_engines_of_projects_is_read) {
  const std::string body = R"({"projects":{"mail":{"lastSeen":1800000000,"images":{},"declared":[],"volumes":{}},
    "told":{"lastSeen":0,"images":{},"declared":[],"volumes":{}}},"engines":{"unix:///x":{"images":{}},"ssh://y":{"images":{}}},
    "prefetched":[],"volumesUsed":{},"forgotten":{"wiki":1800000000},"pins":{}})";
  const stack::Ledger ledger = stack::parse_ledger("drover-ledger 1 " + Digest::of(body).to_string() + "\n" + body);
  BOOST_TEST((ledger.projects.at("mail").engines == std::set<std::string>{"unix:///x", "ssh://y"}));
  BOOST_TEST(ledger.projects.at("told").engines.empty());
  BOOST_TEST((ledger.forgotten.at("wiki").at(stack::every_engine) == now));
}

// Cut anywhere, or with any byte changed, it is damaged: never empty, never another one.
BOOST_AUTO_TEST_CASE(damage_anywhere_is_noticed) {
  const std::string good = stack::to_bytes(full_ledger());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string hurt = good;
    hurt[i] = static_cast<char>(hurt[i] ^ 4);
    BOOST_TEST_REQUIRE((code_of([&] { stack::parse_ledger(hurt); }) == ErrorCode::invalid), "byte " << i);
    BOOST_TEST_REQUIRE((code_of([&] { stack::parse_ledger(good.substr(0, i)); }) == ErrorCode::invalid), "cut at " << i);
  }
}

BOOST_AUTO_TEST_CASE(updates_are_kept_and_a_damaged_ledger_refuses) {
  const TempDir folder;
  const stack::StateFolder state(folder / "state");
  BOOST_TEST((state.read_ledger() == stack::Ledger()));
  state.update_ledger({}, [](stack::Ledger ledger) {
    ledger.pins["db:1"] = now;
    return ledger;
  });
  BOOST_TEST(stack::StateFolder(folder / "state").read_ledger().pins.contains("db:1"));

  write_file_durably(state.ledger_file(), "");
  BOOST_TEST((code_of([&] { state.read_ledger(); }) == ErrorCode::data_safety));
  BOOST_TEST((code_of([&] { state.update_ledger({}, [](stack::Ledger ledger) { return ledger; }); }) == ErrorCode::data_safety));
}

BOOST_AUTO_TEST_CASE(loads_go_together_and_a_removal_alone) {
  const TempDir folder;
  const stack::StateFolder state(folder / "state");
  {
    const FileLock one = state.lock_for_loading();
    const FileLock two = state.lock_for_loading();
    BOOST_TEST((code_of([&] { state.lock_for_removal(); }) == ErrorCode::locked));
  }
  const FileLock removal = state.lock_for_removal();
  BOOST_TEST((code_of([&] { state.lock_for_loading(); }) == ErrorCode::locked));
  BOOST_TEST((code_of([&] { state.lock_for_removal(); }) == ErrorCode::locked));
}

BOOST_AUTO_TEST_SUITE_END()
