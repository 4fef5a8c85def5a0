// What `drover down`, `stop`, `start` and `restart` would do to a project, by text.
#include "base/error.h"
#include "compose/companions.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(companions)

namespace {

Project load(const std::string& text) {
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.standard_input = text;
  options.resources = Resources::all;
  return load_project(options);
}

// web needs api, which restarts with db; cache is alone.
const char* const shop = R"(
services:
  db: {image: app}
  api: {image: app, depends_on: {db: {condition: service_healthy, restart: true}}}
  web: {image: app, depends_on: [api]}
  cache: {image: app}
)";

engine::ContainerDetails container(const std::string& service, const std::string& status = "running", int number = 1) {
  const std::string name = "shop-" + service + "-" + std::to_string(number);
  engine::ContainerDetails details;
  details.id = "id-" + name;
  details.name = name;
  details.state.status = status;
  details.state.is_running = status == "running" || status == "paused" || status == "restarting";
  details.state.is_paused = status == "paused";
  details.config.labels = {{"com.docker.compose.project", "shop"},
                           {"com.docker.compose.service", service},
                           {"com.docker.compose.oneoff", "False"},
                           {"com.docker.compose.container-number", std::to_string(number)}};
  details.network_settings.networks["shop_default"] = {};
  return details;
}

engine::ContainerDetails one_off(const std::string& service, const std::string& status) {
  engine::ContainerDetails details = container(service, status);
  details.name = "shop-" + service + "-run-1";
  details.id = "id-" + details.name;
  details.config.labels["com.docker.compose.oneoff"] = "True";
  return details;
}

engine::Network network(const std::string& name, const std::string& project = "shop") {
  engine::Network network{.id = "id-" + name, .name = name};
  if (!project.empty()) network.labels = {{"com.docker.compose.project", project}};
  return network;
}

engine::Volume volume(const std::string& name, const std::string& project = "shop") {
  engine::Volume volume{.name = name};
  if (!project.empty()) volume.labels = {{"com.docker.compose.project", project}};
  return volume;
}

void mount(engine::ContainerDetails& details, const std::string& volume) {
  details.mounts.push_back({.type = "volume", .name = volume});
}

ProjectState all_running() {
  ProjectState state;
  for (const char* service : {"api", "cache", "db", "web"}) state.containers.push_back(container(service));
  state.networks = {network("bridge", ""), network("shop_default"), network("other_default", "other")};
  return state;
}

ProjectState all_stopped() {
  ProjectState state;
  for (const char* service : {"api", "cache", "db", "web"}) state.containers.push_back(container(service, "exited"));
  return state;
}

template <typename Function> std::string refusal(ErrorCode code, const Function& plan) {
  try {
    plan();
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    return error.what();
  }
  return "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(stop_goes_from_dependents_to_dependencies) {
  BOOST_TEST(to_text(plan_stop(load(shop), all_running(), {})) == "#1 container shop-web-1, stop, asked to stop\n"
                                                                  "#2 container shop-cache-1, stop, asked to stop\n"
                                                                  "#3 container shop-api-1, stop, asked to stop (after #1)\n"
                                                                  "#4 container shop-db-1, stop, asked to stop (after #3)\n");
}

BOOST_AUTO_TEST_CASE(stop_of_one_service_leaves_the_others_and_waits_for_nobody) {
  BOOST_TEST(to_text(plan_stop(load(shop), all_running(), {.services = {"db"}})) ==
             "#1 container shop-db-1, stop, asked to stop\n");
}

BOOST_AUTO_TEST_CASE(stop_passes_over_what_does_not_run_but_keeps_the_order_across_it) {
  ProjectState state = all_running();
  state.containers[0] = container("api", "exited");
  state.containers.push_back(container("cache", "paused", 2));

  const Plan plan = plan_stop(load(shop), state, {});

  BOOST_TEST(to_text(plan) == "#1 container shop-web-1, stop, asked to stop\n"
                              "#2 container shop-cache-1, stop, asked to stop\n"
                              "#3 container shop-cache-2, stop, asked to stop\n"
                              "#4 container shop-db-1, stop, asked to stop (after #1)\n");
  BOOST_REQUIRE_EQUAL(plan.services.size(), 4U);
  BOOST_TEST(plan.services[0].service == "api");
  BOOST_TEST(plan.services[0].action == "none");
  BOOST_TEST(plan.services[3].action == "stop");
}

