#include "stack/prune_plan.h"

#include "base/error.h"
#include "tests/stack/engine_state.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::test;
using stack::PruneKind;

namespace {

struct PlanHost {
  engine::Snapshot engine{.engine = "unix:///run/docker.sock"};
  stack::Ledger ledger;
  stack::PrunePolicy policy;

  stack::PrunePlan plan(std::set<PruneKind> kinds) {
    policy.kinds = std::move(kinds);
    return stack::plan_prune(engine, ledger, policy, now);
  }
  std::string text(PruneKind kind) { return to_text(plan({kind})); }
};

const std::string a64 = std::string(64, 'a');
const std::string b64 = std::string(64, 'b');

}  // namespace

BOOST_FIXTURE_TEST_SUITE(prune_plan, PlanHost)

BOOST_AUTO_TEST_CASE(each_image_has_a_reason) {
  const engine::SnapshotImage redis7 = image("redis7", {"redis:7"}, days(2), "abc");
  engine::SnapshotImage redis6 = image("redis6", {}, days(5), "abd");
  redis6.repo_digests = {"redis@" + id_of("x").to_string()};
  engine::SnapshotImage redis5 = image("redis5", {"redis:5"}, days(9), "abe");
  engine.images = {redis7,
                   redis6,
                   redis5,
                   image("nginx", {"nginx:1"}, days(5), "f"),
                   image("young", {"young:1"}, 5h, "g"),
                   image("pinned", {"pinned:1"}, days(5), "h"),
                   image("next", {"next:2"}, days(5), "i"),
                   image("mail", {"mail:1"}, days(5), "j"),
                   image("stopped", {"stopped:1"}, days(5), "k"),
                   image("dangling", {}, days(5), "l")};
  engine.containers = {running("cache", redis7), container("old", "stopped:1", "exited")};
  ledger.pins["pinned:1"] = ago(days(1));
  ledger.prefetched = {{.image_id = id_of("next").to_string(), .reference = "next:2", .project = "mail", .time = ago(days(1))}};
  ledger.projects["mail"].images["web"] = "mail:1";

  BOOST_TEST(text(PruneKind::image) ==
             "keep image redis:7: used by container cache (running)\n"
             "keep image redis@" + id_of("x").to_string() + ": one of the last 2 of redis, which is in use\n"
             "keep image young:1: younger than 24 hours: here for 5 hours\n"
             "keep image pinned:1: pinned as pinned:1\n"
             "keep image next:2: prefetched as next:2 for project mail, not applied yet\n"
             "keep image mail:1: named by project mail, service web\n"
             "keep image stopped:1: named by container old (exited)\n"
             "remove image redis:5, 100 B: unused: no container, project or pin; here for 9 days\n"
             "remove image nginx:1, 100 B: unused: no container, project or pin; here for 5 days\n"
             "remove image " + id_of("dangling").to_string().substr(0, 19) + ", 100 B: dangling: no container, project or pin; here for 5 days\n"
             "to remove: 3, 300 B\n");
}

BOOST_AUTO_TEST_CASE(keep_counts_digests_of_each_repository_in_use) {
  for (int i = 1; i <= 5; ++i) engine.images.push_back(image("v" + std::to_string(i), {"app:" + std::to_string(i)}, days(10 - i), "a" + std::to_string(i)));
  engine.containers = {running("app", engine.images[1])};  // app:2; 3, 4 and 5 came later
  BOOST_TEST(plan({PruneKind::image}).remove.size() == 2U);  // 5 and 4 stay, and 2

  policy.keep = 0;
  BOOST_TEST(plan({PruneKind::image}).remove.size() == 4U);
  policy.keep = 9;
  BOOST_TEST(plan({PruneKind::image}).remove.empty());
}

BOOST_AUTO_TEST_CASE(of_what_came_at_once_the_build_date_tells_and_else_all_stay) {
  for (int i = 1; i <= 4; ++i) engine.images.push_back(image("v" + std::to_string(i), {"app:" + std::to_string(i)}, days(5), "a" + std::to_string(i)));
  engine.containers = {running("app", engine.images[1])};
  BOOST_TEST(plan({PruneKind::image}).remove.empty());

  for (int i = 0; i < 4; ++i) engine.images[static_cast<std::size_t>(i)].built = ago(days(50 - i));
  const stack::PrunePlan told = plan({PruneKind::image});
  BOOST_TEST_REQUIRE(told.remove.size() == 1U);
  BOOST_TEST(told.remove[0].names[0] == "app:1");
}

