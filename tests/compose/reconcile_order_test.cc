// What waits for what: dependencies and their conditions, replicas, shared containers, ports and names that move, start-first.
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_order)

namespace {

// The plan from one text to the next.
std::string change(const std::string& before, const std::string& after, const UpOptions& options = {}) {
  Shop shop;
  shop.up(before);
  return shop.text(after, options);
}

std::string numbered(std::string text, int number) {
  return replace_every(std::move(text), "N", std::to_string(number));
}

// The notes of a recreate of web, with these keys.
std::string start_first_note(const std::string& keys, const std::string& rest = "") {
  const std::string text = "services: {web: {image: app:N, deploy: {update_config: {order: start-first}}" +
                           (keys.empty() ? "" : ", " + keys) + "}" + rest + "}\nvolumes: {vol: }\nnetworks: {back: }";
  Shop shop;
  shop.up(numbered(text, 1));
  const Plan plan = shop.plan(numbered(text, 2));
  return plan.notes.empty() ? "" : plan.notes.front();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_dependent_waits_until_a_new_dependency_is_healthy) {
  const std::string text = "services: {web: {image: app:N, depends_on: {db: {condition: service_healthy}}}, db: {image: db:N, "
                           "healthcheck: {test: x}}}";

  BOOST_TEST(change(numbered(text, 1), numbered(text, 2)) ==
             "#1 container shop-db-1, create as <db:1>_shop-db-1, services.db.image: db:1 -> db:2\n"
             "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#3 container shop-db-1, stop, replaced by #1 (after #1-2)\n"
             "#4 container shop-db-1, start (after #3)\n"
             "#5 container shop-db-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-db-1, rename to shop-db-1-old-<db:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-db-1, rename to shop-db-1 (after #6)\n"
             "#8 container shop-db-1, wait until healthy, services.web.depends_on.db: service_healthy (after #4)\n"
             "#9 container shop-web-1, stop, replaced by #2 (after #8)\n"
             "#10 container shop-web-1, start (after #9)\n"
             "#11 container shop-web-1, wait until it runs or is healthy (after #10)\n"
             "#12 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #10)\n"
             "#13 container shop-web-1, rename to shop-web-1 (after #12)\n"
             "#14 container shop-db-1, remove, replaced by #1 (after #5, #7, #11, #13) (destructive)\n"
             "#15 container shop-web-1, remove, replaced by #2 (after #5, #7, #11, #13) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_dependency_that_is_healthy_is_not_waited_for) {
  const std::string text = "services: {web: {image: app:N, depends_on: {db: {condition: service_healthy}}}, db: {image: db:1, "
                           "healthcheck: {test: x}}}";
  Shop shop;
  shop.up(numbered(text, 1));
  BOOST_TEST(shop.plan(numbered(text, 2)).steps.size() == 7U);

  shop.engine.container("shop-db-1")["State"]["Health"]["Status"] = "starting";
  BOOST_TEST(shop.text(numbered(text, 2)) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#2 container shop-db-1, wait until healthy, services.web.depends_on.db: service_healthy (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #2)\n"
             "#4 container shop-web-1, start (after #3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
             "#8 container shop-web-1, remove, replaced by #1 (after #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_one_shot_has_to_complete_before_its_dependent) {
  BOOST_TEST(
      Shop().text("services: {web: {image: app:1, depends_on: {job: {condition: service_completed_successfully}}}, job: {image: "
                  "job:1}}") ==
      "#1 network shop_default, create, networks.default: not there\n"
      "#2 container shop-job-1, create, services.job: no container (after #1)\n"
      "#3 container shop-web-1, create, services.web: no container (after #1)\n"
      "#4 container shop-job-1, start (after #2-3)\n"
      "#5 container shop-job-1, wait until it runs or is healthy (after #4)\n"
      "#6 container shop-job-1, wait until completed, services.web.depends_on.job: service_completed_successfully (after #4)\n"
      "#7 container shop-web-1, start (after #6)\n"
      "#8 container shop-web-1, wait until it runs or is healthy (after #7)\n");
}

BOOST_AUTO_TEST_CASE(a_dependency_that_is_not_required_only_warns) {
  const std::string text = "services: {web: {image: app:1, depends_on: {db: {condition: service_healthy, required: false}}}, db: "
                           "{image: db:1, healthcheck: {test: x}}}";
  Shop shop;
  for (const Step& step : shop.plan(text).steps)
    if (const auto* wait = std::get_if<Await>(&step.action); wait && wait->until == Await::Until::healthy)
      BOOST_TEST(!wait->is_required);

  BOOST_TEST(shop.plan("services: {web: {image: app:1, depends_on: {db: {condition: service_healthy, required: false}}}, db: "
                       "{image: db:1}}")
                 .notes.front() == "service web waits until db is healthy, and that has no health check: not waited for");
}

BOOST_AUTO_TEST_CASE(a_health_check_of_the_image_counts) {
  Shop shop;
  shop.engine.set_image("db:1", "db", nlohmann::json::parse(R"({"Healthcheck": {"Test": ["CMD", "x"]}})"));
  const std::string text = "services: {web: {image: app:1, depends_on: {db: {condition: service_healthy}}}, db: {image: db:1}}";

  BOOST_TEST(shop.refusal(text) == "none");
  BOOST_TEST(Shop().refusal(text) == "refused: service web waits until db is healthy, and that has no health check; give it one, "
                                     "or say `condition: service_started`");
}

BOOST_AUTO_TEST_CASE(replicas_are_swapped_one_after_the_other) {
  const std::string text = "services: {web: {image: app:N, scale: 2}}";

  BOOST_TEST(
      change(numbered(text, 1), numbered(text, 2)) ==
      "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
      "#2 container shop-web-2, create as <app:1 #2>_shop-web-2, services.web.image: app:1 -> app:2\n"
      "#3 container shop-web-1, stop, replaced by #1 (after #1-2)\n"
      "#4 container shop-web-1, start (after #3)\n"
      "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
      "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
      "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
      "#8 container shop-web-2, stop, replaced by #2 (after #4)\n"
      "#9 container shop-web-2, start (after #8)\n"
      "#10 container shop-web-2, wait until it runs or is healthy (after #9)\n"
      "#11 container shop-web-2, rename to shop-web-2-old-<app:1 #2>, kept until the new one has proved itself (after #9)\n"
      "#12 container shop-web-2, rename to shop-web-2 (after #11)\n"
      "#13 container shop-web-1, remove, replaced by #1 (after #5, #7, #10, #12) (destructive)\n"
      "#14 container shop-web-2, remove, replaced by #2 (after #5, #7, #10, #12) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(more_replicas_get_the_next_numbers) {
  Shop shop;
  shop.up("services: {web: {image: app:1, scale: 3}}");
  shop.engine.stop("shop-web-1");
  shop.engine.remove("shop-web-1");

  BOOST_TEST(shop.text("services: {web: {image: app:1, scale: 3}}") ==
             "#1 container shop-web-4, create, services.web: no container\n"
             "#2 container shop-web-4, start (after #1)\n"
             "#3 container shop-web-4, wait until it runs or is healthy (after #2)\n");
}

BOOST_AUTO_TEST_CASE(fewer_replicas_lose_the_highest_numbers_after_those_that_stay_were_swapped) {
  BOOST_TEST(change("services: {web: {image: app:1, scale: 2, pre_stop: [{command: bye}]}}",
                    "services: {web: {image: app:2, scale: 1, pre_stop: [{command: bye}]}}") ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#2 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-web-1, start (after #2)\n"
             "#4 container shop-web-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-2, run bye, services.web.pre_stop (after #3)\n"
             "#8 container shop-web-2, stop, services.web.scale: 1 (after #7)\n"
             "#9 container shop-web-1, remove, replaced by #1 (after #4, #6, #8) (destructive)\n"
             "#10 container shop-web-2, remove, services.web.scale: 1 (after #4, #6, #8) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(fewer_replicas_lose_those_first_that_differ) {
  Shop shop;
  shop.up("services: {web: {image: app:1, scale: 2}}");
  shop.engine.container("shop-web-1")["Config"]["Labels"]["com.docker.compose.config-hash"] = "other";

  BOOST_TEST(shop.text("services: {web: {image: app:1, scale: 1}}") ==
             "#1 container shop-web-1, stop, services.web.scale: 1\n"
             "#2 container shop-web-1, remove, services.web.scale: 1 (after #1) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_service_that_shares_a_network_is_made_anew_with_its_owner_and_stops_first) {
  const std::string text = "services: {vpn: {image: vpn:N}, web: {image: app:1, network_mode: \"service:vpn\"}}";

  BOOST_TEST(change(numbered(text, 1), numbered(text, 2)) ==
             "#1 container shop-vpn-1, create as <vpn:1>_shop-vpn-1, services.vpn.image: vpn:1 -> vpn:2\n"
             "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web: shares vpn, which is made anew (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #2 (after #2)\n"
             "#4 container shop-vpn-1, stop, replaced by #1 (after #3)\n"
             "#5 container shop-vpn-1, start (after #4)\n"
             "#6 container shop-vpn-1, wait until it runs or is healthy (after #5)\n"
             "#7 container shop-vpn-1, rename to shop-vpn-1-old-<vpn:1>, kept until the new one has proved itself (after #5)\n"
             "#8 container shop-vpn-1, rename to shop-vpn-1 (after #7)\n"
             "#9 container shop-web-1, start (after #5)\n"
             "#10 container shop-web-1, wait until it runs or is healthy (after #9)\n"
             "#11 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #9)\n"
             "#12 container shop-web-1, rename to shop-web-1 (after #11)\n"
             "#13 container shop-vpn-1, remove, replaced by #1 (after #6, #8, #10, #12) (destructive)\n"
             "#14 container shop-web-1, remove, replaced by #2 (after #6, #8, #10, #12) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(the_body_of_a_sharer_names_the_new_container) {
  Shop shop;
  shop.up("services: {vpn: {image: vpn:1}, web: {image: app:1, network_mode: \"service:vpn\", pid: \"service:vpn\", "
          "volumes_from: [\"vpn:ro\"]}}");
  const Plan plan = shop.plan("services: {vpn: {image: vpn:2}, web: {image: app:1, network_mode: \"service:vpn\", pid: "
                              "\"service:vpn\", volumes_from: [\"vpn:ro\"]}}");
  const CreateBody body = std::get<CreateContainer>(plan.steps.at(1).action).body({{1, "4711"}});
  const Project project = load_shop("services: {vpn: {image: vpn:2}, web: {image: app:1, network_mode: \"service:vpn\", pid: "
                                    "\"service:vpn\", volumes_from: [\"vpn:ro\"]}}");

  BOOST_TEST((*body.body)["HostConfig"]["NetworkMode"] == "container:4711");
  BOOST_TEST((*body.body)["HostConfig"]["PidMode"] == "container:4711");
  BOOST_TEST((*body.body)["HostConfig"]["VolumesFrom"].dump() == R"(["4711:ro"])");
  BOOST_TEST((*body.body)["Labels"]["com.docker.compose.config-hash"] ==
             config_hash(project.services.at(1),
                         HashEpoch::compose_2_36,
                         {.network_mode = "container:4711", .pid = "container:4711", .volumes_from = {{"4711"}}}));
}

BOOST_AUTO_TEST_CASE(a_sharer_restarts_when_its_owner_is_started_again) {
  const std::string text = "services: {vpn: {image: vpn:1}, web: {image: app:1, network_mode: \"service:vpn\"}}";
  Shop shop;
  shop.up(text);
  shop.engine.stop("shop-vpn-1");

  BOOST_TEST(shop.text(text) == "#1 container shop-vpn-1, start, it is exited\n"
                                "#2 container shop-web-1, restart, it shares a namespace of vpn, which starts anew (after #1)\n");
}

BOOST_AUTO_TEST_CASE(a_sharer_of_nothing_is_refused) {
  BOOST_TEST(Shop().refusal("services: {vpn: {image: vpn:1, scale: 0}, web: {image: app:1, network_mode: \"service:vpn\"}}") ==
             "refused: service web shares a container of vpn, and there is none");
}

BOOST_AUTO_TEST_CASE(links_have_three_aliases_and_restart_their_service) {
  Shop shop;
  const std::string text =
      "services: {web: {image: app:1, links: [db, \"db:store\"], external_links: [other]}, db: {image: db:N}}";
  const Plan plan = shop.plan(numbered(text, 1));
  const CreateBody body = std::get<CreateContainer>(plan.steps.at(2).action).body({});

  BOOST_TEST(
      (*body.body)["HostConfig"]["Links"].dump() ==
      R"(["shop-db-1:db","shop-db-1:db-1","shop-db-1:shop-db-1","shop-db-1:store","shop-db-1:db-1","shop-db-1:shop-db-1","other:other"])");

  shop.up(numbered(text, 1));
  BOOST_TEST(shop.text(numbered(text, 2)) ==
             "#1 container shop-db-1, create as <db:1>_shop-db-1, services.db.image: db:1 -> db:2\n"
             "#2 container shop-db-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-db-1, start (after #2)\n"
             "#4 container shop-db-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-db-1, rename to shop-db-1-old-<db:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-db-1, rename to shop-db-1 (after #5)\n"
             "#7 container shop-web-1, restart, services.web.depends_on.db.restart (after #3)\n"
             "#8 container shop-db-1, remove, replaced by #1 (after #4, #6-7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_dependent_restarts_after_its_dependency_when_it_says_so) {
  const std::string text = "services: {web: {image: app:1, depends_on: {db: {condition: service_healthy, restart: true}}}, db: "
                           "{image: db:N, healthcheck: {test: x}}}";

  BOOST_TEST(change(numbered(text, 1), numbered(text, 2)) ==
             "#1 container shop-db-1, create as <db:1>_shop-db-1, services.db.image: db:1 -> db:2\n"
             "#2 container shop-db-1, stop, replaced by #1 (after #1)\n"
             "#3 container shop-db-1, start (after #2)\n"
             "#4 container shop-db-1, wait until it runs or is healthy (after #3)\n"
             "#5 container shop-db-1, rename to shop-db-1-old-<db:1>, kept until the new one has proved itself (after #3)\n"
             "#6 container shop-db-1, rename to shop-db-1 (after #5)\n"
             "#7 container shop-db-1, wait until healthy, services.web.depends_on.db: service_healthy (after #3)\n"
             "#8 container shop-web-1, restart, services.web.depends_on.db.restart (after #7)\n"
             "#9 container shop-db-1, remove, replaced by #1 (after #4, #6, #8) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(a_port_that_moves_is_given_up_before_it_is_taken) {
  // b takes the port of a, which depends on b: a stops early, or the two would wait for each other.
  BOOST_TEST(change("services: {a: {image: app:1, ports: [\"80:80\"], depends_on: [b]}, b: {image: app:1}}",
                    "services: {a: {image: app:1, depends_on: [b]}, b: {image: app:1, ports: [\"80:80\"]}}") ==
             "#1 container shop-b-1, create as <app:1>_shop-b-1, services.b.ports\n"
             "#2 container shop-a-1, create as <app:1>_shop-a-1, services.a.ports\n"
             "#3 container shop-b-1, stop, replaced by #1 (after #1-2)\n"
             "#4 container shop-a-1, stop, replaced by #2 (after #1-2)\n"
             "#5 container shop-b-1, start (after #3-4)\n"
             "#6 container shop-b-1, wait until it runs or is healthy (after #5)\n"
             "#7 container shop-b-1, rename to shop-b-1-old-<app:1>, kept until the new one has proved itself (after #5)\n"
             "#8 container shop-b-1, rename to shop-b-1 (after #7)\n"
             "#9 container shop-a-1, start (after #5)\n"
             "#10 container shop-a-1, wait until it runs or is healthy (after #9)\n"
             "#11 container shop-a-1, rename to shop-a-1-old-<app:1>, kept until the new one has proved itself (after #9)\n"
             "#12 container shop-a-1, rename to shop-a-1 (after #11)\n"
             "#13 container shop-b-1, remove, replaced by #1 (after #6, #8, #10, #12) (destructive)\n"
             "#14 container shop-a-1, remove, replaced by #2 (after #6, #8, #10, #12) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(names_that_change_places_are_both_free_before_they_are_taken) {
  Shop shop;
  shop.up("services: {a: {image: app:1, container_name: x}, b: {image: app:1, container_name: y}}");
  shop.up("services: {a: {image: app:1, container_name: y}, b: {image: app:1, container_name: x}}");

  BOOST_TEST(shop.engine.names() == (std::vector<std::string>{"x running", "y running"}), boost::test_tools::per_element());
  BOOST_TEST(shop.plan("services: {a: {image: app:1, container_name: y}, b: {image: app:1, container_name: x}}").steps.empty());
}

BOOST_AUTO_TEST_CASE(start_first_stops_the_old_one_after_the_gate) {
  const std::string text = "services: {web: {image: app:N, deploy: {update_config: {order: start-first}}}}";

  BOOST_TEST(change(numbered(text, 1), numbered(text, 2)) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#2 container shop-web-1, start (after #1)\n"
             "#3 container shop-web-1, wait until it runs or is healthy (after #2)\n"
             "#4 container shop-web-1, stop, replaced by #1 (after #3)\n"
             "#5 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1 (after #5)\n"
             "#7 container shop-web-1, remove, replaced by #1 (after #6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(start_first_is_not_done_where_it_could_do_harm) {
  const std::string refused = "service web: stopped first in spite of start-first, since ";
  BOOST_TEST(start_first_note("") == "");
  BOOST_TEST(start_first_note("ports: [80]") == "");
  BOOST_TEST(start_first_note("volumes: [\"vol:/data:ro\", \"/etc/x:/x:ro\"]") == "");
  BOOST_TEST(start_first_note("ports: [\"8080:80\"]") == refused + "port 8080 is published");
  BOOST_TEST(start_first_note("networks: {back: {ipv4_address: 10.9.0.7}}") == refused + "it has a fixed address in back");
  BOOST_TEST(start_first_note("networks: {back: {mac_address: \"02:00:00:00:00:01\"}}") ==
             refused + "it has a fixed MAC address in back");
  BOOST_TEST(start_first_note("network_mode: host") == refused + "it shares a namespace (host)");
  BOOST_TEST(start_first_note("pid: host") == refused + "it shares a namespace (host)");
  BOOST_TEST(start_first_note("volumes: [\"vol:/data\"]") == refused + "it alone may write to volume vol");
  BOOST_TEST(start_first_note("volumes: [\"vol:/data\"]", ", other: {image: app:1, volumes: [\"vol:/x\"]}") == "");
  BOOST_TEST(start_first_note("volumes: [/cache]") == refused + "it has a volume of its own at /cache");
  BOOST_TEST(start_first_note("volumes: [\"/srv:/srv\"]") == refused + "it may write to /srv");
  BOOST_TEST(start_first_note("devices: [/dev/fuse]") == refused + "it has devices");
  BOOST_TEST(start_first_note("", ", side: {image: app:1, ipc: \"service:web\"}") == refused + "side shares its container");
}

BOOST_AUTO_TEST_CASE(orphans_are_named_or_stopped_at_once_and_removed_at_the_end) {
  const std::string before = "services: {web: {image: app:1}, old: {image: app:1, ports: [\"80:80\"]}}";
  BOOST_TEST(change(before, "services: {web: {image: app:1}}") ==
             "note: container shop-old-1: the project has no service old; --remove-orphans removes it\n");
  BOOST_TEST(change(before, "services: {web: {image: app:1, ports: [\"80:80\"]}}", {.remove_orphans = true}) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.ports\n"
             "#2 container shop-old-1, stop, the project has no service old (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #1)\n"
             "#4 container shop-web-1, start (after #2-3)\n"
             "#5 container shop-web-1, wait until it runs or is healthy (after #4)\n"
             "#6 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #4)\n"
             "#7 container shop-web-1, rename to shop-web-1 (after #6)\n"
             "#8 container shop-web-1, remove, replaced by #1 (after #5, #7) (destructive)\n"
             "#9 container shop-old-1, remove, the project has no service old (after #5, #7) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(an_orphan_gives_its_name_up) {
  BOOST_TEST(change("services: {old: {image: app:1, container_name: app}}",
                    "services: {web: {image: app:1, container_name: app}}",
                    {.remove_orphans = true}) ==
             "#1 container app, create as <app:1>_app, services.web: no container\n"
             "#2 container app, stop, the project has no service old (after #1)\n"
             "#3 container app, rename to app-old-<app:1>, its name is needed (after #1)\n"
             "#4 container app, start (after #1)\n"
             "#5 container app, wait until it runs or is healthy (after #4)\n"
             "#6 container app, rename to app (after #3-4)\n"
             "#7 container app, remove, the project has no service old (after #2, #5-6) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(one_offs_are_left_alone_unless_they_are_over) {
  Shop shop;
  const std::string text = "services: {web: {image: app:1, scale: 2}}";
  shop.up(text);
  shop.engine.container("shop-web-2")["Config"]["Labels"]["com.docker.compose.oneoff"] = "True";
  shop.engine.rename("shop-web-2", "shop-web-run-0123");
  const std::string less = "services: {web: {image: app:1}}";

  BOOST_TEST(shop.text(less, {.remove_orphans = true}) == "");
  shop.engine.stop("shop-web-run-0123");
  BOOST_TEST(shop.text(less) == "");
  BOOST_TEST(shop.text(less, {.remove_orphans = true}) ==
             "#1 container shop-web-run-0123, remove, a one-off that is over (destructive)\n");
}

BOOST_AUTO_TEST_CASE(services_that_are_switched_off_are_no_orphans) {
  Shop shop;
  shop.up("services: {web: {image: app:1}, tool: {image: app:1}}");

  BOOST_TEST(shop.text("services: {web: {image: app:1}, tool: {image: app:1, profiles: [debug]}}", {.remove_orphans = true}) ==
             "");
}

BOOST_AUTO_TEST_CASE(anonymous_volumes_go_on_unless_they_are_renewed) {
  const auto mounts = [](const UpOptions& options) {
    Shop shop;
    shop.engine.set_image("app:1", "app:1", nlohmann::json::parse(R"({"Volumes": {"/declared": {}}})"));
    shop.up("services: {web: {image: app:1, volumes: [/cache]}}");
    shop.up("services: {web: {image: app:1, volumes: [/cache], tty: true}}", options);
    return shop.engine.volume_names().size();
  };

  BOOST_TEST(mounts({}) == 2U);
  BOOST_TEST(mounts({.renew_anonymous_volumes = true}) == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
