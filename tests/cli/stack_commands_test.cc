// up, down, stop, start, restart, ps and logs as typed: what is printed, what the engine is asked to do, and how the run ends.
#include "tests/cli/command_line.h"
#include "base/file.h"
#include "stack/state_folder.h"
#include "tests/support/fake_stack.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stop_token>

using namespace drover;
using namespace drover::test;
using nlohmann::ordered_json;
namespace data = boost::unit_test::data;

namespace {

struct Host {
  FakeEngine engine;
  FakeStack stack{engine};
  CommandLine drover;
  std::string state = (drover.home() / "state").string();

  Host() {
    drover.set("DOCKER_HOST", "unix://" + engine.socket().string());
    drover.set("DROVER_STATE", state);
    for (const char* const name : {"db:1", "web:1", "web:2", "web:bad"}) {
      engine.add_image({.id = Digest::of(name).to_string(), .tags = {name}, .digests = {}, .diff_ids = {Digest::of("layer").to_string()}, .bytes = 1});
      stack.set_behaviour(name, {.health = "healthy"});  // a gate by health waits for no time
    }
    stack.set_behaviour("web:bad", {.exits_with = 3, .log = "cannot find config\n"});
    write("web:1");
  }

  void write(const std::string& web, const std::string& more = {}) {
    std::ofstream(drover.home() / "compose.yml") << "name: shop\nservices:\n"
                                                    "  db: {image: 'db:1'}\n"
                                                    "  web: {image: '" + web + "', depends_on: [db], environment: {PASSWORD: hunter2}}\n" + more;
  }
  Outcome run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--progress", "none"});
    return drover.run(words);
  }
  // Calls that may have changed something.
  std::size_t writes() const {
    std::size_t count = 0;
    for (const EngineRequest& request : engine.requests()) count += request.method == "GET" || request.method == "HEAD" ? 0 : 1;
    return count;
  }
};

const std::string both_run = "shop-db-1 db:1 running\nshop-web-1 web:1 running\nnetwork shop_default: shop-db-1() shop-web-1()\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stack_commands, Host)

BOOST_AUTO_TEST_CASE(up_makes_what_is_missing_and_then_nothing) {
  const Outcome first = run({"up"});
  BOOST_TEST_REQUIRE(first.code == 0, first.err);
  BOOST_TEST(first.out ==
             "RESOURCE              ACTION  CAUSE\n"
             "network shop_default  create  networks.default: not there\n"
             "db                    create  services.db: no container\n"
             "web                   create  services.web: no container\n"
             "db: created\nweb: created\n");
  BOOST_TEST(stack.text() == both_run);
  const std::size_t before = writes();
  const Outcome second = run({"up"});
  BOOST_TEST(second.code == 0, second.err);
  BOOST_TEST(second.out == "nothing to do\n");
  BOOST_TEST(writes() == before);
  BOOST_TEST(run({"up", "--json"}).json().at("result") == "unchanged");
}

BOOST_AUTO_TEST_CASE(a_dry_run_prints_the_plan_and_does_nothing) {
  const Outcome text = run({"up", "--dry-run"});
  BOOST_TEST(text.code == 0, text.err);
  BOOST_TEST(text.out.find("container shop-web-1, create, services.web: no container") != std::string::npos, text.out);
  const ordered_json json = run({"up", "--dry-run", "--json"}).json();
  BOOST_TEST(members(json) == "steps,notes,result");
  BOOST_TEST(members(json.at("steps")[0]) == "id,operation,resource,cause,dependsOn,group,destructive");
  BOOST_TEST(run({"down", "--dry-run"}).code == 0);
  BOOST_TEST(writes() == 0U);
  BOOST_TEST(!std::filesystem::exists(state + "/runs"));
}

