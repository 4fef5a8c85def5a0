#include "store/closure.h"

#include "tests/store/small_image.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::store;
using test::has_code;
using test::put;
using test::put_image;

namespace {

struct ClosureFixture {
  test::TempDir dir;
  BlobStore store = BlobStore::open(dir / "store", BlobStore::Access::write);

  // Writes over a blob in place, as a failing disk would.
  void damage(const Digest& digest, std::string_view bytes) {
    std::filesystem::remove(store.blob_path(digest));
    dir.write("store/blobs/sha256/" + digest.hex(), bytes);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(closure, ClosureFixture)

BOOST_AUTO_TEST_CASE(an_index_holds_the_platforms_that_were_pulled) {
  const Descriptor amd64 = put_image(store, "amd64", {"shared", "amd64 layer"});
  const Descriptor arm64 = put_image(store, "arm64", {"shared", "arm64 layer"});
  Descriptor absent = test::describe("not pulled", media_type::oci_manifest);
  absent.platform = Platform{.os = "linux", .architecture = "s390x", .variant = {}, .os_version = {}, .os_features = {}};
  const Descriptor root = put(store, test::index_json({amd64, absent, arm64}), media_type::oci_index);

  const Closure closure = read_closure(store, root);

  BOOST_TEST((closure.root == root));
  BOOST_TEST_REQUIRE(closure.images.size() == 2U);
  BOOST_TEST(closure.images[0].platform.to_string() == "linux/amd64");
  BOOST_TEST((closure.images[0].manifest == amd64));
  BOOST_TEST(closure.images[0].parsed.layers.size() == 2U);
  BOOST_TEST(closure.images[1].platform.to_string() == "linux/arm64");
  // root, two manifests, two configs, three layers of which one is shared
  BOOST_TEST(closure.blobs.size() == 8U);
  for (const Descriptor& blob : closure.blobs) BOOST_TEST(store.has(blob.digest, blob.size));
}

BOOST_AUTO_TEST_CASE(a_lone_manifest_has_the_platform_of_its_config) {
  Descriptor root = put_image(store, "arm64", {"layer"});
  root.platform.reset();

  const Closure closure = read_closure(store, root);

  BOOST_TEST_REQUIRE(closure.images.size() == 1U);
  BOOST_TEST(closure.images[0].platform.to_string() == "linux/arm64");
  BOOST_TEST(closure.blobs.size() == 3U);
}

BOOST_AUTO_TEST_CASE(layers_that_are_not_there_are_named_all_the_same) {
  const Descriptor root = put_image(store, "amd64", {"one", "two"});
  store.discard(Digest::of("two"));
  BOOST_TEST(read_closure(store, root).blobs.size() == 4U);
}

BOOST_AUTO_TEST_CASE(foreign_layers_are_needed_like_others) {
  const Descriptor config = put(store, test::config_json("amd64", 1), media_type::oci_config);
  const Descriptor foreign = test::describe("windows base", media_type::docker_foreign_layer_gzip);
  Descriptor root = put(store, test::manifest_json(config, {foreign}), media_type::oci_manifest);

  BOOST_TEST(read_closure(store, root).blobs.size() == 3U);
}

BOOST_AUTO_TEST_CASE(an_artifact_named_by_an_index_is_kept_unread) {
  const Descriptor artifact = put(store, "{\"not\":\"a manifest\"}", "application/vnd.example.thing");
  const Descriptor root = put(store, test::index_json({artifact}), media_type::oci_index);

  const Closure closure = read_closure(store, root);

  BOOST_TEST(closure.images.empty());
  BOOST_TEST(closure.blobs.size() == 2U);
}

BOOST_AUTO_TEST_CASE(configs_of_artifacts_are_not_images) {
  const Descriptor config = put(store, "{}", "application/vnd.oci.empty.v1+json");
  const Descriptor root = put(store, test::manifest_json(config, {put(store, "sbom", "text/plain")}), media_type::oci_manifest);
  BOOST_TEST(read_closure(store, root).images[0].platform.os == "");
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded) {
  const Descriptor image = put_image(store, "amd64", {"layer"});
  const Descriptor inner = put(store, test::index_json({image}), media_type::oci_index);
  const Descriptor outer = put(store, test::index_json({inner}), media_type::oci_index);
  BOOST_TEST(read_closure(store, outer).images.size() == 1U);

  const Descriptor too_deep = put(store, test::index_json({outer}), media_type::oci_index);
  BOOST_CHECK_EXCEPTION(read_closure(store, too_deep), Error, has_code(ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(missing_and_damaged_documents_are_errors) {
  const Descriptor image = put_image(store, "amd64", {"layer"});
  Descriptor root = put(store, test::index_json({image}), media_type::oci_index);
  Descriptor wrong_size = root;
  wrong_size.size += 1;

  BOOST_CHECK_EXCEPTION(read_closure(store, test::describe("missing", media_type::oci_index)), Error, has_code(ErrorCode::not_found));
  BOOST_CHECK_EXCEPTION(read_closure(store, wrong_size), Error, has_code(ErrorCode::invalid));
  BOOST_CHECK_EXCEPTION(read_closure(store, put(store, "{}", media_type::oci_index)), Error, has_code(ErrorCode::invalid));
  damage(image.digest, "{}");
  BOOST_CHECK_EXCEPTION(read_closure(store, root), Error, has_code(ErrorCode::digest_mismatch));
}

BOOST_AUTO_TEST_CASE(the_lenient_walk_goes_on_behind_a_problem) {
  const Descriptor broken = put_image(store, "amd64", {"one"});
  const Descriptor sound = put_image(store, "arm64", {"two"});
  const Descriptor root = put(store, test::index_json({broken, sound}), media_type::oci_index);
  damage(broken.digest, "{}");

  const LenientClosure found = read_closure_leniently(store.root(), root);

  BOOST_TEST_REQUIRE(found.problems.size() == 1U);
  BOOST_TEST(found.problems[0].descriptor.digest == broken.digest);
  BOOST_TEST((found.problems[0].what == ClosureProblem::What::document));
  BOOST_TEST(found.closure.images.size() == 1U);
  BOOST_TEST(found.closure.blobs.size() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
