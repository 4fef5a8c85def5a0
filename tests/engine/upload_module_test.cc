// An image whose halves are large goes to the classic store in two requests, and leaves nothing behind but itself.
#include "engine/upload.h"

#include "base/file.h"
#include "tests/engine/engine_client.h"
#include "tests/engine/stored_images.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace drover;
using engine::LoadImage;
using engine::LoadOutcome;
using test::FakeEngineOptions;
using test::LoadFault;

namespace {

// Its blob is large enough to be worth a request.
test::StoredLayer large_layer(std::string_view seed) {
  std::string text = test::layer_text(seed);
  text.resize(engine::split_bytes_min + 1024, 'x');
  return {text, text, media_type::oci_layer};
}

struct Fixture : test::EngineClient {
  Fixture() : test::EngineClient(FakeEngineOptions{}) {}

  LoadOutcome load() {
    engine::Loader loader(*client, store, engine::take_inventory(ctx, *client));
    return loader.load(ctx, image, {.settle = engine::Settle::never, .registry_auth = {}});
  }
  std::vector<std::string> image_ids() {
    std::vector<std::string> ids;
    for (const engine::EngineImage& found : engine::take_inventory(ctx, *client).images) ids.push_back(found.id.to_string());
    return ids;
  }
  std::ptrdiff_t count_of(std::string_view target) const {
    const auto targets = fake.targets();
    return std::count_if(targets.begin(), targets.end(), [&](const std::string& text) { return text.find(target) != std::string::npos; });
  }

  test::TempDir dir;
  store::BlobStore store = store::BlobStore::open(dir.path() / "store", store::BlobStore::Access::write);
  LoadImage image = test::put_image(store, "redis:7", {large_layer("base"), large_layer("own"), test::gzip_layer("top")});
  const std::vector<std::string> only_the_image{image.image.parsed.config.digest.to_string()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upload_module, Fixture)

BOOST_AUTO_TEST_CASE(each_layer_crosses_once_and_the_partial_image_goes) {
  const LoadOutcome outcome = load();

  BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
  BOOST_TEST(outcome.layers_sent == 3U);
  BOOST_TEST(outcome.image_id == only_the_image[0]);
  const auto loads = fake.loads();
  BOOST_TEST(loads.size() == 2U);
  for (const Digest& diff_id : image.config.diff_ids) {
    BOOST_TEST(std::count_if(loads.begin(), loads.end(), [&](const auto& files) { return files.contains(diff_id.hex() + ".tar"); }) == 1);
  }
  BOOST_TEST(count_of("DELETE /v1.41/images/") == 1);
  BOOST_TEST(image_ids() == only_the_image, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_image_brings_its_lower_layers_itself_when_the_other_request_fails) {
  fake.script_loads({LoadFault::error_in_stream});

  const LoadOutcome outcome = load();

  BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
  BOOST_TEST(fake.loads().back().contains(image.config.diff_ids[0].hex() + ".tar"));
  BOOST_TEST(count_of("DELETE /v1.41/images/") == 0);
  BOOST_TEST(image_ids() == only_the_image, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_partial_image_that_cannot_be_removed_is_no_failure) {
  fake.override_answer("/images/" + Digest::of(engine::partial_config(image, 1)).to_string(), 409, R"({"message":"conflict"})");
  BOOST_TEST((load().state == LoadOutcome::State::loaded));
}

BOOST_AUTO_TEST_SUITE_END()