// After a retag the classic store forgets the name of an image that was loaded; the ledger does not.
BOOST_AUTO_TEST_CASE(a_nameless_image_is_its_repositorys_by_what_was_seen) {
  engine.images = {image("new", {"app:1"}, days(2), "ab"), image("old", {}, days(4), "ac")};
  engine.containers = {running("app", engine.images[0])};
  BOOST_TEST(plan({PruneKind::image}).remove.size() == 1U);

  ledger.images[engine.engine][id_of("old").to_string()].repositories = {"app"};
  BOOST_TEST(plan({PruneKind::image}).remove.empty());
}

BOOST_AUTO_TEST_CASE(what_has_no_known_age_is_new) {
  engine.images = {image("x", {"x:1"}, days(5), "a")};
  engine.images[0].arrived.reset();
  BOOST_TEST(plan({PruneKind::image}).remove.empty());
  ledger.images[engine.engine][id_of("x").to_string()].first_seen = ago(days(2));
  BOOST_TEST(plan({PruneKind::image}).remove.size() == 1U);
}

BOOST_AUTO_TEST_CASE(parents_stay_with_their_children_and_go_after_them) {
  engine::SnapshotImage child = image("child", {"built:1"}, days(9), "ab");
  child.parent = id_of("parent");
  engine.images = {image("parent", {}, days(9), "a"), child};
  const stack::PrunePlan both = plan({PruneKind::image});
  BOOST_TEST_REQUIRE(both.remove.size() == 2U);
  BOOST_TEST(both.remove[0].id == child.id.to_string());
  BOOST_TEST(both.bytes == 200U);

  ledger.pins["built:1"] = now;
  BOOST_TEST(plan({PruneKind::image}).remove.empty());
}

BOOST_AUTO_TEST_CASE(bytes_are_those_of_unshared_layers) {
  engine.images = {image("kept", {"kept:1"}, days(9), "ab"), image("x", {"x:1"}, days(9), "abcd"), image("y", {"y:1"}, days(8), "abce")};
  engine.containers = {running("c", engine.images[0])};
  const stack::PrunePlan all = plan({PruneKind::image});
  BOOST_TEST_REQUIRE(all.remove.size() == 2U);
  BOOST_TEST(all.remove[0].bytes == 100U);  // layer c is y's as well
  BOOST_TEST(all.remove[1].bytes == 200U);
}

BOOST_AUTO_TEST_CASE(free_takes_the_oldest_and_no_more_than_needed) {
  for (int i = 1; i <= 4; ++i) engine.images.push_back(image("v" + std::to_string(i), {"x" + std::to_string(i) + ":1"}, days(10 - i), std::string(1, static_cast<char>('a' + i))));
  policy.free_bytes = 150;
  BOOST_TEST(text(PruneKind::image) ==
             "keep image x3:1: not needed to free 150 B\n"
             "keep image x4:1: not needed to free 150 B\n"
             "remove image x1:1, 100 B: unused: no container, project or pin; here for 9 days\n"
             "remove image x2:1, 100 B: unused: no container, project or pin; here for 8 days\n"
             "to remove: 2, 200 B\n");
}

BOOST_AUTO_TEST_CASE(free_takes_all_names_of_the_bytes_that_it_needs) {
  engine.images = {image("x", {"x:1"}, days(9), "ab"), image("y", {"y:1"}, days(8), "ab"), image("z", {"z:1"}, days(7), "c")};
  policy.free_bytes = 10;
  const stack::PrunePlan enough = plan({PruneKind::image});
  BOOST_TEST_REQUIRE(enough.remove.size() == 2U);
  BOOST_TEST(enough.remove[0].bytes == 0U);
  BOOST_TEST(enough.remove[1].bytes == 200U);
}