BOOST_AUTO_TEST_CASE(a_change_is_told_by_its_cause_and_without_values) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:2");
  std::ofstream(drover.home() / "compose.override.yml") << "services: {web: {environment: {PASSWORD: correct-horse}}}\n";
  const Outcome outcome = drover.run({"up", "--json", "-v"});
  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "steps,notes,outcomes,services,result");
  BOOST_TEST(members(json.at("outcomes")[0]) == "id,state,seconds,error");
  BOOST_TEST(members(json.at("services")[0]) == "service,downSeconds,action");
  BOOST_TEST(json.at("services")[0].at("action") == "none");
  BOOST_TEST(json.at("services")[1].at("action") == "recreate");
  BOOST_TEST(json.at("services")[1].at("downSeconds").is_number());
  BOOST_TEST(outcome.out.find("services.web.environment.PASSWORD") != std::string::npos, outcome.out);
  BOOST_TEST(outcome.out.find("hunter2") == std::string::npos);
  BOOST_TEST((outcome.out + outcome.err).find("correct-horse") == std::string::npos);
  BOOST_TEST(outcome.err.find(", stop: done (") != std::string::npos, outcome.err);  // a line a step
  BOOST_TEST(outcome.err.find("\nweb: recreated, passed its gate in ") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(a_service_is_a_line_at_its_end_and_events_are_of_steps) {
  const Outcome text = drover.run({"up", "--progress", "plain"});
  BOOST_TEST(text.code == 0, text.err);
  BOOST_TEST(text.err.starts_with("network shop_default: created\n"), text.err);
  BOOST_TEST(text.err.find("\ndb: created, passed its gate in ") != std::string::npos, text.err);
  BOOST_TEST(std::count(text.err.begin(), text.err.end(), '\n') == 3);
  write("web:2");
  const Outcome events = drover.run({"up", "--progress", "json"});
  BOOST_TEST(events.code == 0, events.err);
  std::istringstream lines(events.err);
  for (std::string line; std::getline(lines, line);) {
    const ordered_json event = ordered_json::parse(line);
    BOOST_TEST(members(event) == "event,phase,id,label,text");
    BOOST_TEST(event.at("event") == "message");
    BOOST_TEST(event.at("label") == "container shop-web-1");
    BOOST_TEST(event.at("text").get<std::string>().starts_with(event.at("id").get<std::string>() + " container shop-web-1, "));
  }
}

BOOST_AUTO_TEST_CASE(quiet_prints_the_names_of_what_was_changed) {
  BOOST_TEST(run({"up", "-q", "--dry-run"}).out == "shop-db-1\nshop-web-1\n");
  BOOST_TEST(run({"up", "-q"}).out == "shop-db-1\nshop-web-1\n");
  BOOST_TEST(run({"up", "-q"}).out == "");
  write("web:2", "  side: {image: 'db:1'}\n");
  BOOST_TEST(run({"up", "-q"}).out == "shop-side-1\nshop-web-1\n");
  write("web:2");
  BOOST_TEST(run({"up", "-q", "--remove-orphans"}).out == "");
  write("web:bad");
  BOOST_TEST(run({"up", "-q"}).out == "");
  BOOST_TEST(run({"restart", "-q", "db"}).out == "shop-db-1\n");
  BOOST_TEST(run({"stop", "-q", "web"}).out == "shop-web-1\n");
  BOOST_TEST(run({"down", "-q"}).out == "shop-web-1\nshop-db-1\n");
}

BOOST_AUTO_TEST_CASE(a_way_back_is_told_service_by_service) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:bad");
  const Outcome outcome = drover.run({"up", "--progress", "plain"});
  BOOST_TEST(outcome.code == 11, outcome.err);
  BOOST_TEST(outcome.err.starts_with("web: failed: container shop-web-1 exited with code 3; "), outcome.err);
  BOOST_TEST(outcome.err.find("\ngoing back\nweb: rolled back\ndrover: container shop-web-1 exited") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(a_gate_that_fails_brings_the_old_container_back) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:bad");
  const Outcome outcome = run({"up", "--json"});
  BOOST_TEST(outcome.code == 11, outcome.err);
  BOOST_TEST(stack.text() == both_run);
  BOOST_TEST(outcome.err.find("exited with code 3; its last lines: \"cannot find config\"; rolled back") != std::string::npos, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(json.at("result") == "rolled-back");
  BOOST_TEST(json.at("services")[1].at("action") == "rollback");
  BOOST_TEST(members(json.at("rollback")) == "steps,notes,outcomes");
  BOOST_TEST(members(json.at("error")) == "code,message");
  const Outcome text = run({"up"});
  BOOST_TEST(text.code == 11);
  BOOST_TEST(text.out.find("web: as before") != std::string::npos, text.out);
}

BOOST_AUTO_TEST_CASE(more_of_the_log_of_what_failed_is_kept) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  stack.set_behaviour("web:bad", {.exits_with = 3, .log = "1\n2\n3\n4\n5\n6\n"});
  write("web:bad");
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 11, outcome.err);
  const std::string_view mark = "\"6\"; more of its log is in ";
  const std::size_t at = outcome.err.find(mark);
  BOOST_TEST_REQUIRE(at != std::string::npos, outcome.err);
  const std::size_t begin = at + mark.size();
  BOOST_TEST(read_file(outcome.err.substr(begin, outcome.err.find(';', begin) - begin), 100) == "1\n2\n3\n4\n5\n6\n");
}