BOOST_AUTO_TEST_CASE(stop_leaves_orphans_and_one_offs_alone) {
  ProjectState state;
  state.containers = {container("gone"), one_off("db", "running")};
  BOOST_TEST(to_text(plan_stop(load(shop), state, {})) == "");
  BOOST_TEST(to_text(plan_stop(load(shop), state, {.services = {"gone"}})) == "#1 container shop-gone-1, stop, asked to stop\n");
}

BOOST_AUTO_TEST_CASE(pre_stop_hooks_run_in_those_that_run) {
  const Project project =
      load("services: {db: {image: app, pre_stop: [{command: [flush]}, {command: [sync, now], environment: {A: b}}]}}");
  ProjectState state;
  state.containers = {container("db"), container("db", "exited", 2), container("db", "paused", 3)};

  const Plan plan = plan_stop(project, state, {});

  BOOST_TEST(to_text(plan) == "#1 container shop-db-1, run flush, services.db.pre_stop\n"
                              "#2 container shop-db-1, run sync with 1 argument, services.db.pre_stop (after #1)\n"
                              "#3 container shop-db-1, stop, asked to stop (after #2)\n"
                              "#4 container shop-db-3, stop, asked to stop\n");
  BOOST_TEST(std::get<RunHook>(plan.steps[1].action).hook.environment.at("A").value() == "b");
}

BOOST_AUTO_TEST_CASE(a_timeout_is_for_every_stop) {
  for (const Step& step : plan_stop(load(shop), all_running(), {.timeout = std::chrono::seconds(3)}).steps) {
    BOOST_TEST((std::get<StopContainer>(step.action).timeout == std::chrono::seconds(3)));
  }
}

BOOST_AUTO_TEST_CASE(start_goes_from_dependencies_to_dependents_and_waits_for_conditions) {
  BOOST_TEST(to_text(plan_start(load(shop), all_stopped(), {})) ==
             "#1 container shop-db-1, start, it is exited\n"
             "#2 container shop-db-1, wait until healthy, a dependency that has to be healthy (after #1)\n"
             "#3 container shop-api-1, start, it is exited (after #2)\n"
             "#4 container shop-cache-1, start, it is exited\n"
             "#5 container shop-web-1, start, it is exited (after #3)\n");
}

BOOST_AUTO_TEST_CASE(start_of_one_service_starts_what_it_needs) {
  ProjectState state = all_stopped();
  state.containers[2] = container("db", "running");
  BOOST_TEST(to_text(plan_start(load(shop), state, {.services = {"api"}})) ==
             "#1 container shop-db-1, wait until healthy, a dependency that has to be healthy\n"
             "#2 container shop-api-1, start, it is exited (after #1)\n");
}

BOOST_AUTO_TEST_CASE(start_runs_post_start_hooks_and_replicas_in_turn) {
  const Project project =
      load("services: {db: {image: app, scale: 2, post_start: [{command: [warm]}]}, web: {image: app, depends_on: [db]}}");
  ProjectState state;
  state.containers = {container("db", "created", 2), container("db", "exited", 1), container("web", "exited")};
  BOOST_TEST(to_text(plan_start(project, state, {.waits = true})) ==
             "#1 container shop-db-1, start, it is exited\n"
             "#2 container shop-db-1, run warm, services.db.post_start (after #1)\n"
             "#3 container shop-db-2, start, it is created (after #2)\n"
             "#4 container shop-db-2, run warm, services.db.post_start (after #3)\n"
             "#5 container shop-web-1, start, it is exited (after #4)\n"
             "#6 container shop-db-1, wait until it runs or is healthy, --wait (after #4)\n"
             "#7 container shop-db-2, wait until it runs or is healthy, --wait (after #4)\n"
             "#8 container shop-web-1, wait until it runs or is healthy, --wait (after #5)\n");
}

