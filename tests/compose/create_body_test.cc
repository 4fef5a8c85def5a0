// What a service asks of the engine. That docker compose asks the same is the business of corpus_test.cc: NAME.create.
#include "base/error.h"
#include "compose/create_body.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(create_bodies)

namespace {

Project load(const std::string& text) {
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.standard_input = text;
  return load_project(options);
}

CreateBody body_of(const std::string& service, const CreateContext& context = {}) {
  const Project project = load("services: {web: {image: app, " + service + "}}\nnetworks: {back: }\nconfigs: {c: {content: x}}");
  return create_body(project, project.services.at(0), context);
}

std::string refusal(const std::string& service, const CreateContext& context = {}) {
  try {
    body_of(service, context);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_plain_service_asks_for_little) {
  const CreateBody created = body_of("command: run");

  BOOST_TEST(created.name == "shop-web-1");
  BOOST_TEST(
      created.body->dump() ==
      R"({"AttachStderr":true,"AttachStdout":true,"Cmd":["run"],"HostConfig":{"NetworkMode":"shop_default","OomKillDisable":false},)"
      R"("Image":"app","NetworkingConfig":{"EndpointsConfig":{"shop_default":{"Aliases":["shop-web-1","web"]}}}})");
}

BOOST_AUTO_TEST_CASE(an_old_engine_joins_further_networks_later) {
  const std::string service = "networks: {default: {priority: 1}, back: {aliases: [x]}}";

  const CreateBody old_body = body_of(service, {.api_minor = 41});
  const CreateBody new_body = body_of(service, {.api_minor = 44});

  BOOST_TEST((*old_body.body)["NetworkingConfig"]["EndpointsConfig"].size() == 1U);
  BOOST_REQUIRE_EQUAL(old_body.later_networks.size(), 1U);
  BOOST_TEST(old_body.later_networks[0].network == "shop_back");
  BOOST_TEST(old_body.later_networks[0].endpoint->dump() == R"({"Aliases":["shop-web-1","web","x"]})");
  BOOST_TEST((*new_body.body)["NetworkingConfig"]["EndpointsConfig"].size() == 2U);
  BOOST_TEST(new_body.later_networks.empty());
}

BOOST_AUTO_TEST_CASE(an_address_in_a_network_to_come_is_asked_for_later) {
  const std::string address = "back: {ipv4_address: 10.9.2.7, gw_priority: 3}";
  const std::string full = R"({"Aliases":["shop-web-1","web"],"GwPriority":3,"IPAMConfig":{"IPv4Address":"10.9.2.7"}})";
  const CreateContext context{.api_minor = 48, .changed_networks = {"back"}};

  const CreateBody first = body_of("networks: {" + address + "}", context);
  const CreateBody further = body_of("networks: {default: {priority: 1}, " + address + "}", context);
  const CreateBody beside = body_of("networks: {default: {ipv4_address: 10.9.1.7}, back: }", context);

  BOOST_TEST((*first.body)["NetworkingConfig"]["EndpointsConfig"].dump() == R"({"shop_back":{"Aliases":["shop-web-1","web"],"GwPriority":3}})");
  BOOST_REQUIRE_EQUAL(first.later_networks.size(), 1U);
  BOOST_TEST(first.later_networks[0].is_left_first);
  BOOST_TEST(first.later_networks[0].endpoint->dump() == full);
  BOOST_TEST(!(*further.body)["NetworkingConfig"]["EndpointsConfig"].contains("shop_back"));
  BOOST_REQUIRE_EQUAL(further.later_networks.size(), 1U);
  BOOST_TEST(!further.later_networks[0].is_left_first);
  BOOST_TEST(further.later_networks[0].endpoint->dump() == full);
  BOOST_TEST(beside.later_networks.empty());
}

BOOST_AUTO_TEST_CASE(what_an_engine_cannot_do_is_refused) {
  BOOST_TEST(refusal("healthcheck: {test: x, start_period: 1s, start_interval: 1s}", {.api_minor = 41}) ==
             "service web: healthcheck.start_interval needs an engine with API 1.44 or later");
  BOOST_TEST(refusal("networks: {back: {interface_name: eth7}}", {.api_minor = 48}) ==
             "service web: interface_name needs an engine with API 1.49 or later");
  BOOST_TEST(refusal("volumes: [{type: image, source: files, target: /f}]", {.api_minor = 47}) ==
             "service web: a mounted image needs an engine with API 1.48 or later");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_refused) {
  BOOST_TEST(refusal("healthcheck: {test: x, start_interval: 1s}") ==
             "service web: healthcheck.start_interval needs healthcheck.start_period");
  BOOST_TEST(refusal("security_opt: [alone]") == "service web: security_opt \"alone\" is not key=value");
  BOOST_TEST(refusal("security_opt: [\"seccomp:./p.json\"]") == "service web: cannot open seccomp profile ./p.json");
  BOOST_TEST(refusal("read_only: true, configs: [c]") == "service web is read-only: c cannot be copied into it, use `file`");
}

BOOST_AUTO_TEST_CASE(the_context_wins_over_what_the_service_says) {
  const CreateBody created = body_of("labels: {a: own, b: own}, environment: {HTTP_PROXY: own}, volumes: [/cache]",
                                     {.image = "app@sha256:0",
                                      .labels = {{"b", "given"}},
                                      .proxy_environment = {{"HTTP_PROXY", "x"}, {"NO_PROXY", "y"}},
                                      .anonymous_volumes = {{"/cache", "0123"}, {"/from-image", "4567"}}});

  BOOST_TEST((*created.body)["Image"] == "app@sha256:0");
  BOOST_TEST((*created.body)["Labels"].dump() == R"({"a":"own","b":"given"})");
  BOOST_TEST((*created.body)["Env"].dump() == R"(["HTTP_PROXY=own","NO_PROXY=y"])");
  BOOST_TEST((*created.body)["HostConfig"]["Mounts"].dump() ==
             R"([{"Source":"0123","Target":"/cache","Type":"volume"},{"Source":"4567","Target":"/from-image","Type":"volume"}])");
}

BOOST_AUTO_TEST_CASE(labels_are_those_of_docker_compose) {
  const Project project = load("services: {web: {image: app, depends_on: [db]}, db: {image: db}}");

  const TextMap labels = compose_labels(project, project.services.at(1), 2, "0123", "2.40.3");

  BOOST_TEST(labels.at("com.docker.compose.depends_on") == "db:service_started:false");
  BOOST_TEST(labels.at("com.docker.compose.container-number") == "2");
  BOOST_TEST(labels.at("com.docker.compose.project.working_dir") == "/srv/shop");
  BOOST_TEST(labels.size() == 9U);
}

BOOST_AUTO_TEST_SUITE_END()
