#include "engine/load.h"

#include "base/error.h"
#include "engine/image_archive.h"
#include "tests/engine/stored_images.h"
#include "tests/support/temp_dir.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using engine::Inventory;
using engine::LoadImage;
using engine::plan_load;
using engine::StoreKind;

namespace {

struct LoadPlanFixture {
  test::TempDir dir;
  store::BlobStore store = store::BlobStore::open(dir.path() / "store", store::BlobStore::Access::write);
  LoadImage image = test::put_image(store, "redis:7", {test::gzip_layer("base"), test::zstd_layer("mid", true), test::plain_layer("top")});
  std::vector<Digest> chains = image.config.chain_ids();
  Digest config_id = image.image.parsed.config.digest;

  std::string hex(std::size_t layer) const { return image.image.parsed.layers.at(layer).digest.short_hex(); }
  std::string lines(const char* a, const char* b, const char* c) const {
    return "  " + hex(0) + " " + a + "\n  " + hex(1) + " " + b + "\n  " + hex(2) + " " + c + "\n";
  }

  Inventory inventory(StoreKind kind) const {
    Inventory out;
    out.store = kind;
    out.api = {1, kind == StoreKind::classic ? 41 : 51};
    out.platform = Platform::parse("linux/amd64");
    return out;
  }
};

std::string digest_name(const LoadImage& image) { return "redis@" + image.root.digest.to_string(); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(load_plan, LoadPlanFixture)

BOOST_AUTO_TEST_CASE(an_empty_classic_engine_gets_everything_plain) {
  BOOST_TEST(to_text(plan_load(image, inventory(StoreKind::classic))) ==
             "docker-archive load: engine has 0 of 3 layers\n" + lines("send inflated", "send inflated", "send as it is"));
}

BOOST_AUTO_TEST_CASE(known_chains_are_left_out) {
  Inventory known = inventory(StoreKind::classic);
  known.chain_ids = {chains[0], chains[1]};
  BOOST_TEST(to_text(plan_load(image, known)) ==
             "docker-archive load: engine has 2 of 3 layers\n" + lines("skip, known", "skip, known", "send as it is"));
}

BOOST_AUTO_TEST_CASE(a_known_layer_on_another_base_is_unknown) {
  Inventory known = inventory(StoreKind::classic);
  known.chain_ids = {image.config.diff_ids[1], image.config.diff_ids[2]};  // as lowest layers of other images
  BOOST_TEST(to_text(plan_load(image, known)) ==
             "docker-archive load: engine has 0 of 3 layers\n" + lines("send inflated", "send inflated", "send as it is"));
}

BOOST_AUTO_TEST_CASE(a_forced_plan_sends_all) {
  Inventory known = inventory(StoreKind::classic);
  known.chain_ids = {chains[0], chains[1], chains[2]};
  known.images = {{config_id, {"redis:7"}, {}}};
  BOOST_TEST(to_text(plan_load(image, known, true)) ==
             "docker-archive load: sending all 3 layers\n" + lines("send inflated", "send inflated", "send as it is"));
}

BOOST_AUTO_TEST_CASE(the_wanted_image_under_the_wanted_name_is_present) {
  Inventory known = inventory(StoreKind::classic);
  known.chain_ids = {chains[0], chains[1], chains[2]};
  known.images = {{config_id, {"redis:7"}, {}}};
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::present));

  known.images = {{Digest::of("older"), {"redis:7"}, {}}, {config_id, {"other:1"}, {}}};
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::retag));

  known.images = {{Digest::of("older"), {"redis:7"}, {}}};
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::load));
}

BOOST_AUTO_TEST_CASE(podman_gets_everything) {
  Inventory known = inventory(StoreKind::classic);
  known.is_podman = true;
  known.chain_ids = {chains[0], chains[1]};
  BOOST_TEST(to_text(plan_load(image, known)) ==
             "docker-archive load: engine has 0 of 3 layers\n" + lines("send inflated", "send inflated", "send as it is"));
}

BOOST_AUTO_TEST_CASE(the_containerd_store_gets_original_bytes_without_known_blobs_or_chains) {
  Inventory known = inventory(StoreKind::containerd);
  known.chain_ids = {chains[0]};
  known.blobs = {image.image.parsed.layers[2].digest};
  BOOST_TEST(to_text(plan_load(image, known)) ==
             "oci-layout load: engine has 2 of 3 layers\n" + lines("skip, known", "send as it is", "skip, known"));
}

