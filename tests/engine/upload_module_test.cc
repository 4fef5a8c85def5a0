// An image whose halves are large goes to the classic store in two requests, and leaves nothing behind but itself.
#include "engine/upload.h"

#include "base/file.h"
#include "base/parallel.h"
#include "tests/engine/engine_client.h"
#include "tests/engine/stored_images.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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

struct UploadFixture : test::EngineClient {
  UploadFixture() : test::EngineClient(FakeEngineOptions{}) {}

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

BOOST_FIXTURE_TEST_SUITE(upload_module, UploadFixture)

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

namespace {

// Loads all of them at once; the first requests are held until everything has begun.
std::size_t load_small_images(UploadFixture& fixture, std::size_t count) {
  std::vector<LoadImage> images;
  for (std::size_t i = 0; i < count; ++i) {
    images.push_back(test::put_image(fixture.store, "small" + std::to_string(i) + ":1", {test::gzip_layer("own" + std::to_string(i))}));
  }
  engine::Loader loader(*fixture.client, fixture.store, engine::take_inventory(fixture.ctx, *fixture.client));
  fixture.fake.hold_loads(true);
  std::atomic<std::size_t> begun = 0;
  std::vector<std::optional<LoadOutcome>> outcomes(count);  // looked at afterwards: Boost.Test's checks are for one thread
  parallel_for_each(fixture.ctx, count, count, [&](const Context& ctx, std::size_t i) {
    if (++begun == count) fixture.fake.hold_loads(false);
    outcomes[i] = loader.load(ctx, images[i], {.settle = engine::Settle::never, .registry_auth = {}});
  });
  std::size_t layers_sent = 0;
  for (std::size_t i = 0; i < count; ++i) {
    layers_sent += outcomes[i]->layers_sent;
    BOOST_TEST(outcomes[i]->bytes_sent > 2048U);
    BOOST_TEST(outcomes[i]->image_id == images[i].image.parsed.config.digest.to_string());
  }
  return layers_sent;
}

std::size_t images_in(const std::map<std::string, std::string>& archive) {
  return nlohmann::json::parse(archive.at("manifest.json")).size();
}

}  // namespace

BOOST_AUTO_TEST_CASE(small_images_go_together) {
  constexpr std::size_t count = 48;
  BOOST_TEST(load_small_images(*this, count) == count);
  BOOST_TEST(fake.loads().size() < count);
  BOOST_TEST(image_ids().size() == count);
}

BOOST_AUTO_TEST_CASE(a_batch_that_fails_is_sent_one_by_one) {
  constexpr std::size_t count = 48;
  fake.refuse_several();

  BOOST_TEST(load_small_images(*this, count) == count);

  const auto loads = fake.loads();
  const auto alone = std::count_if(loads.begin(), loads.end(), [](const auto& files) { return images_in(files) == 1; });
  BOOST_TEST(alone == static_cast<std::ptrdiff_t>(count));
  BOOST_TEST(loads.size() > count);  // what waited while the first were held went together once
  BOOST_TEST(image_ids().size() == count);
}

BOOST_AUTO_TEST_SUITE_END()
