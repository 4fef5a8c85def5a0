// Networks and volumes of a project, and what is refused before anything is touched.
#include "compose/container_recipe.h"
#include "compose/rollback.h"
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_resources)

namespace {

const std::string networks_text =
    "services:\n"
    "  web: {image: app:N, networks: {default: , back: {aliases: [front], ipv4_address: 10.9.0.7}}}\n"
    "  db: {image: db:1, networks: {back: {aliases: [store]}}, depends_on: [web]}\n"
    "networks:\n  back: {enable_ipv6: IPV6, ipam: {config: [{subnet: 10.9.0.0/24}]}}\n";

std::string networks(int image, bool has_ipv6) {
  return replace_every(
      replace_every(networks_text, "app:N", "app:" + std::to_string(image)), "IPV6", has_ipv6 ? "true" : "false");
}

// web is in `back` alone, db in another network first.
const std::string moved_text =
    "services:\n"
    "  web: {image: app:1, networks: {back: {ipv4_address: 10.9.S.7, aliases: [front], link_local_ips: [169.254.8.8], driver_opts: {a: b}}}}\n"
    "  db: {image: db:1, networks: {default: {priority: 1}, back: {ipv4_address: 10.9.S.8, gw_priority: 2}}}\n"
    "networks:\n  back: {ipam: {config: [{subnet: 10.9.S.0/24}]}}\n";

std::string moved(int subnet) {
  return replace_every(moved_text, "10.9.S", "10.9." + std::to_string(subnet));
}

const Step& find_step(const Plan& plan, const std::string& resource, const std::string& operation) {
  for (const Step& step : plan.steps)
    if (step.resource == resource && operation_of(step.action) == operation) return step;
  throw std::runtime_error("no step to " + operation + " " + resource);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_changed_network_is_made_again_with_all_of_its_members) {
  Shop shop;
  shop.up(networks(1, false));

  BOOST_TEST(shop.text(networks(1, true)) ==
             "#1 container shop-web-1, stop, its network is made again\n"
             "#2 container shop-db-1, stop, its network is made again\n"
             "#3 container shop-db-1, disconnect from network shop_back, network shop_back: enable_ipv6 (after #2)\n"
             "#4 container shop-web-1, disconnect from network shop_back, network shop_back: enable_ipv6 (after #1)\n"
             "#5 network shop_back, remove, network shop_back: enable_ipv6 (after #3-4)\n"
             "#6 network shop_back, create, network shop_back: enable_ipv6 (after #5)\n"
             "#7 container shop-db-1, connect to network shop_back, network shop_back: enable_ipv6 (after #6)\n"
             "#8 container shop-web-1, connect to network shop_back, network shop_back: enable_ipv6 (after #6)\n"
             "#9 container shop-web-1, start (after #8)\n"
             "#10 container shop-db-1, start (after #7, #9)\n");
}

BOOST_AUTO_TEST_CASE(members_join_again_with_aliases_and_addresses) {
  Shop shop;
  shop.up(networks(1, false));

  const Plan plan = shop.plan(networks(1, true));
  const auto& web = std::get<ConnectNetwork>(find_step(plan, "container shop-web-1", "connect").action).settings;
  const auto& left = std::get<DisconnectNetwork>(find_step(plan, "container shop-web-1", "disconnect").action).settings;

  BOOST_TEST(web.ipam.ipv4_address == "10.9.0.7");
  BOOST_TEST(web.aliases == (std::vector<std::string>{"shop-web-1", "web", "front"}), boost::test_tools::per_element());
  BOOST_TEST(left.ipam.ipv4_address == "10.9.0.7");
  BOOST_TEST(left.aliases == web.aliases, boost::test_tools::per_element());
  const auto& removal = std::get<RemoveNetwork>(find_step(plan, "network shop_back", "remove").action);
  BOOST_TEST(removal.request.ipam.pools.at(0).subnet == "10.9.0.0/24");
  BOOST_TEST(removal.request.has_ipv6.value() == false);
}

BOOST_AUTO_TEST_CASE(a_swapped_member_leaves_the_old_network_and_starts_in_the_new_one) {
  Shop shop;
  shop.up(networks(1, false));

  BOOST_TEST(shop.text(networks(2, true)) ==
             "#1 container shop-web-1, create as <app:1>_shop-web-1, services.web.image: app:1 -> app:2\n"
             "#2 container shop-web-1, disconnect from network shop_back, its network is made again (after #1)\n"
             "#3 container shop-web-1, stop, replaced by #1 (after #2)\n"
             "#4 container shop-db-1, stop, its network is made again (after #2)\n"
             "#5 container shop-db-1, disconnect from network shop_back, network shop_back: enable_ipv6 (after #4)\n"
             "#6 container shop-web-1, disconnect from network shop_back, network shop_back: enable_ipv6 (after #3)\n"
             "#7 network shop_back, remove, network shop_back: enable_ipv6 (after #5-6)\n"
             "#8 network shop_back, create, network shop_back: enable_ipv6 (after #7)\n"
             "#9 container shop-db-1, connect to network shop_back, network shop_back: enable_ipv6 (after #8)\n"
             "#10 container shop-web-1, connect to network shop_back, network shop_back: enable_ipv6 (after #8)\n"
             "#11 container shop-web-1, start (after #10)\n"
             "#12 container shop-web-1, wait until it runs or is healthy (after #11)\n"
             "#13 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #11)\n"
             "#14 container shop-web-1, rename to shop-web-1 (after #13)\n"
             "#15 container shop-db-1, start (after #9, #11)\n"
             "#16 container shop-web-1, remove, replaced by #1 (after #12, #14-15) (destructive)\n");
}

// An engine holds an address against the pools of the network as it is, not as it will be.
BOOST_AUTO_TEST_CASE(an_address_in_a_subnet_to_come_is_asked_for_once_there_is_one) {
  Shop shop;
  shop.engine.api.minor = 48;
  shop.up(moved(1));

  BOOST_TEST(shop.text(moved(2)) ==
             "#1 container shop-db-1, create as <db:1>_shop-db-1, services.db.networks.shop_back.ipv4_address\n"
             "#2 container shop-web-1, create as <app:1>_shop-web-1, services.web.networks.shop_back.ipv4_address\n"
             "#3 container shop-web-1, disconnect from network shop_back, its network is made again (after #2)\n"
             "#4 container shop-db-1, stop, replaced by #1 (after #1, #3)\n"
             "#5 container shop-web-1, stop, replaced by #2 (after #1, #3)\n"
             "#6 container shop-db-1, disconnect from network shop_back, network shop_back: ipam (after #4)\n"
             "#7 container shop-web-1, disconnect from network shop_back, network shop_back: ipam (after #5)\n"
             "#8 network shop_back, remove, network shop_back: ipam (after #6-7)\n"
             "#9 network shop_back, create, network shop_back: ipam (after #8)\n"
             "#10 container shop-db-1, connect to network shop_back, a further network (after #9)\n"
             "#11 container shop-db-1, start (after #10)\n"
             "#12 container shop-db-1, wait until it runs or is healthy (after #11)\n"
             "#13 container shop-db-1, rename to shop-db-1-old-<db:1>, kept until the new one has proved itself (after #11)\n"
             "#14 container shop-db-1, rename to shop-db-1 (after #13)\n"
             "#15 container shop-web-1, connect to network shop_back, network shop_back: ipam (after #9)\n"
             "#16 container shop-web-1, start (after #15)\n"
             "#17 container shop-web-1, wait until it runs or is healthy (after #16)\n"
             "#18 container shop-web-1, rename to shop-web-1-old-<app:1>, kept until the new one has proved itself (after #16)\n"
             "#19 container shop-web-1, rename to shop-web-1 (after #18)\n"
             "#20 container shop-db-1, remove, replaced by #1 (after #12, #14, #17, #19) (destructive)\n"
             "#21 container shop-web-1, remove, replaced by #2 (after #12, #14, #17, #19) (destructive)\n");
  const Plan plan = shop.up(moved(2));
  BOOST_TEST(shop.text(moved(2)) == "");

  const auto& web = std::get<ConnectNetwork>(find_step(plan, "container shop-web-1", "connect").action).settings;
  BOOST_TEST(web.ipam.ipv4_address == "10.9.2.7");
  BOOST_TEST(web.ipam.link_local_ips == (std::vector<std::string>{"169.254.8.8"}), boost::test_tools::per_element());
  BOOST_TEST(web.aliases == (std::vector<std::string>{"shop-web-1", "web", "front"}), boost::test_tools::per_element());
  BOOST_TEST(web.driver_opts.at("a") == "b");
  const auto& db = std::get<ConnectNetwork>(find_step(plan, "container shop-db-1", "connect").action).settings;
  BOOST_TEST(db.gw_priority.value() == 2);
}

BOOST_AUTO_TEST_CASE(the_way_back_leads_to_the_old_subnet_and_the_old_addresses) {
  Shop shop;
  shop.up(moved(1));
  const Plan plan = shop.plan(moved(2));
  std::vector<StepOutcome> outcomes;
  for (const Step& step : plan.steps) {
    const bool is_last = std::holds_alternative<Await>(step.action);
    outcomes.push_back({.id = step.id, .state = is_last ? StepOutcome::State::failed : StepOutcome::State::done});
    if (std::holds_alternative<CreateContainer>(step.action)) outcomes.back().created_id = std::string(12, 'f') + std::to_string(step.id);
    if (is_last) break;
  }

  const Plan back = plan_rollback(plan, outcomes);

  BOOST_TEST(to_text(back) ==
             "#1 container shop-db-1, stop, undoes #11\n"
             "#2 network shop_back, remove, undoes #9 (after #1)\n"
             "#3 network shop_back, create, undoes #8 (after #2)\n"
             "#4 container shop-web-1, connect to network shop_back, undoes #7 (after #3)\n"
             "#5 container shop-db-1, connect to network shop_back, undoes #6 (after #3)\n"
             "#6 container shop-web-1, start, undoes #5 (after #4)\n"
             "#7 container shop-db-1, start, undoes #4 (after #5)\n"
             "#8 container shop-web-1, remove, undoes #2 (after #6-7)\n"
             "#9 container shop-db-1, remove, undoes #1 (after #6-7)\n");
  const auto& web = std::get<ConnectNetwork>(find_step(back, "container shop-web-1", "connect").action);
  BOOST_TEST(web.settings.ipam.ipv4_address == "10.9.1.7");
  BOOST_TEST(std::get<CreateNetwork>(find_step(back, "network shop_back", "create").action).request.ipam.pools.at(0).subnet == "10.9.1.0/24");
}

BOOST_AUTO_TEST_CASE(one_that_was_made_and_not_yet_taken_out_of_the_old_network_is_made_again) {
  Shop shop;
  shop.up(moved(1));
  const Plan plan = shop.plan(moved(2));
  for (const Step& step : plan.steps)
    if (std::holds_alternative<CreateContainer>(step.action)) shop.engine.apply(step);

  const Plan second = shop.plan(moved(2));

  const std::string made = "container " + shop.short_id_of("shop-web-1") + "_shop-web-1";
  BOOST_TEST(find_step(second, made, "remove").cause == "left by a run that was cut off");
  BOOST_TEST(!find_step(second, "container shop-web-1", "create").is_done);
  BOOST_TEST(find_step(second, "container shop-db-1", "create").is_done);
}

// A MAC address that is asked for at connect is lost at the start (26.1, 28.5).
BOOST_AUTO_TEST_CASE(an_address_beside_a_mac_address_is_asked_for_at_create) {
  Shop shop;
  const auto with_mac = [](std::string text) {
    return replace_every(std::move(text), "link_local_ips: [169.254.8.8]", "mac_address: \"02:42:ac:11:00:09\"");
  };
  shop.up(with_mac(moved(1)));

  const Plan plan = shop.plan(with_mac(moved(2)));
  const Step& create = find_step(plan, "container shop-web-1", "create");
  const CreateBody body = std::get<CreateContainer>(create.action).body({});

  BOOST_TEST(endpoint_of(body, "shop_back")->ipam.ipv4_address == "10.9.2.7");
  BOOST_TEST(body.later_networks.empty());
}

BOOST_AUTO_TEST_CASE(members_that_are_no_service_of_the_files_go_through_it_as_well) {
  Shop shop;
  shop.up(networks(1, false) + "  other: \n");
  shop.up("services: {extra: {image: app:1, networks: [back]}}\nnetworks:\n  back: {enable_ipv6: false, ipam: {config: [{subnet: "
          "10.9.0.0/24}]}}\n");

  const Plan plan = shop.plan(networks(1, true));
  const Step& start = find_step(plan, "container shop-extra-1", "start");

  BOOST_TEST(std::get<ConnectNetwork>(find_step(plan, "container shop-extra-1", "connect").action).settings.aliases.at(1) ==
             "extra");
  BOOST_TEST(start.depends_on.size() == 1U);
  shop.up(networks(1, true));
  BOOST_TEST(shop.plan(networks(1, true)).steps.empty());
}

BOOST_AUTO_TEST_CASE(a_changed_network_with_members_of_others_is_refused) {
  Shop shop;
  shop.up(networks(1, false));
  nlohmann::json body = {{"Image", "app:1"},
                         {"NetworkingConfig", {{"EndpointsConfig", {{"shop_back", nlohmann::json::object()}}}}}};
  shop.engine.add_container("stranger", body);

  BOOST_TEST(shop.refusal(networks(1, true)) == "refused: network shop_back: enable_ipv6: it has to be made again, and stranger, "
                                                "not of this project, would lose it; disconnect that one first "
                                                "(docker network disconnect)");
}

BOOST_AUTO_TEST_CASE(a_network_without_a_hash_never_differs) {
  Shop shop;
  const Project project = load_shop(networks(1, false));
  shop.engine.add_network(
      {.name = "shop_back", .labels = {{"com.docker.compose.project", "shop"}, {"com.docker.compose.network", "back"}}});
  shop.up(networks(1, false));

  BOOST_TEST(shop.text(networks(1, true)) == "");
}

BOOST_AUTO_TEST_CASE(a_network_of_somebody_else_is_used_with_a_note) {
  Shop shop;
  shop.engine.add_network({.name = "shop_default"});

  BOOST_TEST(shop.text("services: {web: {image: app:1}}") ==
             "#1 container shop-web-1, create, services.web: no container\n"
             "#2 container shop-web-1, start (after #1)\n"
             "#3 container shop-web-1, wait until it runs or is healthy (after #2)\n"
             "note: network shop_default was not made for this project: used as it is; `external: true` says that it is meant\n");
}

BOOST_AUTO_TEST_CASE(below_api_1_44_further_networks_are_joined_one_by_one) {
  Shop shop;
  shop.engine.api.minor = 41;

  BOOST_TEST(shop.text(networks(1, false)) ==
             "#1 network shop_back, create, networks.back: not there\n"
             "#2 network shop_default, create, networks.default: not there\n"
             "#3 container shop-web-1, create, services.web: no container (after #1-2)\n"
             "#4 container shop-web-1, connect to network shop_default, a further network (after #3)\n"
             "#5 container shop-db-1, create, services.db: no container (after #1)\n"
             "#6 container shop-web-1, start (after #4-5)\n"
             "#7 container shop-web-1, wait until it runs or is healthy (after #6)\n"
             "#8 container shop-db-1, start (after #6)\n"
             "#9 container shop-db-1, wait until it runs or is healthy (after #8)\n");
  shop.up(networks(1, false));
  BOOST_TEST(shop.text(networks(1, false)) == "");
  shop.up(networks(2, true));
  BOOST_TEST(shop.text(networks(2, true)) == "");
}

BOOST_AUTO_TEST_CASE(a_container_that_was_taken_out_of_its_network_is_replaced) {
  Shop shop;
  shop.up(networks(1, false));
  shop.engine.container("shop-db-1")["NetworkSettings"]["Networks"].erase("shop_back");

  BOOST_TEST(shop.plan(networks(1, false)).steps.front().cause == "services.db.networks: not in shop_back");
}

BOOST_AUTO_TEST_CASE(a_stopped_one_joins_what_it_is_not_in) {
  Shop shop;
  shop.up(networks(1, false));
  shop.engine.stop("shop-db-1");
  shop.engine.container("shop-db-1")["NetworkSettings"]["Networks"].erase("shop_back");

  BOOST_TEST(shop.text(networks(1, false)) ==
             "#1 container shop-db-1, connect to network shop_back, services.db.networks: not in shop_back\n"
             "#2 container shop-db-1, start, it is exited (after #1)\n");
}

BOOST_AUTO_TEST_CASE(a_changed_volume_is_refused_with_the_remedy) {
  Shop shop;
  shop.up("services: {web: {image: app:1, volumes: [vol:/data]}}\nvolumes: {vol: }");

  BOOST_TEST(
      shop.refusal("services: {web: {image: app:1, volumes: [vol:/data]}}\nvolumes: {vol: {driver_opts: {size: \"1\"}}}") ==
      "data_safety: volume shop_vol was made from another definition (driver_opts), and making it again would lose its data; "
      "change volumes.vol back, or give it another name, or save the data (docker run --rm -v shop_vol:/from:ro -v \"$PWD\":/to "
      "busybox tar -C /from -cf /to/shop_vol.tar .), remove the volume by hand (docker volume rm shop_vol) and try again");
}

BOOST_AUTO_TEST_CASE(a_volume_of_somebody_else_is_used_with_a_note) {
  Shop shop;
  shop.engine.add_volume(
      {.name = "shop_vol", .labels = {{"com.docker.compose.project", "inn"}, {"com.docker.compose.volume", "vol"}}});

  BOOST_TEST(shop.plan("services: {web: {image: app:1, volumes: [vol:/data]}}\nvolumes: {vol: }").notes.front() ==
             "volume shop_vol was not made for this project but for inn: used as it is; `external: true` says that it is meant");
}

BOOST_AUTO_TEST_CASE(external_resources_have_to_be_there) {
  const std::string network = "services: {web: {image: app:1, networks: [n]}}\nnetworks: {n: {external: true, name: lan}}";
  const std::string volume = "services: {web: {image: app:1, volumes: [vol:/v]}}\nvolumes: {vol: {external: true}}";
  Shop shop;
  BOOST_TEST(shop.refusal(network) == "refused: network lan is external and not there; create it with docker network create lan");
  BOOST_TEST(shop.refusal(volume) == "refused: volume vol is external and not there; create it with docker volume create vol");

  shop.engine.add_network({.name = "lan"});
  shop.engine.add_volume({.name = "vol"});
  BOOST_TEST(shop.refusal(network) == "none");
  BOOST_TEST(shop.refusal(volume) == "none");
}

BOOST_AUTO_TEST_CASE(new_volumes_beside_full_ones_of_the_same_keys_are_refused) {
  const std::string text = "services: {web: {image: app:1, volumes: [vol:/data]}}\nvolumes: {vol: }";
  const std::map<std::string, std::string> labels = {{"com.docker.compose.project", "inn"}, {"com.docker.compose.volume", "vol"}};
  Shop shop;
  shop.engine.add_volume({.name = "inn_vol", .labels = labels}, 4096);

  BOOST_TEST(shop.refusal(text) == "data_safety: project shop would get new, empty volumes while volume inn_vol of project inn "
                                   "has data under the same key (vol); to go on with it say "
                                   "-p inn or `name: inn`, for new volumes --allow-new-volumes");
  BOOST_TEST(shop.refusal(text, {.allows_new_volumes = true}) == "none");

  shop.engine.add_volume({.name = "inn_vol", .labels = labels}, 0);
  BOOST_TEST(shop.refusal(text) == "none");
}

BOOST_AUTO_TEST_CASE(volumes_of_another_project_that_is_elsewhere_are_no_twins) {
  const std::string text = "services: {web: {image: app:1, volumes: [vol:/data]}}\nvolumes: {vol: }";
  const auto refusal_with = [&](const std::string& directory) {
    Shop shop;
    shop.engine.set_image("app:1", "app:1");
    shop.engine.add_volume(
        {.name = "inn_vol", .labels = {{"com.docker.compose.project", "inn"}, {"com.docker.compose.volume", "vol"}}}, 1);
    shop.engine.add_container(
        "inn-web-1",
        {{"Image", "app:1"},
         {"Labels", {{"com.docker.compose.project", "inn"}, {"com.docker.compose.project.working_dir", directory}}}});
    return shop.refusal(text).substr(0, 11);
  };

  BOOST_TEST(refusal_with("/srv/inn") == "none");
  BOOST_TEST(refusal_with("/srv/shop") == "data_safety");
}

BOOST_AUTO_TEST_CASE(names_of_others_are_not_taken_away) {
  const std::string text = "services: {web: {image: app:1}}";
  Shop shop;
  shop.engine.set_image("app:1", "app:1");
  shop.engine.add_container("shop-web-1", {{"Image", "app:1"}});
  BOOST_TEST(replace_every(shop.refusal(text), shop.short_id_of("shop-web-1"), "ID") ==
             "refused: service web needs the name shop-web-1, which a container that is not of this project (ID) has; rename or "
             "remove that one");

  Shop renamed;
  renamed.up("services: {old: {image: app:1, container_name: app}}");
  BOOST_TEST(renamed.refusal("services: {web: {image: app:1, container_name: app}}") ==
             "refused: service web needs the name app, which a container of service old has; --remove-orphans removes that one");
}

BOOST_AUTO_TEST_CASE(an_image_that_is_not_there_is_refused_before_anything_is_made) {
  ProjectState state;
  state.api = {1, 44};

  BOOST_CHECK_EXCEPTION(reconcile(load_shop("services: {web: {image: app:1}}"), state, {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::refused &&
           std::string(error.what()) == "service web: the engine does not have its image app:1";
  });
}

BOOST_AUTO_TEST_CASE(what_the_engine_cannot_do_is_refused_before_anything_is_made) {
  Shop shop;
  shop.engine.api.minor = 41;

  BOOST_TEST(shop.refusal("services: {web: {image: app:1, healthcheck: {test: x, start_period: 1s, start_interval: 1s}}}") ==
             "unsupported: service web: healthcheck.start_interval needs an engine with API 1.44 or later");
}

BOOST_AUTO_TEST_SUITE_END()
