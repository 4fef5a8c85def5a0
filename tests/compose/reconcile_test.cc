// Plans of up as transcripts: what is made, what is replaced, why, and what else goes.
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_plans)

namespace {

const std::string web_and_db =
    "services: {web: {image: app:1, depends_on: [db]}, db: {image: db:1, volumes: [data:/data]}}\nvolumes: {data: }";
const std::string new_web_and_db =
    "services: {web: {image: app:2, depends_on: [db]}, db: {image: db:1, volumes: [data:/data]}}\nvolumes: {data: }";

std::string one(const std::string& keys) {
  return "services: {web: {image: app:1, " + keys + "}}";
}

// What is said of the first step.
std::string first_cause(const std::string& before, const std::string& after) {
  Shop shop;
  shop.up(before);
  const Plan plan = shop.plan(after);
  return plan.steps.empty() ? "nothing" : plan.steps.front().cause;
}

// "web recreate, db none".
std::string actions(const Plan& plan) {
  std::string text;
  for (const ServiceChange& change : plan.services) text += (text.empty() ? "" : ", ") + change.service + " " + change.action;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_project_is_created_whole_and_then_started) {
  Shop shop;

  BOOST_TEST(shop.text(web_and_db) == "#1 network shop_default, create, networks.default: not there\n"
                                      "#2 volume shop_data, create, volumes.data: not there\n"
                                      "#3 container shop-db-1, create, services.db: no container (after #1-2)\n"
                                      "#4 container shop-web-1, create, services.web: no container (after #1)\n"
                                      "#5 container shop-db-1, start (after #3-4)\n"
                                      "#6 container shop-db-1, wait until it runs or is healthy (after #5)\n"
                                      "#7 container shop-web-1, start (after #5)\n"
                                      "#8 container shop-web-1, wait until it runs or is healthy (after #7)\n");
  BOOST_TEST(actions(shop.plan(web_and_db)) == "db create, web create");
}

BOOST_AUTO_TEST_CASE(nothing_is_done_when_nothing_changed) {
  Shop shop;
  shop.up(web_and_db);

  const Plan plan = shop.plan(web_and_db);

  BOOST_TEST(to_text(plan) == "");
  BOOST_TEST(is_empty(plan));
  BOOST_TEST(actions(plan) == "db none, web none");
}

BOOST_AUTO_TEST_CASE(a_changed_service_is_swapped_and_others_are_left_alone) {
  Shop shop;
  shop.up(web_and_db);

  BOOST_TEST(shop.text(new_web_and_db) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #4, #6) (destructive)\n");
  BOOST_TEST(actions(shop.plan(new_web_and_db)) == "db none, web recreate");
}

BOOST_AUTO_TEST_CASE(a_dependency_is_swapped_before_its_dependent) {
  Shop shop;
  shop.up(web_and_db);
  shop.engine.set_image("db:1", "newer");

  BOOST_TEST(shop.text(new_web_and_db) ==
             "#1 container shop-db-1, create as <db:1>_shop-db-1, image db:1 is now sha256:804f51f71254\n"
             "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#3 container shop-db-1, stop, replaced by #1 (after #1-2)\n"
             "#4 container shop-db-1, start (after #3)\n"
             "#5 container shop-db-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-db-1, rename to shop-db-1-old-<db:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-db-1, rename to shop-db-1 (after #6)\n"
             "#8 container shop-web-1, stop, replaced by #2 (after #4)\n"
             "#9 container shop-web-1, start (after #8)\n"
             "#10 container shop-web-1, wait until it runs or is healthy (after #9)\n"
             "#11 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #9)\n"
             "#12 container shop-web-1, rename to shop-web-1 (after #11)\n"
             "#13 container shop-db-1, remove, replaced by #1 (after #5, #7, #10, #12) (destructive)\n"
             "#14 container shop-web-1, remove, replaced by #2 (after #5, #7, #10, #12) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(services_without_relation_are_swapped_side_by_side) {
  Shop shop;
  shop.up("services: {a: {image: app:1}, b: {image: app:1}}");

  BOOST_TEST(shop.text("services: {a: {image: app:2}, b: {image: app:2}}") ==
             "#1 container shop-a-1, create as <app:1>_shop-a-1, services.a.image: app:1 -> app:2\n"
             "#2 container shop-b-1, create as <app:1>_shop-b-1, services.b.image: app:1 -> app:2\n"
             "#3 container shop-a-1, stop, replaced by #1 (after #1-2)\n"
             "#4 container shop-a-1, start (after #3)\n"
             "#5 container shop-a-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-a-1, rename to shop-a-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-a-1, rename to shop-a-1 (after #6)\n"
             "#8 container shop-b-1, stop, replaced by #2 (after #1-2)\n"
             "#9 container shop-b-1, start (after #8)\n"
             "#10 container shop-b-1, wait until it runs or is healthy (after #9)\n"
             "#11 container shop-b-1, rename to shop-b-1-old-<app:1>, kept until the new one has proved itself (after #9)\n"
             "#12 container shop-b-1, rename to shop-b-1 (after #11)\n"
             "#13 container shop-a-1, remove, replaced by #1 (after #5, #7, #10, #12) (destructive)\n"
             "#14 container shop-b-1, remove, replaced by #2 (after #5, #7, #10, #12) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_stopped_container_is_started) {
  Shop shop;
  shop.up(web_and_db);
  shop.engine.stop("shop-web-1");

  BOOST_TEST(shop.text(web_and_db) == "#1 container shop-web-1, start, it is exited\n");
  BOOST_TEST(actions(shop.plan(web_and_db)) == "db none, web start");
}

BOOST_AUTO_TEST_CASE(a_stopped_one_that_changed_is_replaced_without_a_stop) {
  Shop shop;
  shop.up(one("tty: false"));
  shop.engine.stop("shop-web-1");

  BOOST_TEST(shop.text(one("tty: true")) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.tty\n"
             "#2 container shop-web-1, start (after #1)\n"
             "#3 container shop-web-1, wait until it runs or is healthy (after #2)\n"
             "#4 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #2)\n"
             "#5 container shop-web-1, rename to shop-web-1 (after #4)\n"
             "#6 container shop-web-1, remove, replaced by #1 (after #3, #5) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_paused_container_is_left_as_it_is) {
  Shop shop;
  shop.up(one("tty: true"));
  shop.engine.container("shop-web-1")["State"]["Status"] = "paused";
  shop.engine.container("shop-web-1")["State"]["Paused"] = true;

  BOOST_TEST(shop.text(one("tty: true")) == "note: container shop-web-1 is paused: left as it is\n");
}

BOOST_AUTO_TEST_CASE(a_dead_container_is_replaced) {
  Shop shop;
  shop.up(one("tty: true"));
  shop.engine.stop("shop-web-1");
  shop.engine.container("shop-web-1")["State"]["Status"] = "dead";

  BOOST_TEST(shop.plan(one("tty: true")).steps.front().cause == "the old container is dead");
}

BOOST_AUTO_TEST_CASE(with_no_start_nothing_is_started) {
  Shop shop;
  BOOST_TEST(shop.text(one("tty: true"), {.starts = false}) ==
             "#1 network shop_default, create, networks.default: not there\n"
             "#2 container shop-web-1, create, services.web: no container (after #1)\n");

  shop.up(one("tty: true"));
  BOOST_TEST(shop.text(one("tty: false"), {.starts = false}) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.tty\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #2)\n"
             "#4 container shop-web-1, rename to shop-web-1 (after #3)\n"
             "#5 container shop-web-1, remove, replaced by #1 (after #4) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(the_cause_names_what_differs) {
  BOOST_TEST(first_cause(one("tty: true"), "services: {web: {image: app:2, tty: true}}") == "services.web.image: app:1 -> app:2");
  BOOST_TEST(first_cause(one("environment: {A: 1, B: 2}"), one("environment: {A: 1, B: 3, C: 4}")) ==
             "services.web.environment.B, environment.C");
  BOOST_TEST(first_cause(one("command: run"), one("command: walk")) == "services.web.command");
  BOOST_TEST(first_cause(one("ports: [80]"), one("ports: [\"8080:80\"]")) == "services.web.ports");
  BOOST_TEST(first_cause(one("volumes: [/a:/a]"), one("volumes: [/b:/a]")) == "services.web.volumes");
  BOOST_TEST(first_cause(one("labels: {a: b}"), one("labels: {a: c}")) == "services.web.labels.a");
  BOOST_TEST(first_cause(one("restart: always"), one("restart: unless-stopped")) == "services.web.restart");
  BOOST_TEST(first_cause(one("networks: {default: {aliases: [a]}}"), one("networks: {default: {aliases: [b]}}")) ==
             "services.web.networks.shop_default.aliases");
  BOOST_TEST(first_cause(one("mem_limit: 1g"), one("mem_limit: 2g, cap_add: [NET_ADMIN], privileged: true, read_only: true")) ==
             "services.web.cap_add, mem_limit, privileged and 1 more");
  BOOST_TEST(first_cause(one("attach: true"), one("attach: false")) == "services.web: config hash");
}

BOOST_AUTO_TEST_CASE(an_image_that_moved_is_named) {
  Shop shop;
  shop.up(one("tty: true"));
  shop.engine.set_image("app:1", "newer");

  BOOST_TEST(shop.plan(one("tty: true")).steps.front().cause == "image app:1 is now sha256:804f51f71254");
}

BOOST_AUTO_TEST_CASE(the_manifest_of_the_image_will_do_for_its_label) {
  Shop shop;
  shop.up(one("tty: true"));
  shop.engine.container("shop-web-1")["Config"]["Labels"]["com.docker.compose.image"] = "sha256:4711";
  ProjectState state = shop.engine.state("shop");
  BOOST_TEST(!reconcile(load_shop(one("tty: true")), state, {}).steps.empty());

  state.images["app:1"].manifests = {"sha256:4711"};
  BOOST_TEST(reconcile(load_shop(one("tty: true")), state, {}).steps.empty());
}

BOOST_AUTO_TEST_CASE(an_image_that_is_gone_leaves_its_containers_alone) {
  Shop shop;
  shop.up(one("tty: true"));
  ProjectState state = shop.engine.state("shop");
  state.images.clear();

  BOOST_TEST(to_text(reconcile(load_shop(one("tty: true")), state, {})) == "");
}

BOOST_AUTO_TEST_CASE(what_docker_compose_made_in_any_epoch_is_right) {
  const std::string text = one("volumes: [{type: bind, source: /a, target: /a, bind: {create_host_path: true}}], profiles: []");
  const Project project = load_shop(text);
  for (const HashEpochRow& row : hash_epochs()) {
    Shop shop;
    shop.up(text);
    shop.engine.container("shop-web-1")["Config"]["Labels"]["com.docker.compose.config-hash"] =
        config_hash(project.services.at(0), row.epoch);

    BOOST_TEST(to_text(shop.plan(text)) == "");
  }
}

BOOST_AUTO_TEST_CASE(a_hand_made_container_without_an_image_label_is_replaced_as_compose_does) {
  Shop shop;
  shop.up(one("tty: true"));
  shop.engine.container("shop-web-1")["Config"]["Labels"].erase("com.docker.compose.image");

  BOOST_TEST(!shop.plan(one("tty: true")).steps.empty());
}

BOOST_AUTO_TEST_CASE(labels_are_written_in_the_epoch_of_the_compose_that_is_here) {
  const auto labels_with = [](const std::string& version, const UpOptions& options) {
    Shop shop;
    shop.up(one("tty: true"));
    if (!version.empty()) shop.engine.container("shop-web-1")["Config"]["Labels"]["com.docker.compose.version"] = version;
    const Plan plan = shop.plan(one("tty: false, volumes: [/a:/a]"), options);
    const CreateBody body = std::get<CreateContainer>(plan.steps.front().action).body({});
    return (*body.body)["Labels"];
  };
  const std::string new_text = one("tty: false, volumes: [/a:/a]");
  const Service service = load_shop(new_text).services.at(0);

  BOOST_TEST(labels_with("", {})["com.docker.compose.version"] == "2.40.3");
  BOOST_TEST(labels_with("5.1.0", {})["com.docker.compose.version"] == "5.1.0");
  BOOST_TEST(labels_with("5.1.0", {})["com.docker.compose.config-hash"] == config_hash(service, HashEpoch::compose_5_0_2));
  BOOST_TEST(labels_with("5.1.0", {.epoch = HashEpoch::compose_2_36})["com.docker.compose.config-hash"] ==
             config_hash(service, HashEpoch::compose_2_36));
  BOOST_TEST(labels_with("5.1.0", {.epoch = HashEpoch::compose_2_36})["com.docker.compose.version"] == "2.40.3");
  BOOST_TEST(labels_with("", {.version = "2.38.0"})["com.docker.compose.version"] == "2.38.0");
  BOOST_TEST(labels_with("", {})["com.docker.compose.replace"] == "web-1");
  BOOST_TEST(labels_with("", {})["com.docker.compose.image"] == Digest::of("app:1").to_string());
}

BOOST_AUTO_TEST_CASE(force_recreate_replaces_targets_and_no_recreate_nothing) {
  Shop shop;
  shop.up(web_and_db);

  BOOST_TEST(actions(shop.plan(web_and_db, {.targets = {"web"}, .recreate = Recreate::always})) == "db none, web recreate");
  BOOST_TEST(actions(shop.plan(web_and_db, {.targets = {"web"}, .recreate_dependencies = Recreate::always})) ==
             "db recreate, web none");
  BOOST_TEST(actions(shop.plan(new_web_and_db, {.recreate = Recreate::never})) == "db none, web none");
  BOOST_TEST(shop.plan(web_and_db, {.targets = {"web"}, .recreate = Recreate::always}).steps.front().cause == "asked for");
}

BOOST_AUTO_TEST_CASE(a_drift_recreates_with_its_cause_and_a_stale_file_restarts) {
  Shop shop;
  shop.up(web_and_db);

  BOOST_TEST(shop.plan(web_and_db, {.recreate_causes = {{"web", "drift: environment.A"}}}).steps.front().cause ==
             "drift: environment.A");
  BOOST_TEST(shop.text(web_and_db, {.restart_causes = {{"db", "/etc/my.cnf was replaced"}}}) ==
             "#1 container shop-db-1, restart, /etc/my.cnf was replaced\n");
  BOOST_TEST(actions(shop.plan(web_and_db, {.restart_causes = {{"db", "stale"}}})) == "db restart, web none");
}

BOOST_AUTO_TEST_CASE(a_wait_asks_those_that_are_not_known_to_be_well) {
  const std::string text =
      "services: {a: {image: app:1, healthcheck: {test: x}}, b: {image: app:1, healthcheck: {test: x}}, c: {image: app:1}}";
  Shop shop;
  shop.up(text);
  shop.engine.container("shop-b-1")["State"]["Health"]["Status"] = "starting";

  BOOST_TEST(shop.text(text, {.waits = true}) == "#1 container shop-b-1, wait until it runs or is healthy\n");
  BOOST_TEST(shop.text(text) == "");
}

BOOST_AUTO_TEST_CASE(what_was_not_well_before_may_go_on_being_so) {
  Shop shop;
  shop.up(one("healthcheck: {test: x}"));
  shop.engine.container("shop-web-1")["State"]["Health"]["Status"] = "unhealthy";

  const Plan plan = shop.plan(one("healthcheck: {test: y}"));
  const auto& gate = std::get<Await>(plan.steps.at(3).action);

  BOOST_TEST(gate.was_bad_before);
  BOOST_TEST(!gate.may_complete);  // it ran
  BOOST_TEST(plan.steps.at(3).cause == "what it replaces was not well either");
}

BOOST_AUTO_TEST_CASE(hooks_run_after_the_start_and_before_dependents) {
  BOOST_TEST(
      Shop().text("services: {a: {image: app:1, post_start: [{command: [init, now]}]}, b: {image: app:1, depends_on: [a]}}") ==
      "#1 network shop_default, create, networks.default: not there\n"
      "#2 container shop-a-1, create, services.a: no container (after #1)\n"
      "#3 container shop-b-1, create, services.b: no container (after #1)\n"
      "#4 container shop-a-1, start (after #2-3)\n"
      "#5 container shop-a-1, run init with 1 argument, services.a.post_start (after #4)\n"
      "#6 container shop-a-1, wait until it runs or is healthy (after #5)\n"
      "#7 container shop-b-1, start (after #5)\n"
      "#8 container shop-b-1, wait until it runs or is healthy (after #7)\n");
}

BOOST_AUTO_TEST_CASE(configs_and_secrets_with_content_are_copied_before_the_start) {
  Shop shop;
  const std::string text = "services: {web: {image: app:1, configs: [{source: c, target: /etc/c, mode: 0440, uid: "
                           "\"7\"}]}}\nconfigs: {c: {content: one}}";
  BOOST_TEST(shop.text(text) == "#1 network shop_default, create, networks.default: not there\n"
                                "#2 container shop-web-1, create, services.web: no container (after #1)\n"
                                "#3 container shop-web-1, write /etc/c, config or secret (after #2)\n"
                                "#4 container shop-web-1, start (after #3)\n"
                                "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n");
  const Plan plan = shop.plan(text);
  const auto& file = std::get<WriteFile>(plan.steps.at(2).action);

  BOOST_TEST(file.content == "one");
  BOOST_TEST(file.mode == 0440U);
  BOOST_TEST(file.uid == 7);
}

BOOST_AUTO_TEST_CASE(eighteen_services_two_changed_make_two_new_containers) {
  std::string before = "services:\n";
  std::string after = before;
  for (int i = 0; i < 18; ++i) {
    const std::string name = "  s" + std::to_string(i) + ": {image: app:";
    const std::string rest = i > 0 ? ", depends_on: [s" + std::to_string(i / 2) + "]}\n" : "}\n";
    before += name + "1" + rest;
    after += name + (i == 5 || i == 11 ? "2" : "1") + rest;
  }
  Shop shop;
  shop.up(before);

  const Plan plan = shop.plan(after);
  std::vector<std::string> created;
  for (const Step& step : plan.steps)
    if (std::holds_alternative<CreateContainer>(step.action)) created.push_back(step.resource);

  BOOST_TEST(created == (std::vector<std::string>{"container shop-s5-1", "container shop-s11-1"}),
             boost::test_tools::per_element());
  BOOST_TEST(plan.steps.size() == 14U);
}

BOOST_AUTO_TEST_SUITE_END()
