#include "tests/cli/command_line.h"
#include "base/file.h"
#include "stack/state_folder.h"
#include "tests/support/fake_engine.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace drover;
using namespace drover::test;
using nlohmann::ordered_json;

namespace {

const std::string loose(64, 'a');

struct Host {
  FakeEngine engine;
  CommandLine drover;
  std::string state = (drover.home() / "state").string();

  Host() {
    drover.set("DOCKER_HOST", "unix://" + engine.socket().string());
    drover.set("DROVER_STATE", state);
    engine.add_image({.id = id("old"), .tags = {"old:1"}, .digests = {}, .diff_ids = {id("layer")}, .bytes = 2000, .last_tag_time = "2020-01-01T00:00:00Z"});
    engine.with_objects([](FakeObjects& objects) {
      objects.volumes[loose] = {.name = loose};
      objects.volumes["mail_data"] = {.name = "mail_data", .labels = {{"com.docker.compose.project", "mail"}}};
      objects.containers["c"] = {.id = "c", .name = "mail-db-1", .image = "db:1", .image_id = id("db"), .labels = {{"com.docker.compose.project", "mail"}}, .volumes = {"mail_data"}};
    });
  }
  static std::string id(const std::string& name) { return Digest::of(name).to_string(); }
  void stop_project() {
    engine.with_objects([](FakeObjects& objects) { objects.containers.clear(); });
  }
  std::size_t removals() const {
    std::size_t count = 0;
    for (const std::string& target : engine.targets()) count += target.starts_with("DELETE") ? 1 : 0;
    return count;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gc, Host)

BOOST_AUTO_TEST_CASE(a_plan_is_printed_and_nothing_removed) {
  const Outcome outcome = drover.run({"gc", "all", "--min-age", "0", "--json"});
  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "keep,remove,refused,bytes,engine,policy,applied");
  BOOST_TEST(members(json.at("keep")[0]) == "kind,id,names,reason");
  BOOST_TEST(members(json.at("remove")[0]) == "kind,id,names,bytes,reason");
  BOOST_TEST(json.at("remove")[0].at("names")[0] == "old:1");
  BOOST_TEST(json.at("remove")[1].at("id") == loose);
  BOOST_TEST(json.at("bytes") == 2000);
  BOOST_TEST(removals() == 0U);

  const Outcome text = drover.run({"gc", "images"});
  BOOST_TEST(text.out.find("remove image old:1, 2.0 kB: unused: no container, project or pin; here for ") != std::string::npos, text.out);
  BOOST_TEST(text.out.find("nothing was removed; add --apply to do it\n") != std::string::npos);
  BOOST_TEST(drover.run({"gc", "images", "-q"}).out == id("old") + "\n");
}

BOOST_AUTO_TEST_CASE(apply_removes_what_was_printed) {
  const Outcome outcome = drover.run({"gc", "all", "--min-age", "0", "--apply", "--json"});
  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.json().at("outcomes").size() == 2U);
  BOOST_TEST(outcome.json().at("measuredBytes") == 2000);
  BOOST_TEST(removals() == 2U);
  BOOST_TEST(drover.run({"gc", "all", "--apply", "--dry-run"}).code == 0);
  BOOST_TEST(removals() == 2U);
}

BOOST_AUTO_TEST_CASE(quiet_names_what_was_removed) {
  engine.before("DELETE /volumes/" + loose, [&] {
    engine.with_objects([](FakeObjects& objects) { objects.containers["late"] = {.id = "late", .name = "late", .volumes = {loose}}; });
  });
  BOOST_TEST(drover.run({"gc", "all", "--min-age", "0", "-q"}).out == id("old") + "\n" + loose + "\n");
  BOOST_TEST(drover.run({"gc", "all", "--min-age", "0", "-q", "--apply"}).out == id("old") + "\n");
}