BOOST_AUTO_TEST_CASE(without_rollback_the_new_one_is_kept_beside_the_old) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:bad");
  const Outcome outcome = run({"up", "--no-rollback"});
  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(outcome.err.find("web: the container from before is kept as shop-web-1-old-") != std::string::npos, outcome.err);
  BOOST_TEST(stack.text().find("shop-web-1 web:bad exited") != std::string::npos, stack.text());
}

BOOST_AUTO_TEST_CASE(a_way_back_that_fails_asks_for_a_person) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:bad");
  const std::string old_name = "shop-web-1-old-" + stack.id_of("shop-web-1").substr(0, 12);
  for (int i = 0; i < 20; ++i) stack.refuse("rename", old_name);  // it does not get its name back
  const Outcome outcome = run({"up", "--json"});
  BOOST_TEST(outcome.code == 12, outcome.err);
  BOOST_TEST(outcome.json().at("result") == "rollback-failed");
  BOOST_TEST(outcome.json().at("remedies").size() == 1U);
  BOOST_TEST(outcome.err.find("; to go back: docker ") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(a_failure_before_anything_is_touched_ends_with_one) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  stack.set_behaviour("web:2", {.create_refusal = "no such device"});
  write("web:2");
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(outcome.err.find("no such device") != std::string::npos, outcome.err);
  BOOST_TEST(outcome.err.find("nothing that ran was touched") != std::string::npos, outcome.err);
  BOOST_TEST(stack.text() == both_run);
}

// web is in one network alone, db in another one first.
struct Moving : Host {
  void write(int subnet, const std::string& web = "web:1") {
    const std::string back = "10.9." + std::to_string(subnet) + ".";
    std::ofstream(drover.home() / "compose.yml") << "name: shop\nservices:\n"
                                                 << "  db: {image: 'db:1', networks: {default: {priority: 1}, back: {ipv4_address: " + back + "8}}}\n"
                                                 << "  web: {image: '" + web + "', networks: {back: {ipv4_address: " + back + "7}}}\n"
                                                 << "networks: {back: {ipam: {config: [{subnet: " + back + "0/24}]}}}\n";
  }
  static std::string text_of(int subnet) {
    const std::string back = "10.9." + std::to_string(subnet) + ".";
    return "shop-db-1 db:1 running\nshop-web-1 web:1 running\nnetwork shop_back " + back + "0/24: shop-db-1(" + back + "8) shop-web-1(" + back +
           "7)\nnetwork shop_default: shop-db-1()\n";
  }
  Moving() {
    write(1);
    BOOST_TEST_REQUIRE(run({"up"}).code == 0);
    BOOST_TEST_REQUIRE(stack.text() == text_of(1));
  }
};

BOOST_FIXTURE_TEST_CASE(addresses_move_with_the_subnet_of_their_network, Moving) {
  write(2);
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 0, outcome.out + outcome.err);
  BOOST_TEST(stack.text() == text_of(2));
  BOOST_TEST(run({"up"}).out == "nothing to do\n");
}

BOOST_FIXTURE_TEST_CASE(the_old_subnet_comes_back_with_the_old_addresses, Moving) {
  write(2, "web:bad");
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 11, outcome.out + outcome.err);
  BOOST_TEST(stack.text() == text_of(1));
}

