#include "engine/inventory.h"

#include "engine/containers.h"
#include "engine/images.h"
#include "engine/system.h"
#include "manifest/manifest.h"
#include "tests/engine/engine_client.h"
#include "tests/support/temp_dir.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace drover;
using test::EngineClient;

BOOST_AUTO_TEST_SUITE(inventory)

namespace {

const Digest layer_a = Digest::of("layer a");
const Digest layer_b = Digest::of("layer b");

std::vector<Digest> chains(std::vector<Digest> diff_ids) {
  ImageConfig config;
  config.diff_ids = std::move(diff_ids);
  return config.chain_ids();
}

test::FakeEngineImage redis() {
  return {.id = Digest::of("redis").to_string(),
          .tags = {"redis:7"},
          .digests = {"redis@" + Digest::of("index").to_string()},
          .diff_ids = {layer_a.to_string(), layer_b.to_string()}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_classic_engine_is_known_by_its_chains) {
  EngineClient engine;
  engine.fake.add_image(redis());
  engine.fake.add_image({.id = Digest::of("dangling").to_string(), .tags = {}, .digests = {}, .diff_ids = {layer_b.to_string()}});

  const engine::Inventory found = take_inventory(engine.ctx, *engine.client);

  BOOST_TEST((found.store == engine::StoreKind::classic));
  BOOST_TEST(found.engine_version == "20.10.24");
  BOOST_TEST(found.platform.to_string() == "linux/amd64");
  BOOST_TEST(found.images.size() == 2U);
  std::set<Digest> expected;
  for (const Digest& chain : chains({layer_a, layer_b})) expected.insert(chain);
  for (const Digest& chain : chains({layer_b})) expected.insert(chain);
  BOOST_TEST((found.chain_ids == expected));
  BOOST_TEST(found.find_image("redis:7")->id == Digest::of("redis"));
  BOOST_TEST(found.find_image("redis@" + Digest::of("index").to_string())->id == Digest::of("redis"));
  BOOST_TEST(found.find_image("redis:8") == nullptr);
  BOOST_TEST(found.find_image_by_id(Digest::of("dangling")) != nullptr);
}

BOOST_AUTO_TEST_CASE(an_old_engine_is_not_asked_for_its_slow_info) {
  EngineClient engine({.api_version = "1.41"});
  take_inventory(engine.ctx, *engine.client);
  const std::vector<std::string> targets = engine.fake.targets();
  BOOST_TEST((std::find(targets.begin(), targets.end(), "GET /v1.41/info") == targets.end()));
}

BOOST_AUTO_TEST_CASE(a_containerd_store_is_known_by_its_blobs_too) {
  EngineClient engine({.api_version = "1.51", .is_containerd = true});
  engine.fake.add_image(redis());
  const engine::Inventory found = take_inventory(engine.ctx, *engine.client);
  BOOST_TEST((found.store == engine::StoreKind::containerd));
  BOOST_TEST((found.blobs == std::set<Digest>{Digest::of("redis")}));
  BOOST_TEST(found.chain_ids.size() == 2U);
}

// What an image's layers are is in its configuration, and where we have that nobody needs to be asked.
BOOST_AUTO_TEST_CASE(an_image_whose_configuration_is_in_the_store_is_not_inspected) {
  const test::TempDir folder;
  store::BlobStore store = store::BlobStore::open(folder.path() / "store", store::BlobStore::Access::write);
  const std::string config = R"({"os":"linux","architecture":"arm64","rootfs":{"type":"layers","diff_ids":[")" + layer_a.to_string() + "\"]}}";
  const Digest id = Digest::of(config);
  store.put(id, config);
  EngineClient engine;
  engine.fake.add_image({.id = id.to_string(), .tags = {"known:1"}, .digests = {}, .diff_ids = {layer_a.to_string()}});
  engine.fake.add_image(redis());

  const engine::Inventory found = take_inventory(engine.ctx, *engine.client, 8, &store);

  std::size_t inspected = 0;
  for (const std::string& target : engine.fake.targets()) inspected += target.ends_with("/json") && target.find("sha256:") != std::string::npos ? 1U : 0U;
  BOOST_TEST(inspected == 1U);
  BOOST_TEST(found.chain_ids.contains(chains({layer_a}).front()));
  BOOST_TEST(found.find_image("known:1")->platform->to_string() == "linux/arm64");
  BOOST_TEST(found.chain_ids.size() == 2U);
}

BOOST_AUTO_TEST_CASE(podman_is_known_by_its_header) {
  EngineClient engine({.is_podman = true});
  BOOST_TEST(take_inventory(engine.ctx, *engine.client).is_podman);
}

BOOST_AUTO_TEST_CASE(nulls_and_absent_members_are_nothing) {
  const auto parse = [](const char* text) { return engine::parse_image_list(nlohmann::json::parse(text)); };
  BOOST_TEST(parse("null").empty());
  BOOST_TEST(parse(R"([null, 5, {}, {"Id":null}, {"Id":"sha256:short"}])").empty());

  const std::string id = Digest::of("x").to_string();
  const auto images = engine::parse_image_list(nlohmann::json::parse(
      R"([{"Id":")" + id + R"(","RepoTags":["<none>:<none>",null,"docker.io/library/redis:7"],"RepoDigests":["<none>@<none>"],"Manifests":null}])"));
  BOOST_TEST(images.size() == 1U);
  BOOST_TEST(images[0].repo_tags == std::vector<std::string>{"redis:7"}, boost::test_tools::per_element());
  BOOST_TEST(images[0].repo_digests.empty());

  const auto details = engine::parse_image_details(nlohmann::json::parse(R"({"Id":")" + id + R"(","RootFS":{"Layers":null}})"));
  BOOST_TEST(details->diff_ids.empty());
  BOOST_TEST(!details->available_manifests);
  BOOST_TEST(!engine::parse_image_details(nlohmann::json::parse("{}")));
  BOOST_TEST((engine::parse_info(nlohmann::json::parse(R"({"DriverStatus":null})")).store == engine::StoreKind::classic));
}

BOOST_AUTO_TEST_CASE(only_whole_images_among_the_manifests_count) {
  const std::string whole = Digest::of("whole").to_string();
  const std::string part = Digest::of("part").to_string();
  const std::string attestation = Digest::of("attestation").to_string();
  const auto images = engine::parse_image_list(nlohmann::json::parse(
      R"([{"Id":")" + whole + R"(","Manifests":[{"ID":")" + whole + R"(","Available":true,"Kind":"image"},{"ID":")" + part +
      R"(","Available":false,"Kind":"image"},{"ID":")" + attestation + R"(","Available":true,"Kind":"attestation"}]}])"));
  BOOST_TEST(images[0].available_manifests.size() == 1U);
  BOOST_TEST(images[0].available_manifests.contains(Digest::of("whole")));
}

BOOST_AUTO_TEST_CASE(containers_are_listed_with_what_they_run) {
  EngineClient engine;
  engine.fake.set_containers(R"([{"Id":"abc","Names":["/web/db","/db"],"Image":"redis:7","ImageID":")" + Digest::of("r").to_string() +
                             R"(","Labels":{"com.docker.compose.service":"db"},"State":"running"},)"
                             R"({"Id":"def","Names":null,"Image":"gone","ImageID":"","Labels":null}])");

  const auto containers = list_containers(engine.ctx, *engine.client);

  BOOST_TEST(containers.size() == 2U);
  BOOST_TEST(containers[0].name == "db");
  BOOST_TEST(containers[0].image_id.value() == Digest::of("r"));
  BOOST_TEST(containers[0].labels.at("com.docker.compose.service") == "db");
  BOOST_TEST(containers[0].state == "running");
  BOOST_TEST(!containers[1].image_id);
  BOOST_TEST(engine.fake.targets().back() == "GET /v1.41/containers/json?all=1");
}

BOOST_AUTO_TEST_SUITE_END()