BOOST_AUTO_TEST_CASE(a_printed_plan_is_applied_exactly_or_refused) {
  std::ofstream(drover.home() / "plan.json") << drover.run({"gc", "images", "--json"}).out;
  BOOST_TEST(drover.run({"pin", "old:1"}).code == 0);
  const Outcome refused = drover.run({"gc", "images", "--plan", "plan.json"});
  BOOST_TEST(refused.code == 3);
  BOOST_TEST(refused.err.find("the plan is no longer true: image old:1: pinned as old:1") != std::string::npos, refused.err);
  BOOST_TEST(removals() == 0U);
  BOOST_TEST(drover.run({"unpin", "old:1"}).code == 0);
  BOOST_TEST(drover.run({"gc", "images", "--plan", "plan.json"}).code == 0);
  BOOST_TEST(removals() == 1U);

  std::ofstream(drover.home() / "junk.json") << "{\"remove\":[]}";
  const Outcome junk = drover.run({"gc", "images", "--plan", "junk.json"});
  BOOST_TEST(junk.code == 2);
  BOOST_TEST(junk.err.find("not a plan of drover gc --json: a member is missing") != std::string::npos, junk.err);
  std::ofstream(drover.home() / "no.json") << "{]";
  BOOST_TEST(drover.run({"gc", "images", "--plan", "no.json"}).err.find("no JSON from byte 2 on\n") != std::string::npos);
  std::ofstream(drover.home() / "all.json") << drover.run({"gc", "all", "--json"}).out;
  BOOST_TEST(drover.run({"gc", "images", "--plan", "all.json"}).code == 2);
}

BOOST_AUTO_TEST_CASE(after_compose_down_volumes_are_refused_and_images_are_not) {
  BOOST_TEST(drover.run({"gc", "all"}).code == 0);
  stop_project();
  const Outcome outcome = drover.run({"gc", "all", "--apply", "--json"});
  BOOST_TEST(outcome.code == 13);
  BOOST_TEST(outcome.err.find("project mail is down; start it (docker compose -p mail up -d)") != std::string::npos, outcome.err);
  BOOST_TEST(outcome.json().at("refused").size() == 2U);
  BOOST_TEST(removals() == 1U);  // the image

  BOOST_TEST(drover.run({"gc", "volumes", "--volume", "mail_data", "--apply"}).code == 13);
  BOOST_TEST(drover.run({"gc", "volumes", "--named", "--apply"}).code == 2);
  BOOST_TEST(drover.run({"gc", "volumes", "--named", "--project", "maill", "--apply"}).code == 2);
  BOOST_TEST(removals() == 1U);
}

BOOST_AUTO_TEST_CASE(a_damaged_ledger_refuses_and_names_the_file) {
  BOOST_TEST(drover.run({"gc", "all"}).code == 0);
  write_file_durably(state + "/ledger", "junk");
  const Outcome outcome = drover.run({"gc", "all", "--apply"});
  BOOST_TEST(outcome.code == 13);
  BOOST_TEST(outcome.err.find(state + "/ledger") != std::string::npos, outcome.err);
  BOOST_TEST(removals() == 0U);
}

BOOST_AUTO_TEST_CASE(another_run_is_in_the_way) {
  const FileLock held = stack::StateFolder(state).lock_for_loading();
  BOOST_TEST(drover.run({"gc", "all", "--apply"}).code == 14);
  BOOST_TEST(drover.run({"gc", "all"}).code == 0);
  BOOST_TEST(removals() == 0U);
}

BOOST_AUTO_TEST_CASE(an_engine_that_is_not_there_is_refused) {
  drover.set("DOCKER_HOST", "unix:///nowhere.sock");
  BOOST_TEST(drover.run({"gc", "all", "--apply"}).code == 3);
}

BOOST_AUTO_TEST_CASE(pins_are_listed) {
  BOOST_TEST(drover.run({"pin"}).code == 2);
  BOOST_TEST(drover.run({"pin", "redis", id("x")}).code == 0);
  const ordered_json json = drover.run({"pin", "--list", "--json"}).json();
  BOOST_TEST(json.at("pins").size() == 2U);
  BOOST_TEST(json.at("pins")[0].at("reference") == "redis:latest");
  BOOST_TEST(drover.run({"unpin", "nginx"}).code == 2);
  BOOST_TEST(drover.run({"unpin", "redis", "-q"}).out == id("x") + "\n");
}

BOOST_AUTO_TEST_SUITE_END()