BOOST_FIXTURE_TEST_CASE(an_address_outside_of_the_subnet_ends_as_it_began, Moving) {
  std::ofstream(drover.home() / "compose.override.yml") << "services: {web: {networks: {back: {ipv4_address: 10.9.3.7}}}}\n";
  write(2);
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 11, outcome.out + outcome.err);
  BOOST_TEST(outcome.err.find("10.9.3.7") != std::string::npos, outcome.err);
  BOOST_TEST(stack.text() == text_of(1));
}

BOOST_FIXTURE_TEST_CASE(answers_that_are_lost_on_the_way_to_a_new_address_do_no_harm, Moving) {
  const std::string web = stack.id_of("shop-web-1").substr(0, 12) + "_shop-web-1";
  for (const char* const kind : {"create", "disconnect", "connect", "start"}) stack.lose_answer(kind, web);
  write(2);
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 0, outcome.out + outcome.err);
  BOOST_TEST(stack.text() == text_of(2));
}

BOOST_AUTO_TEST_CASE(two_runs_exclude_each_other) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  const FileLock held = stack::StateFolder(state).lock_for_run("shop", "unix://" + engine.socket().string());
  BOOST_TEST(run({"up"}).code == 14);
  BOOST_TEST(run({"stop"}).code == 14);
  BOOST_TEST(run({"up", "--dry-run"}).code == 0);
  BOOST_TEST(run({"ps"}).code == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupted_run_ends_with_130) {
  std::stop_source stop;
  stop.request_stop();
  BOOST_TEST(drover.run({"up"}, stop.get_token()).code == 130);
  BOOST_TEST(stack.text() == "");
}

BOOST_AUTO_TEST_CASE(an_image_that_may_not_be_fetched_is_refused) {
  const std::string missing = "127.0.0.1:1/web:9";  // nobody is there to be asked
  write(missing);
  const Outcome outcome = run({"up", "--pull", "never"});
  BOOST_TEST(outcome.code == 3, outcome.err);
  BOOST_TEST(outcome.err.find("service web: image " + missing + " is not in the engine") != std::string::npos, outcome.err);
  const Outcome dry = run({"up", "--dry-run"});
  BOOST_TEST(dry.code == 0, dry.err);
  BOOST_TEST(dry.out.find("note: image " + missing + " of web: not in the engine, fetched first\n") != std::string::npos, dry.out);
  BOOST_TEST(writes() == 0U);
}

