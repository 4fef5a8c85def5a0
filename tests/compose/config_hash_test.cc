// What the epochs hash, as text. That the hashes are docker compose's own is the business of corpus_test.cc.
#include "compose/config_hash.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover::compose;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(config_hashes)

namespace {

Project load(const std::string& text) {
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.standard_input = text;
  return load_project(options);
}

std::string hashed(const std::string& service, HashEpoch epoch, const SharedContainers& shared = {}) {
  return hashed_text(
      load("services: {db: {image: db}, web: {image: app, " + service + "}}\nvolumes: {data: }\nconfigs: {c: {content: x}}")
          .services.at(1),
      epoch,
      shared);
}

struct Release {
  std::string version;
  std::optional<HashEpoch> epoch;
};

std::ostream& operator<<(std::ostream& out, const Release& release) {
  return out << release.version;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_release_has_an_epoch,
                     data::make(std::vector<Release>{{"2.23.3", std::nullopt},
                                                     {"2.24.0", HashEpoch::compose_2_24},
                                                     {"v2.26.1", HashEpoch::compose_2_24},
                                                     {"2.26.1-4", HashEpoch::debian_2_26_1},
                                                     {"2.29.7", HashEpoch::compose_2_29},
                                                     {"2.33.1", HashEpoch::compose_2_31},
                                                     {"2.40.3", HashEpoch::compose_2_36},
                                                     {"2.40.3-desktop.1", HashEpoch::compose_2_36},
                                                     {"5.0.1", HashEpoch::compose_5_0_0},
                                                     {"5.0.2", HashEpoch::compose_5_0_2},
                                                     {"5.5", HashEpoch::compose_5_0_2},
                                                     {"latest", std::nullopt},
                                                     {"", std::nullopt},
                                                     {"1.2.3.4", std::nullopt}}),
                     release) {
  BOOST_TEST((epoch_of_release(release.version) == release.epoch));
}

BOOST_AUTO_TEST_CASE(build_scale_and_pull_policy_are_not_hashed) {
  BOOST_TEST(
      hashed("build: ., scale: 3, pull_policy: always, profiles: [], deploy: {replicas: 3}", HashEpoch::compose_2_36) ==
      R"({"command":null,"deploy":{"resources":{},"placement":{}},"entrypoint":null,"image":"app","networks":{"default":null}})");
}

BOOST_AUTO_TEST_CASE(dependencies_left_the_hash_with_2_30) {
  BOOST_TEST(
      hashed("depends_on: [db]", HashEpoch::compose_2_29) ==
      R"({"command":null,"depends_on":{"db":{"condition":"service_started","required":true}},"entrypoint":null,"image":"app",)"
      R"("networks":{"default":null}})");
  BOOST_TEST(hashed("depends_on: [db]", HashEpoch::compose_2_30) == hashed("tty: false", HashEpoch::compose_2_30));
}

BOOST_AUTO_TEST_CASE(devices_were_text_before_2_30) {
  BOOST_TEST(hashed("devices: [\"/dev/a:/dev/b\"]", HashEpoch::compose_2_24).find(R"("devices":["/dev/a:/dev/b"])") !=
             std::string::npos);
  BOOST_TEST(hashed("devices: [\"/dev/a:/dev/b\"]", HashEpoch::compose_2_36)
                 .find(R"("devices":[{"source":"/dev/a","target":"/dev/b","permissions":"rwm"}])") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(modes_were_numbers_before_2_34) {
  BOOST_TEST(hashed("configs: [{source: c, mode: 0440}]", HashEpoch::compose_2_31).find(R"("mode":288)") != std::string::npos);
  BOOST_TEST(hashed("configs: [{source: c, mode: 0440}]", HashEpoch::compose_2_34).find(R"("mode":"0440")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(members_of_networks_moved_with_2_36) {
  const std::string service = "networks: {default: {aliases: [x], ipv4_address: 10.0.0.2, priority: 5}}";

  BOOST_TEST(hashed(service, HashEpoch::compose_2_34).find(R"({"priority":5,"aliases":["x"],"ipv4_address":"10.0.0.2"})") !=
             std::string::npos);
  BOOST_TEST(hashed(service, HashEpoch::compose_2_36).find(R"({"aliases":["x"],"ipv4_address":"10.0.0.2","priority":5})") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(create_host_path_turned_around_with_5_0) {
  const auto bind = [](const std::string& volume, HashEpoch epoch) {
    const std::string text = hashed("volumes: [" + volume + "]", epoch);
    const std::size_t start = text.find("\"bind\":");
    return text.substr(start, text.find('}', start) + 1 - start);
  };
  const std::string written_false = "{type: bind, source: /a, target: /b, bind: {create_host_path: false}}";
  const std::string not_written = "\"data:/b:z\"";

  BOOST_TEST(bind("\"/a:/b\"", HashEpoch::compose_2_36) == R"("bind":{"create_host_path":true})");
  BOOST_TEST(bind("\"/a:/b\"", HashEpoch::compose_5_0_0) == R"("bind":{})");
  BOOST_TEST(bind(written_false, HashEpoch::compose_2_36) == R"("bind":{})");
  BOOST_TEST(bind(written_false, HashEpoch::compose_5_0_2) == R"("bind":{"create_host_path":false})");
  BOOST_TEST(bind(not_written, HashEpoch::compose_2_36) == R"("bind":{"selinux":"z"})");
  BOOST_TEST(bind(not_written, HashEpoch::compose_5_0_0) == R"("bind":{"selinux":"z","create_host_path":false})");
  BOOST_TEST(bind(not_written, HashEpoch::compose_5_0_2) == R"("bind":{"selinux":"z"})");
}

BOOST_AUTO_TEST_CASE(shared_containers_stand_for_services) {
  const SharedContainers shared{.network_mode = "container:0123", .ipc = {}, .pid = {}, .volumes_from = {}};

  BOOST_TEST(hashed("network_mode: \"service:db\"", HashEpoch::compose_2_36, shared) ==
             R"({"command":null,"entrypoint":null,"image":"app","network_mode":"container:0123"})");
}

// docker compose 2.40.3 on an engine gives the network of any project without further words the hash of
// {"name":"<project>_default","ipam":{}}.
BOOST_AUTO_TEST_CASE(networks_and_volumes_have_hashes) {
  const Project project = load("name: shop\nservices: {web: {image: app, volumes: [\"data:/data\"]}}\nvolumes: {data: }");

  BOOST_TEST(config_hash(project.networks.at(0)).size() == 64U);
  BOOST_TEST(config_hash(project.volumes.at(0)).size() == 64U);
}

BOOST_AUTO_TEST_SUITE_END()