BOOST_AUTO_TEST_CASE(an_index_in_the_containerd_store_may_lack_our_platform) {
  Inventory known = inventory(StoreKind::containerd);
  known.images = {{image.root.digest, {"redis:7"}, {digest_name(image)}}};
  known.blobs = {image.root.digest};
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::load));

  known.blobs.insert(image.image.manifest.digest);
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::present));

  known.blobs = {image.root.digest};
  known.chain_ids = {chains[0], chains[1], chains[2]};  // below API 1.47 the engine does not tell its manifests
  BOOST_TEST((plan_load(image, known).verdict == engine::LoadPlan::Verdict::present));
}

BOOST_AUTO_TEST_CASE(an_image_that_is_packed_alone_is_loaded_once_more) {
  Inventory known = inventory(StoreKind::containerd);
  known.images = {{image.root.digest, {"redis:7"}, {digest_name(image)}}};
  known.blobs = {image.root.digest, image.image.manifest.digest};
  for (const Descriptor& layer : image.image.parsed.layers) known.blobs.insert(layer.digest);
  known.packed_manifests = {image.image.manifest.digest};
  const std::string expected = "oci-layout unpack: engine has 3 of 3 layers, not unpacked\n" + lines("skip, known", "skip, known", "skip, known");
  BOOST_TEST(to_text(plan_load(image, known)) == expected);

  known.images = {{image.root.digest, {"other:1"}, {}}};
  BOOST_TEST(to_text(plan_load(image, known)) == expected);
}

BOOST_AUTO_TEST_CASE(a_reference_by_digest_is_present_only_by_digest) {
  LoadImage pinned = image;
  pinned.reference = Reference::parse("redis:7").with_digest(image.root.digest);
  Inventory known = inventory(StoreKind::classic);
  known.chain_ids = {chains[0], chains[1], chains[2]};
  known.images = {{config_id, {"redis:7"}, {}}};

  BOOST_TEST(engine::engine_name(pinned.reference) == digest_name(image));
  BOOST_TEST((plan_load(pinned, known).verdict == engine::LoadPlan::Verdict::load));
  known.images[0].repo_digests = {digest_name(image)};
  BOOST_TEST((plan_load(pinned, known).verdict == engine::LoadPlan::Verdict::present));
}

BOOST_AUTO_TEST_CASE(layers_and_diff_ids_must_agree) {
  LoadImage bad = image;
  bad.config.diff_ids.pop_back();
  BOOST_CHECK_THROW(plan_load(bad, inventory(StoreKind::classic)), Error);
}

BOOST_AUTO_TEST_CASE(the_docker_archive_names_every_layer) {
  const nlohmann::json manifest = nlohmann::json::parse(engine::docker_archive_manifest(image));
  BOOST_TEST(manifest[0]["Config"] == config_id.hex() + ".json");
  BOOST_TEST(manifest[0]["RepoTags"].dump() == R"(["redis:7"])");
  BOOST_TEST(manifest[0]["Layers"].size() == 3U);
}

BOOST_AUTO_TEST_CASE(the_oci_layout_names_the_root_by_its_whole_name) {
  const nlohmann::json index = nlohmann::json::parse(engine::oci_layout_index(image));
  BOOST_TEST(index["manifests"].size() == 1U);
  BOOST_TEST(index["manifests"][0]["digest"] == image.root.digest.to_string());
  BOOST_TEST(index["manifests"][0]["annotations"]["io.containerd.image.name"] == "docker.io/library/redis:7");
  BOOST_TEST(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == "7");

  LoadImage pinned = image;
  pinned.reference = Reference::parse("redis:7").with_digest(image.root.digest);
  const nlohmann::json by_digest = nlohmann::json::parse(engine::oci_layout_index(pinned));
  BOOST_TEST(by_digest["manifests"][0]["annotations"]["io.containerd.image.name"] ==
             "docker.io/library/redis@" + image.root.digest.to_string());
}

BOOST_AUTO_TEST_CASE(the_best_platform_is_found_and_a_missing_one_is_named) {
  const Descriptor root = test::put_index(store, {test::put_manifest(store, "arm64", {test::plain_layer("arm")}), test::put_manifest(store, "amd64", {test::plain_layer("amd")})});

  BOOST_TEST(engine::find_load_image(store, Reference::parse("x"), root, Platform::parse("linux/amd64")).image.platform.to_string() == "linux/amd64");
  try {
    engine::find_load_image(store, Reference::parse("x"), root, Platform::parse("linux/riscv64"));
    BOOST_FAIL("found");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::platform_missing));
    BOOST_TEST(std::string(error.what()).find("linux/arm64, linux/amd64") != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()
