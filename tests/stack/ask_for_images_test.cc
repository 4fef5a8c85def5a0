// What a dry run asks of registries: whether the images that it would fetch are there.
#include "stack/up_images.h"

#include "tests/support/fake_registry.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::stack;
using namespace drover::test;

namespace {

registry::ClientOptions without_retries() {
  registry::ClientOptions options;
  options.retry.attempts_max = 1;
  return options;
}

struct Asking {
  TempDir folder;
  FakeRegistry fake;
  net::Transport transport;
  registry::Client client{transport, without_retries()};
  store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);
  const Platform amd64 = Platform::parse("linux/amd64");

  std::string layer;

  Asking() {
    const FakeImage image = fake.add_image("web", "", {{.bytes = "layer"}}, {.architecture = "amd64"});
    fake.add_index("web", "1", {image});
    layer = image.layer_digests.at(0);
  }

  ImageNeed need(const std::string& reference, ImageNeed::Why why = ImageNeed::Why::missing) const {
    return {.image = {.reference = Reference::parse(reference), .platform = {}, .services = {"web"}}, .why = why};
  }
  void ask(const Context& ctx, const std::vector<ImageNeed>& needs) { ask_for_images(ctx, client, store, amd64, needs, {}); }
  ErrorCode failure_of(const ImageNeed& asked) {
    try {
      ask(Context{}, {asked});
    } catch (const Error& error) {
      return error.code();
    }
    BOOST_ERROR("nothing was thrown");
    return ErrorCode::failed;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(asking_for_images, Asking)

BOOST_AUTO_TEST_CASE(what_the_registry_has_is_asked_for_and_not_fetched) {
  ask(Context{}, {need(fake.reference("web", "1"))});

  for (const LoggedRequest& logged : fake.log()) BOOST_TEST(logged.request.target.find(layer) == std::string::npos, logged.request.target);
  BOOST_TEST(!fake.log().empty());
  BOOST_TEST(!store.find_tag(Reference::parse(fake.reference("web", "1")).to_string()).has_value());
}

BOOST_AUTO_TEST_CASE(what_it_does_not_have_fails) {
  BOOST_TEST((failure_of(need(fake.reference("web", "2"))) == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(what_it_has_for_other_platforms_fails) {
  ImageNeed asked = need(fake.reference("web", "1"));
  asked.image.platform = Platform::parse("linux/riscv64");
  BOOST_TEST((failure_of(asked) == ErrorCode::platform_missing));
}

BOOST_AUTO_TEST_CASE(a_registry_that_does_not_answer_is_told_and_fails_nothing) {
  RecordingLog log;
  Context ctx;
  ctx.log = &log;

  ask(ctx, {need("127.0.0.1:1/web:1")});

  BOOST_TEST(log.has(LogLevel::warning, "127.0.0.1:1/web:1"), log.text());
}

BOOST_AUTO_TEST_SUITE_END()