BOOST_AUTO_TEST_CASE(volumes_of_projects_stay_and_anonymous_ones_go_after_their_grace) {
  engine.images = {image("db", {"db:1"}, days(9), "a")};
  engine.containers = {running("mail-db-1", engine.images[0], of("mail", "db"), {"mail_data"}), container("plain", "db:1", "exited", {}, {b64})};
  engine.volumes = {volume("mail_data", days(9), of("mail", "")), volume("mail_old", days(9)), volume("loose", days(9)), anonymous('a', days(2)),
                    anonymous('b', days(9)), anonymous('c', 2h), volume(std::string(64, 'd'), days(9))};
  engine.volumes.push_back(volume(std::string(64, 'e'), days(9)));
  engine.volumes.back().options = {{"type", "nfs"}};
  ledger.projects["mail"].volumes["mail_old"] = {.services = {"db"}, .last_seen = ago(days(300))};
  ledger.volumes_used[std::string(64, 'd')] = ago(3h);

  BOOST_TEST(text(PruneKind::volume) ==
             "keep volume mail_data: used by container mail-db-1 (running)\n"
             "keep volume mail_old: owned by project mail (db)\n"
             "keep volume loose: named; --volume loose removes it\n"
             "keep volume " + b64 + ": used by container plain (exited)\n"
             "keep volume " + std::string(64, 'c') + ": younger than 24 hours: unused for 2 hours\n"
             "keep volume " + std::string(64, 'd') + ": younger than 24 hours: unused for 3 hours\n"
             "keep volume " + std::string(64, 'e') + ": named; --volume " + std::string(64, 'e') + " removes it\n"
             "remove volume " + a64 + ", 1.0 kB: anonymous, no container and no project for 2 days\n"
             "to remove: 1, 1.0 kB\n");
}

BOOST_AUTO_TEST_CASE(after_compose_down_nothing_goes_and_the_refusal_says_what_to_do) {
  engine.volumes = {volume("mail_data", days(9), of("mail", "")), anonymous('a', days(9)), anonymous('b', days(9))};
  ledger.projects["mail"].volumes[b64] = {.services = {"db"}, .last_seen = ago(days(1))};
  ledger.projects["new"].volumes["new_data"] = {};  // only a compose file told of it
  BOOST_TEST(text(PruneKind::volume) ==
             "refuse volume mail_data: owned by project mail; project mail is down; start it (docker compose -p mail up -d), or name it with --volume mail_data --force\n"
             "refuse volume " + a64 + ": project mail is down; start it (docker compose -p mail up -d), or name it with --volume " + a64 + " --force\n"
             "refuse volume " + b64 + ": owned by project mail (db); project mail is down; start it (docker compose -p mail up -d), or name it with --volume " + b64 + " --force\n"
             "to remove: 0, 0 B\n");
}

// Where it runs, nobody who looks at this engine can say; nor would starting it here be right.
BOOST_AUTO_TEST_CASE(a_project_of_another_engine_is_told_as_such) {
  engine.volumes = {anonymous('a', days(9))};
  ledger.projects["wiki"] = {.last_seen = ago(days(1)), .engines = {"ssh://there"}};
  BOOST_TEST(text(PruneKind::volume) ==
             "refuse volume " + a64 + ": project wiki (seen on ssh://there) does not run on this engine; see to it there, or name it with --volume " + a64 + " --force\n"
             "to remove: 0, 0 B\n");
  ledger.projects["mail"] = {.last_seen = ago(days(1)), .engines = {engine.engine, "ssh://there"}};
  BOOST_TEST(plan({PruneKind::volume}).refused[0].reason.starts_with(
      "project mail is down; start it (docker compose -p mail up -d); project wiki (seen on ssh://there) does not run on this engine"));
}

// What a project once mounted stays its own when only the engine's events tell of it.
BOOST_AUTO_TEST_CASE(events_tell_of_owners_that_are_gone) {
  engine.images = {image("db", {"db:1"}, days(9), "a")};
  engine.containers = {running("web", engine.images[0], of("mail", "web"))};
  engine.volumes = {anonymous('a', days(9))};
  BOOST_TEST(plan({PruneKind::volume}).remove.size() == 1U);
  engine.past_mounts = {{.volume = a64, .time = ago(days(5)), .labels = of("mail", "db")}};
  BOOST_TEST(plan({PruneKind::volume}).remove.empty());
}