BOOST_AUTO_TEST_CASE(an_invalid_compose_file_is_one_line_and_ends_with_one) {
  const std::string file = (drover.home() / "compose.yml").string();
  const std::pair<const char*, const char*> files[] = {
      {"services: {web: {imagee: 'web:1'}}\n", ":1:18: services.web: unknown key \"imagee\"; did you mean \"image\"?\n"},
      {"services: [\n", ": not valid YAML: "},
      {"", ": empty compose file\n"}};
  for (const auto& [text, line] : files) {
    std::ofstream(file) << text;
    for (const char* const command : {"up", "down", "stop", "start", "restart", "ps", "logs", "check", "config", "prefetch"}) {
      const Outcome outcome = run({command});
      BOOST_TEST_CONTEXT(command << ' ' << outcome.err) {
        BOOST_TEST(outcome.code == 1);
        BOOST_TEST(outcome.out.empty());
        BOOST_TEST(outcome.err.starts_with("drover: " + file));
        BOOST_TEST(outcome.err.find(line) != std::string::npos);
        BOOST_TEST(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
      }
    }
  }
  BOOST_TEST(writes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_name_that_no_image_can_have_is_the_files_fault) {
  engine.override_answer("/images/A%20B/json", 400, R"({"message":"invalid reference format"})");
  write("A B");
  const Outcome outcome = run({"up"});
  BOOST_TEST(outcome.code == 1);
  BOOST_TEST(outcome.err == "drover: " + (drover.home() / "compose.yml").string() + ":4:3: services.web.image: not an image name: \"A B\": the repository must be lower case\n");
}

struct Wrong {
  std::vector<std::string> words;
  const char* text;
  friend std::ostream& operator<<(std::ostream& out, const Wrong& wrong) { return out << wrong.text; }
};

const Wrong wrongs[] = {{{"up", "--build"}, "drover does not build images"},
                        {{"up", "--force-recreate", "--no-recreate"}, "exclude each other"},
                        {{"up", "--rollback", "--no-rollback"}, "exclude each other"},
                        {{"up", "--wait", "--no-start"}, "exclude each other"},
                        {{"up", "--no-deps"}, "name services"},
                        {{"up", "--scale", "web"}, "not SERVICE=NUMBER"},
                        {{"up", "--scale", "nobody=2"}, "no such service"},
                        {{"up", "--pull", "often"}, "pull policy often"},
                        {{"up", "--timeout", "soon"}, "--timeout soon"},
                        {{"up", "--compose-epoch", "1.29"}, "--compose-epoch 1.29"},
                        {{"up", "nobody"}, "no such service: nobody"},
                        {{"stop", "wep"}, "no such service: wep; did you mean web?"},
                        {{"ps", "nobody"}, "no such service: nobody"},
                        {{"ps", "--status", "dozing"}, "dozing"},
                        {{"logs", "--index", "1"}, "name one service"},
                        {{"logs", "--tail", "some"}, "--tail some"},
                        {{"logs", "--since", "once"}, "--since once"}};

BOOST_DATA_TEST_CASE(wrong_words_are_told, data::make(wrongs), wrong) {
  const Outcome outcome = run(wrong.words);
  BOOST_TEST(outcome.code == 2, outcome.err);
  BOOST_TEST(outcome.err.find(wrong.text) != std::string::npos, outcome.err);
  BOOST_TEST(writes() == 0U);
}

BOOST_AUTO_TEST_CASE(orphans_are_named_or_removed_or_passed_over) {
  write("web:1", "  old: {image: 'db:1'}\n");
  BOOST_TEST(run({"up", "-q"}).code == 0);
  write("web:1");
  BOOST_TEST(run({"up"}).out == "note: container shop-old-1: the project has no service old; --remove-orphans removes it\nnothing to do\n");
  drover.set("COMPOSE_IGNORE_ORPHANS", "true");
  BOOST_TEST(run({"up"}).out == "nothing to do\n");
  BOOST_TEST(run({"up", "--remove-orphans"}).code == 2);
  drover.set("COMPOSE_IGNORE_ORPHANS", "false");
  drover.set("COMPOSE_REMOVE_ORPHANS", "1");
  BOOST_TEST(run({"up", "-q"}).code == 0);
  BOOST_TEST(stack.text() == both_run);
}

BOOST_AUTO_TEST_CASE(no_deps_and_scale_change_what_is_asked_for_alone) {
  BOOST_TEST(run({"up", "-q", "--no-deps", "web"}).code == 0);
  BOOST_TEST(stack.text().find("shop-db-1") == std::string::npos, stack.text());
  BOOST_TEST(run({"up", "-q", "--scale", "web=2"}).code == 0);
  BOOST_TEST(stack.text().find("shop-web-2 web:1 running") != std::string::npos, stack.text());
}

BOOST_AUTO_TEST_CASE(stop_start_and_restart_go_in_order) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  const Outcome stopped = run({"stop"});
  BOOST_TEST(stopped.code == 0, stopped.err);
  BOOST_TEST(stopped.out ==
             "RESOURCE  ACTION  CAUSE\nweb       stop    asked to stop\ndb        stop    asked to stop\ndb: stopped\nweb: stopped\n");
  BOOST_TEST(run({"stop"}).out == "nothing to do\n");
  const ordered_json started = run({"start", "--json"}).json();
  BOOST_TEST(members(started) == "steps,notes,outcomes,services");
  BOOST_TEST(started.at("steps")[0].at("resource") == "container shop-db-1");
  BOOST_TEST(stack.text() == both_run);
  const Outcome restarted = run({"restart", "db"});
  BOOST_TEST(restarted.out.starts_with("RESOURCE  ACTION   CAUSE\ndb        restart  asked to restart\ndb: restarted"), restarted.out);
}

BOOST_AUTO_TEST_CASE(down_works_without_a_file_by_the_projects_name) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  std::filesystem::remove(drover.home() / "compose.yml");
  BOOST_TEST(run({"down"}).code == 2);
  const Outcome outcome = run({"-p", "shop", "down", "-v"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.out.find("container shop-web-1, remove, asked to take down (after #1) (destructive)") != std::string::npos, outcome.out);
  BOOST_TEST(stack.text() == "");
}

BOOST_AUTO_TEST_CASE(down_keeps_volumes_unless_asked_and_names_each) {
  write("web:1", "volumes: {data: }\n");
  BOOST_TEST(run({"up", "-q"}).code == 0);
  engine.with_objects([](FakeObjects& objects) { objects.volumes["shop_data"] = {.name = "shop_data", .labels = {{"com.docker.compose.project", "shop"}}}; });
  const Outcome kept = run({"down", "-v"});  // --verbose
  BOOST_TEST(kept.code == 0, kept.err);
  BOOST_TEST(kept.out.find("note: kept: volume shop_data; --volumes removes it\n") != std::string::npos, kept.out);
  const ordered_json json = run({"down", "--volumes", "--json"}).json();
  BOOST_TEST(json.at("steps").back().at("resource") == "volume shop_data");
  BOOST_TEST(json.at("steps").back().at("destructive") == true);
  engine.with_objects([](FakeObjects& objects) { BOOST_TEST(objects.volumes.empty()); });
}

BOOST_AUTO_TEST_CASE(ps_lists_containers) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  BOOST_TEST(run({"stop", "-q", "db"}).code == 0);
  const Outcome text = run({"ps"});
  BOOST_TEST(text.out.starts_with("NAME        IMAGE  COMMAND                 SERVICE  CREATED  "), text.out);
  BOOST_TEST(text.out.find("shop-db-1") == std::string::npos);
  BOOST_TEST(text.out.find("Up 3 minutes (healthy)") != std::string::npos, text.out);
  BOOST_TEST(run({"ps", "--all", "--services"}).out == "db\nweb\n");
  BOOST_TEST(run({"ps", "-q", "--status", "exited"}).out == stack.id_of("shop-db-1") + "\n");
  BOOST_TEST(run({"ps", "-q", "db"}).out == "");
  const ordered_json json = run({"ps", "--json"}).json();
  BOOST_TEST(members(json.at("containers")[0]) == "id,name,service,image,command,created,state,status,health,exitCode,ports");
  BOOST_TEST(json.at("containers")[0].at("health") == "healthy");
}

