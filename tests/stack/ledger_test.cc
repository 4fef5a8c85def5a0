#include "stack/ledger.h"

#include "tests/stack/engine_state.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::test;

BOOST_AUTO_TEST_SUITE(ledger)

BOOST_AUTO_TEST_CASE(a_look_adds_owners_and_never_takes_one_away) {
  engine::Snapshot up{.engine = "unix:///x"};
  up.images = {image("db", {"db:1"}, days(3), "a")};
  up.containers = {running("mail-db-1", up.images[0], of("mail", "db"), {"mail_data", "anonymous"})};
  up.volumes = {volume("mail_data", days(3), of("mail", "")), volume("anonymous", days(3))};
  const stack::Ledger seen = observe(stack::Ledger{}, up, now);

  const stack::Ledger later = observe(seen, engine::Snapshot{.engine = "unix:///x"}, now + 1h);
  const std::vector<stack::Owner> owners = owners_of(later, "anonymous");
  BOOST_TEST_REQUIRE(owners.size() == 1U);
  BOOST_TEST(owners[0].project == "mail");
  BOOST_TEST(owners[0].services.contains("db"));
  BOOST_TEST((owners[0].last_seen == now));
  BOOST_TEST(later.projects.at("mail").images.at("db") == "db:1");
  BOOST_TEST(owners_of(later, "other").empty());
}

BOOST_AUTO_TEST_CASE(what_was_forgotten_does_not_come_back_by_old_events) {
  engine::Snapshot engine{.engine = "unix:///x"};
  engine.past_mounts = {{.volume = "data", .time = ago(1h), .labels = of("mail", "db")}};
  stack::Ledger seen;
  seen.forgotten["mail"]["unix:///x"] = now;
  BOOST_TEST(observe(seen, engine, now).projects.empty());
  engine.past_mounts[0].time = now + 999ms;  // the ledger keeps whole seconds
  BOOST_TEST(observe(seen, engine, now).projects.empty());
  engine.past_mounts[0].time = now + 1s;
  BOOST_TEST(observe(seen, engine, now).projects.contains("mail"));
}

// The volumes of one engine say nothing of another one's.
BOOST_AUTO_TEST_CASE(a_project_is_forgotten_for_one_engine_at_a_time) {
  engine::Snapshot here{.engine = "unix:///x"};
  here.past_mounts = {{.volume = "data", .time = ago(1h), .labels = of("mail", "db")}};
  engine::Snapshot there = here;
  there.engine = "ssh://there";
  stack::Ledger seen = observe(observe(stack::Ledger{}, here, now), there, now);

  seen = forget(seen, "mail", "unix:///x", now);
  BOOST_TEST(owners_of(seen, "data").size() == 1U);
  seen = observe(seen, here, now);
  BOOST_TEST(seen.projects.at("mail").engines == std::set<std::string>{"ssh://there"}, boost::test_tools::per_element());
  seen = forget(seen, "mail", "ssh://there", now);
  BOOST_TEST(observe(observe(seen, here, now), there, now).projects.empty());

  there.engine = "ssh://elsewhere";
  seen = observe(seen, there, now);
  BOOST_TEST(seen.projects.size() == 1U);
  BOOST_TEST(observe(forget(seen, "mail", stack::every_engine, now), there, now).projects.empty());
}

BOOST_AUTO_TEST_CASE(volumes_that_are_gone_for_long_are_forgotten) {
  engine::Snapshot engine{.engine = "unix:///x"};
  engine.volumes = {volume("here", days(90))};
  stack::Ledger seen;
  seen.volumes_used = {{"here", ago(days(31))}, {"gone", ago(days(31))}, {"elsewhere", ago(days(29))}};
  seen = observe(seen, engine, now);
  BOOST_TEST(seen.volumes_used.contains("here"));
  BOOST_TEST(!seen.volumes_used.contains("gone"));
  BOOST_TEST(seen.volumes_used.contains("elsewhere"));
}

BOOST_AUTO_TEST_CASE(images_are_remembered_while_the_engine_has_them) {
  engine::Snapshot engine{.engine = "unix:///x"};
  engine.images = {image("a", {"localhost:5000/app:1"}, days(3))};
  stack::Ledger seen = observe(stack::Ledger{}, engine, now);
  engine.images[0].tags.clear();
  engine.containers = {running("c", engine.images[0])};
  seen = observe(seen, engine, now + 1h);

  const stack::Ledger::Image& entry = seen.images.at("unix:///x").at(id_of("a").to_string());
  BOOST_TEST((entry.first_seen == now));
  BOOST_TEST((entry.last_used == now + 1h));
  BOOST_TEST(entry.repositories.contains("localhost:5000/app"));

  seen = observe(seen, engine::Snapshot{.engine = "unix:///other"}, now + 2h);  // another engine's look forgets nothing here
  BOOST_TEST(seen.images.at("unix:///x").size() == 1U);
  seen = observe(seen, engine::Snapshot{.engine = "unix:///x"}, now + 3h);
  BOOST_TEST(seen.images.at("unix:///x").empty());
}

BOOST_AUTO_TEST_CASE(a_prefetched_image_is_applied_once_a_container_uses_it) {
  engine::Snapshot engine{.engine = "unix:///x"};
  engine.images = {image("v1", {}, days(3)), image("v2", {"app:1"}, days(1)), image("v3", {}, days(0))};
  stack::Ledger seen = stack::note_prefetched(stack::Ledger{}, stack::Ledger::Prefetched{.image_id = id_of("v2").to_string(), .reference = "app:1", .project = "mail", .time = now});
  seen = observe(seen, engine, now);
  BOOST_TEST(seen.prefetched.size() == 1U);
  BOOST_TEST(note_prefetched(seen, stack::Ledger::Prefetched{.image_id = id_of("v3").to_string(), .reference = "app:1", .project = "mail", .time = now}).prefetched.size() == 1U);

  engine.containers = {running("app", engine.images[1])};
  BOOST_TEST(observe(seen, engine, now).prefetched.empty());
}

BOOST_AUTO_TEST_CASE(a_compose_file_tells_of_volumes_before_there_are_containers) {
  const stack::Ledger seen = observe(stack::Ledger{}, stack::ProjectWords{.name = "mail", .volumes = {"mail_data"}, .images = {"db:1"}}, now);
  BOOST_TEST(owners_of(seen, "mail_data").size() == 1U);
  BOOST_TEST(seen.projects.at("mail").declared.contains("db:1"));
}

BOOST_AUTO_TEST_CASE(repositories_keep_their_port) {
  BOOST_TEST(stack::repository_of("localhost:5000/app") == "localhost:5000/app");
  BOOST_TEST(stack::repository_of("localhost:5000/app:1") == "localhost:5000/app");
  BOOST_TEST(stack::repository_of("redis:7@sha256:00") == "redis");
}

BOOST_AUTO_TEST_SUITE_END()
