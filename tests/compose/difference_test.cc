// What a container is against what the model asks for. That a container which the engine just made has no differences is the business of the
// integration test of up.
#include "compose/difference.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <functional>

using namespace drover;
using namespace drover::compose;
using Json = nlohmann::json;

BOOST_AUTO_TEST_SUITE(differences)

namespace {

CreateBody body_of(const std::string& service, int api_minor = 44) {
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.standard_input = "services: {web: {image: app, " + service + "}}\nnetworks: {back: }\nvolumes: {data: }";
  const Project project = load_project(options);
  return create_body(project, project.services.at(0), {.api_minor = api_minor});
}

engine::ContainerConfig image_config() {
  return engine::parse_container_config({{"Env", {"PATH=/bin", "LEVEL=1"}}, {"Cmd", {"serve"}}, {"Entrypoint", {"/init"}}, {"WorkingDir", "/app"},
                                         {"Labels", {{"maker", "us"}}}, {"ExposedPorts", {{"80/tcp", Json::object()}}},
                                         {"Healthcheck", {{"Test", {"CMD", "probe"}}, {"Interval", 5000000000}}}});
}

// As GET /containers/{id}/json tells of a container that runs and was made of `body`, with what the engine adds.
Json inspect_of(const CreateBody& created) {
  const Json& body = *created.body;
  Json config = body;
  config.erase("HostConfig");
  config.erase("NetworkingConfig");
  const Json defaults = {{"Env", Json::array()}, {"Cmd", {"serve"}}, {"Entrypoint", {"/init"}}, {"WorkingDir", "/app"}, {"Labels", {{"maker", "us"}}},
                         {"ExposedPorts", {{"80/tcp", Json::object()}}}, {"Healthcheck", {{"Test", {"CMD", "probe"}}, {"Interval", 5000000000}}}};
  for (const auto& [key, value] : defaults.items())
    if (!config.contains(key)) config[key] = value;
  config["Env"].push_back("PATH=/bin");
  if (config["Env"].dump().find("LEVEL=") == std::string::npos) config["Env"].push_back("LEVEL=1");
  if (!config["Healthcheck"].contains("Interval")) config["Healthcheck"]["Interval"] = 5000000000;
  config["Labels"]["maker"] = "us";
  config["Labels"]["com.docker.compose.project"] = "shop";
  if (!config.contains("Hostname")) config["Hostname"] = "0123456789ab";
  Json host = body["HostConfig"];
  const Json own = host;
  host = {{"CgroupnsMode", "private"}, {"Runtime", "runc"}, {"LogConfig", {{"Type", "json-file"}}}, {"CpuShares", 0}, {"OomScoreAdj", 0},
          {"Devices", Json::array()}, {"ShmSize", 67108864}, {"IpcMode", "private"}};
  host.merge_patch(own);
  if (host.contains("Memory") && !host.contains("MemorySwap")) host["MemorySwap"] = host["Memory"].get<std::int64_t>() * 2;
  Json endpoints = body.value("/NetworkingConfig/EndpointsConfig"_json_pointer, Json::object());
  for (const LaterNetwork& later : created.later_networks) endpoints[later.network] = *later.endpoint;
  for (auto& [name, endpoint] : endpoints.items()) {
    endpoint["NetworkID"] = "id of " + name;
    endpoint["IPAddress"] = endpoint.value("/IPAMConfig/IPv4Address"_json_pointer, "172.18.0.9");
    endpoint["Aliases"].push_back("0123456789ab");
  }
  return {{"Id", "0123456789abcdef"}, {"Name", "/shop-web-1"}, {"State", {{"Status", "running"}, {"Running", true}}}, {"Config", config}, {"HostConfig", host},
          {"NetworkSettings", {{"Networks", endpoints}}}};
}

std::vector<engine::Network> networks() {
  return {{.id = "id of shop_default", .name = "shop_default"}, {.id = "id of shop_back", .name = "shop_back"}};
}

std::string differences_of(const std::string& service, const std::function<void(Json&)>& change, int api_minor = 44) {
  const CreateBody body = body_of(service, api_minor);
  Json inspect = inspect_of(body);
  change(inspect);
  std::string text;
  for (const Difference& difference : find_differences(body, image_config(), *engine::parse_container_details(inspect), networks()))
    text += to_text(difference) + "\n";
  return text;
}

void nothing(Json&) {}

struct Row {
  const char* service;
  std::function<void(Json&)> change;
  const char* differences;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_container_as_it_was_made_has_none) {
  for (const char* service : {
           "command: run", "environment: {LEVEL: 2, TZ: UTC}", "ports: [\"127.0.0.1:8080:80\", \"53:53/udp\"]", "volumes: [\"data:/data\", \"/srv/x:/x:ro\"]",
           "networks: {default: {aliases: [a]}, back: {ipv4_address: 10.1.2.3}}", "mem_limit: 64m, pids_limit: 10, cpus: 0.5, restart: always",
           "cap_add: [NET_ADMIN], sysctls: {net.core.somaxconn: 1024}, tmpfs: [\"/tmp:size=1m\"]", "healthcheck: {test: [CMD, other], retries: 2}",
           "network_mode: host", "labels: {a: b}, hostname: web, user: \"1:1\", stop_grace_period: 30s, logging: {driver: local}"}) {
    BOOST_TEST_CONTEXT(service) {
      BOOST_TEST(differences_of(service, nothing) == "");
      BOOST_TEST(differences_of(service, nothing, 41) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_changed_under_the_label_is_told) {
  const Row rows[] = {
      {"mem_limit: 64m", [](Json& j) { j["HostConfig"]["Memory"] = 1024; }, "mem_limit: 1024 instead of 67108864\n"},
      {"mem_limit: 64m", [](Json& j) { j["HostConfig"].erase("Memory"); }, "mem_limit: 67108864 is missing\n"},
      {"restart: always", [](Json& j) { j["HostConfig"]["RestartPolicy"]["Name"] = "no"; }, "restart: no instead of always\n"},
      {"cpus: 0.5", [](Json& j) { j["HostConfig"]["NanoCpus"] = 0; }, "cpus: 500000000 is missing\n"},
      {"user: app", [](Json& j) { j["Config"]["User"] = "root"; }, "user: root instead of app\n"},
      {"environment: {KEY: secret}", [](Json& j) { j["Config"]["Env"] = {"KEY=other", "PATH=/bin", "LEVEL=1"}; }, "environment.KEY: another value instead of set\n"},
      {"command: run", [](Json& j) { j["Config"]["Env"].push_back("MORE=secret"); }, "environment.MORE: set should not be there\n"},
      {"volumes: [\"data:/data\"]", [](Json& j) { j["HostConfig"]["Binds"] = {"other:/data:rw"}; }, "volumes: volume:other:/data:rw instead of volume:shop_data:/data:rw\n"},
      {"volumes: [\"data:/data\", \"/srv/x:/x:ro,z\"]",
       [](Json& j) {
         j["HostConfig"]["Binds"] = {"/srv/x:/x:ro"};
         j["HostConfig"]["Mounts"] = {{{"Type", "volume"}, {"Source", "shop_data"}, {"Target", "/data"}, {"VolumeOptions", Json::object()}}};
       },
       ""},
      {"networks: {back: {aliases: [db]}}", [](Json& j) { j["NetworkSettings"]["Networks"]["shop_back"]["Aliases"] = {"shop-web-1", "web"}; },
       "networks.shop_back.aliases: db is missing\n"},
      {"networks: {back: {ipv4_address: 10.1.2.3}}", [](Json& j) { j["NetworkSettings"]["Networks"]["shop_back"]["IPAddress"] = "10.1.2.4"; },
       "networks.shop_back.ipv4_address: 10.1.2.4 instead of 10.1.2.3\n"},
      {"networks: [back]", [](Json& j) { j["NetworkSettings"]["Networks"].clear(); }, "networks.shop_back: connected is missing\n"},
      {"networks: [back]", [](Json& j) { j["NetworkSettings"]["Networks"]["bridge"] = Json::object(); }, "networks.bridge: connected should not be there\n"},
      {"networks: [back]", [](Json& j) { j["NetworkSettings"]["Networks"]["shop_back"]["NetworkID"] = "gone"; },
       "networks.shop_back: network gone instead of network id of shop_b\n"},
      {"entrypoint: [own]", [](Json& j) { j["Config"]["Cmd"] = nullptr; }, ""},
      {"command: run", [](Json& j) { j["Config"]["Healthcheck"]["Test"] = {"NONE"}; }, "healthcheck.test: another value instead of set\n"},
      {"command: [run, --token=secret]", [](Json& j) { j["Config"]["Cmd"] = {"run", "--token=other"}; }, "command: another value instead of set\n"},
      {"command: [run, --token=secret]", [](Json& j) { j["Config"]["Cmd"] = nullptr; }, "command: set is missing\n"},
      {"entrypoint: [own, secret]", [](Json& j) { j["Config"]["Entrypoint"] = {"own", "other"}, j["Config"]["Cmd"] = nullptr; }, "entrypoint: another value instead of set\n"},
      {"entrypoint: [own]", [](Json& j) { j["Config"]["Cmd"] = {"secret"}; }, "command: set should not be there\n"},
      {"labels: {auth: secret}", [](Json& j) { j["Config"]["Labels"]["auth"] = "other"; }, "labels.auth: another value instead of set\n"},
      {"labels: {auth: secret}", [](Json& j) { j["Config"]["Labels"].erase("auth"); }, "labels.auth: set is missing\n"},
      {"labels: {a: b}", [](Json& j) { j["Config"]["Labels"]["auth"] = "secret"; }, "labels.auth: set should not be there\n"},
      {"logging: {driver: splunk, options: {splunk-token: secret}}", [](Json& j) { j["HostConfig"]["LogConfig"]["Config"]["splunk-token"] = "other"; },
       "logging.options.splunk-token: another value instead of set\n"},
      {"privileged: true", [](Json& j) { j["HostConfig"]["SecurityOpt"] = {"label=disable"}; }, ""},
  };
  for (const Row& row : rows) BOOST_TEST(differences_of(row.service, row.change) == row.differences, row.service << ": " << differences_of(row.service, row.change));
}

BOOST_AUTO_TEST_SUITE_END()