BOOST_AUTO_TEST_CASE(logs_are_lines_with_names_or_one_document) {
  BOOST_TEST(run({"up", "-q"}).code == 0);
  stack.set_behaviour("web:1", {.log = "2026-01-31T06:00:01.000000000Z second\n2026-01-31T06:00:03.000000000Z fourth\n"});
  stack.set_behaviour("db:1", {.log = "2026-01-31T06:00:00.000000000Z first\n2026-01-31T06:00:02.000000000Z third \"quoted\"\n"});
  BOOST_TEST(run({"logs"}).out == "db-1   | first\nweb-1  | second\ndb-1   | third \"quoted\"\nweb-1  | fourth\n");
  BOOST_TEST(run({"logs", "web", "-t", "--no-log-prefix"}).out ==
             "2026-01-31T06:00:01.000000000Z second\n2026-01-31T06:00:03.000000000Z fourth\n");
  const ordered_json json = run({"logs", "--json"}).json();
  BOOST_TEST(json.at("entries").size() == 4U);
  BOOST_TEST(json.at("entries")[2].dump() ==
             R"({"container":"shop-db-1","service":"db","stream":"stdout","time":"2026-01-31T06:00:02.000000000Z","text":"third \"quoted\""})");
  BOOST_TEST(run({"logs", "--json", "nobody"}).json().at("error").at("code") == "usage");
  BOOST_TEST(run({"logs", "--json", "nobody"}).code == 2);
}

BOOST_AUTO_TEST_CASE(an_engine_that_is_not_there_ends_every_command) {
  drover.set("DOCKER_HOST", "unix:///nowhere.sock");
  for (const char* const command : {"up", "down", "stop", "start", "restart", "ps", "logs"}) {
    BOOST_TEST_CONTEXT(command) { BOOST_TEST(run({command}).code == 5); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