BOOST_AUTO_TEST_CASE(start_writes_configs_with_content_as_they_are_now) {
  const Project project = load(
      "services: {db: {image: app, configs: [c], secrets: [s]}}\nconfigs: {c: {content: hidden}}\nsecrets: {s: {file: ./s}}");
  ProjectState state;
  state.containers = {container("db", "exited")};
  BOOST_TEST(to_text(plan_start(project, state, {})) == "#1 container shop-db-1, write /c, config or secret\n"
                                                        "#2 container shop-db-1, start, it is exited (after #1)\n");
}

BOOST_AUTO_TEST_CASE(start_without_a_container_is_refused) {
  ProjectState state = all_stopped();
  state.containers.erase(state.containers.begin() + 2);
  BOOST_TEST(refusal(ErrorCode::refused, [&] { plan_start(load(shop), state, {}); }) ==
             "service db has no container to start; drover up creates it");
  state = all_stopped();
  state.containers[0] = container("api", "paused");
  BOOST_TEST(refusal(ErrorCode::refused, [&] { plan_start(load(shop), state, {}); }) ==
             "container shop-api-1 is paused; docker unpause shop-api-1 lets it go on");
}

BOOST_AUTO_TEST_CASE(start_does_without_a_dependency_that_is_not_required) {
  const Project project =
      load("services: {db: {image: app}, web: {image: app, depends_on: {db: {condition: service_healthy, required: false}}}}");
  ProjectState state;
  state.containers = {container("web", "exited")};
  BOOST_TEST(to_text(plan_start(project, state, {.services = {"web"}})) == "#1 container shop-web-1, start, it is exited\n");
}

BOOST_AUTO_TEST_CASE(restart_takes_dependents_that_ask_for_it_along) {
  BOOST_TEST(to_text(plan_restart(load(shop), all_running(), {.services = {"db"}})) ==
             "#1 container shop-db-1, restart, asked to restart\n"
             "#2 container shop-db-1, wait until healthy, a dependency that has to be healthy (after #1)\n"
             "#3 container shop-api-1, restart, services.api.depends_on: restart (after #2)\n");
  BOOST_TEST(to_text(plan_restart(load(shop), all_running(), {.services = {"db"}, .with_dependents = false})) ==
             "#1 container shop-db-1, restart, asked to restart\n");
}

BOOST_AUTO_TEST_CASE(restart_of_all_has_only_the_order_of_restarts) {
  BOOST_TEST(to_text(plan_restart(load(shop), all_running(), {})) ==
             "#1 container shop-db-1, restart, asked to restart\n"
             "#2 container shop-db-1, wait until healthy, a dependency that has to be healthy (after #1)\n"
             "#3 container shop-api-1, restart, asked to restart (after #2)\n"
             "#4 container shop-cache-1, restart, asked to restart\n"
             "#5 container shop-web-1, restart, asked to restart\n");
}

BOOST_AUTO_TEST_CASE(an_unknown_service_is_named) {
  BOOST_TEST(refusal(ErrorCode::usage, [&] { plan_stop(load(shop), {}, {.services = {"chache"}}); }) ==
             "no such service: chache; did you mean cache?");
  BOOST_TEST(refusal(ErrorCode::usage, [&] { plan_down(load(shop), {}, {.services = {"zzz"}}); }) == "no such service: zzz");
}

BOOST_AUTO_TEST_CASE(down_stops_in_order_and_removes_containers_then_networks) {
  ProjectState state = all_running();
  state.containers[1] = container("cache", "exited");
  state.volumes = {volume("shop_data"), volume("other_data", "other"), volume("loose", "")};
  BOOST_TEST(to_text(plan_down(load(shop), state, {})) ==
             "#1 container shop-web-1, stop, asked to take down\n"
             "#2 container shop-web-1, remove, asked to take down (after #1) (destructive)\n"
             "#3 container shop-cache-1, remove, asked to take down (destructive)\n"
             "#4 container shop-api-1, stop, asked to take down (after #1)\n"
             "#5 container shop-api-1, remove, asked to take down (after #4) (destructive)\n"
             "#6 container shop-db-1, stop, asked to take down (after #4)\n"
             "#7 container shop-db-1, remove, asked to take down (after #6) (destructive)\n"
             "#8 network shop_default, remove, asked to take down (after #2-3, #5, #7)\n"
             "note: kept: volume shop_data; --volumes removes it\n");
}