BOOST_AUTO_TEST_CASE(a_named_volume_goes_by_name_and_an_owned_one_by_force) {
  engine.images = {image("db", {"db:1"}, days(9), "a")};
  engine.containers = {running("mail-db-1", engine.images[0], of("mail", "db"), {"mail_data"})};
  engine.volumes = {volume("mail_data", days(9), of("mail", "")), volume("mail_old", 1h, of("mail", "")), volume("loose", 1h)};

  policy.volumes = {"loose"};
  BOOST_TEST(plan({PruneKind::volume}).remove.size() == 1U);
  policy.volumes = {"mail_data", "mail_old"};
  BOOST_TEST(text(PruneKind::volume) ==
             "keep volume loose: not named on the command line\n"
             "refuse volume mail_data: used by container mail-db-1 (running); remove the container first (docker rm mail-db-1)\n"
             "refuse volume mail_old: owned by project mail; add --force if its data may go\n"
             "to remove: 0, 0 B\n");
  policy.force = true;
  BOOST_TEST(plan({PruneKind::volume}).remove.size() == 1U);
  BOOST_TEST(plan({PruneKind::volume}).remove[0].is_named);
  BOOST_TEST(plan({PruneKind::volume}).refused.size() == 1U);

  policy.volumes.clear();
  policy.named_of = "mail";
  const stack::PrunePlan of_project = plan({PruneKind::volume});
  BOOST_TEST_REQUIRE(of_project.remove.size() == 1U);
  BOOST_TEST(of_project.remove[0].id == "mail_old");
}

BOOST_AUTO_TEST_CASE(unknown_names_are_the_callers_mistake) {
  engine.volumes = {volume("mail_data", days(9), of("mail", ""))};
  const auto message = [&] {
    try {
      plan({PruneKind::volume});
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::usage));
      return std::string(error.what());
    }
    return std::string();
  };
  policy.volumes = {"mail_dat"};
  BOOST_TEST(message() == "the engine has no volume mail_dat; did you mean mail_data?");
  policy.volumes.clear();
  policy.named_of = "maill";
  BOOST_TEST(message() == "unknown project maill; did you mean mail?");
}

BOOST_AUTO_TEST_CASE(containers_networks_and_build_cache) {
  engine.images = {image("a", {"a:1"}, days(9), "a")};
  engine.containers = {running("up", engine.images[0]), container("gone", "a:1", "exited"), container("mail-1", "a:1", "exited", of("mail", "db")),
                       container("again", "a:1", "exited")};
  engine.containers[3].restarts = true;
  engine.containers[0].networks = {"used"};
  const auto network = [](std::string name, std::map<std::string, std::string> labels = {}) {
    return engine::SnapshotNetwork{.id = "id-" + name, .name = name, .scope = "local", .labels = std::move(labels), .created = ago(days(9))};
  };
  engine.networks = {network("bridge"), network("docker_gwbridge"), network("used"), network("mail_default", of("mail", "")), network("left")};
  engine.build_cache = {{.id = "base", .bytes = 10, .used = ago(days(9))}, {.id = "top", .parents = {"base"}, .bytes = 5, .used = ago(days(3))},
                        {.id = "busy", .bytes = 5, .is_in_use = true}};

  BOOST_TEST(to_text(plan({PruneKind::container, PruneKind::network, PruneKind::build_cache})) ==
             "keep container up: running\n"
             "keep container mail-1: of project mail\n"
             "keep container again: its restart policy starts it again\n"
             "keep network bridge: the engine's own\n"
             "keep network docker_gwbridge: the engine's own\n"
             "keep network used: used by a container\n"
             "keep network mail_default: owned by project mail\n"
             "keep buildcache busy: in use by a build\n"
             "remove container gone, 0 B: exited for 9 days\n"
             "remove network left, 0 B: no container and no project; here for 9 days\n"
             "remove buildcache top, 5 B: not used for 3 days\n"
             "remove buildcache base, 10 B: not used for 9 days\n"
             "to remove: 4, 15 B\n");
}

BOOST_AUTO_TEST_SUITE_END()