BOOST_AUTO_TEST_CASE(volumes_go_when_asked_and_each_is_named) {
  ProjectState state;
  state.containers = {container("db"), container("cache"), one_off("db", "running")};
  const std::string anonymous(64, 'a');
  mount(state.containers[0], "shop_data");
  mount(state.containers[0], anonymous);
  mount(state.containers[0], "loose");
  mount(state.containers[2], "shop_shared");
  state.volumes = {volume(anonymous, ""), volume("shop_data"), volume("shop_lent"), volume("shop_shared"), volume("loose", "")};

  const Plan plan = plan_down(load(shop), state, {.remove_volumes = true, .volume_users = {{"shop_lent", "backup"}}});

  BOOST_TEST(to_text(plan) == "#1 container shop-cache-1, stop, asked to take down\n"
                              "#2 container shop-cache-1, remove, asked to take down (after #1) (destructive)\n"
                              "#3 container shop-db-1, stop, asked to take down\n"
                              "#4 container shop-db-1, remove, asked to take down (after #3) (destructive)\n"
                              "#5 volume shop_data, remove, --volumes (after #4) (destructive)\n"
                              "note: anonymous volume " +
                                  anonymous +
                                  " of container shop-db-1 is removed with it\n"
                                  "note: volume shop_lent stays: container backup uses it\n"
                                  "note: volume shop_shared stays: container shop-db-run-1 uses it\n");
  BOOST_TEST(std::get<RemoveContainer>(plan.steps[3].action).with_anonymous_volumes);
}

// The engine removes with a container only what it mounts without a name.
BOOST_AUTO_TEST_CASE(anonymous_volumes_that_were_carried_over_get_steps_of_their_own) {
  const std::string carried(64, 'a'), bound(64, 'b'), shared(64, 'c'), lent(64, 'd'), declared(64, 'e');
  ProjectState state;
  state.containers = {container("db", "exited"), one_off("db", "running")};
  for (const std::string& name : {carried, shared, lent, declared}) {
    mount(state.containers[0], name);
    state.containers[0].host_config.mounts.push_back({.type = "volume", .source = name, .target = "/" + name});
  }
  mount(state.containers[0], bound);
  state.containers[0].host_config.binds = {bound + ":/bound:rw"};
  mount(state.containers[1], shared);
  for (const std::string& name : {carried, bound, shared, lent, declared}) state.volumes.push_back(volume(name, ""));
  const Project project = load("services: {db: {image: app}}\nvolumes: {v: {external: true, name: " + declared + "}}");

  const Plan plan = plan_down(project, state, {.remove_volumes = true, .volume_users = {{lent, "backup"}}});

  BOOST_TEST(to_text(plan) == "#1 container shop-db-1, remove, asked to take down (destructive)\n"
                              "#2 volume " + carried + ", remove, --volumes (after #1) (destructive)\n"
                              "#3 volume " + bound + ", remove, --volumes (after #1) (destructive)\n"
                              "note: volume " + shared + " stays: container shop-db-run-1 uses it\n"
                              "note: volume " + lent + " stays: container backup uses it\n"
                              "note: volume " + declared + " stays: it is mounted by its name\n");
}

BOOST_AUTO_TEST_CASE(external_networks_and_volumes_stay_whatever_their_labels_say) {
  const Project project = load("services: {db: {image: app}}\nnetworks: {n: {external: true, name: shared}}\nvolumes: {v: "
                               "{external: true, name: precious}}");
  ProjectState state;
  state.networks = {network("shared")};
  state.volumes = {volume("precious")};
  BOOST_TEST(to_text(plan_down(project, state, {.remove_volumes = true})) == "");
}

BOOST_AUTO_TEST_CASE(orphans_go_only_when_asked) {
  ProjectState state;
  state.containers = {container("db"), container("gone"), one_off("db", "exited"), one_off("api", "running")};
  state.networks = {network("shop_default")};
  BOOST_TEST(to_text(plan_down(load(shop), state, {})) ==
             "#1 container shop-db-1, stop, asked to take down\n"
             "#2 container shop-db-1, remove, asked to take down (after #1) (destructive)\n"
             "note: kept: shop-gone-1, shop-db-run-1, of no service in the files; --remove-orphans removes them\n"
             "note: network shop_default stays: shop-api-run-1, shop-db-run-1, shop-gone-1 are in it\n");
  BOOST_TEST(to_text(plan_down(load(shop), state, {.remove_orphans = true})) ==
             "#1 container shop-db-1, stop, asked to take down\n"
             "#2 container shop-db-1, remove, asked to take down (after #1) (destructive)\n"
             "#3 container shop-gone-1, stop, orphan: no service gone in the files\n"
             "#4 container shop-gone-1, remove, orphan: no service gone in the files (after #3) (destructive)\n"
             "#5 container shop-db-run-1, remove, a one-off container that has ended (destructive)\n"
             "note: network shop_default stays: shop-api-run-1 is in it\n");
}

BOOST_AUTO_TEST_CASE(services_of_profiles_that_are_off_stay_unless_named) {
  const Project project = load("services: {db: {image: app}, tool: {image: app, profiles: [x]}}");
  ProjectState state;
  state.containers = {container("tool")};
  BOOST_TEST(to_text(plan_down(project, state, {.remove_orphans = true})) == "");
  BOOST_TEST(to_text(plan_down(project, state, {.services = {"tool"}})) ==
             "#1 container shop-tool-1, stop, asked to take down\n"
             "#2 container shop-tool-1, remove, asked to take down (after #1) (destructive)\n");
}

BOOST_AUTO_TEST_CASE(somebody_elses_container_keeps_a_network) {
  ProjectState state;
  state.networks = {network("shop_default")};
  state.networks[0].members = {{.container_id = "x", .name = "proxy"}};
  BOOST_TEST(to_text(plan_down(load(shop), state, {})) == "note: network shop_default stays: proxy is in it\n");
}

BOOST_AUTO_TEST_CASE(down_of_one_service_keeps_what_the_others_use) {
  BOOST_TEST(to_text(plan_down(load(shop), all_running(), {.services = {"cache"}})) ==
             "#1 container shop-cache-1, stop, asked to take down\n"
             "#2 container shop-cache-1, remove, asked to take down (after #1) (destructive)\n"
             "note: network shop_default stays: shop-api-1, shop-db-1, shop-web-1 are in it\n");
}

BOOST_AUTO_TEST_CASE(labels_alone_tell_the_order) {
  ProjectState state = all_running();
  state.containers[3].config.labels["com.docker.compose.depends_on"] = "api:service_healthy:false,db:service_started:true";
  state.containers[0].config.labels["com.docker.compose.depends_on"] =
      "db:service_started:false,web:service_started:false";  // a cycle is cut

  const Project project = project_from_labels("shop", state);

  BOOST_TEST(to_text(plan_stop(project, state, {})) == "#1 container shop-cache-1, stop, asked to stop\n"
                                                       "#2 container shop-api-1, stop, asked to stop\n"
                                                       "#3 container shop-web-1, stop, asked to stop (after #2)\n"
                                                       "#4 container shop-db-1, stop, asked to stop (after #2-3)\n");
  BOOST_TEST(to_text(plan_restart(project, state, {.services = {"db"}})) ==
             "#1 container shop-db-1, restart, asked to restart\n"
             "#2 container shop-web-1, restart, services.web.depends_on: restart (after #1)\n");
}

BOOST_AUTO_TEST_CASE(nothing_there_is_nothing_to_do) {
  BOOST_TEST(is_empty(plan_down(load(shop), {}, {.remove_orphans = true, .remove_volumes = true})));
  BOOST_TEST(is_empty(plan_stop(project_from_labels("shop", {}), {}, {})));
}

BOOST_AUTO_TEST_SUITE_END()
