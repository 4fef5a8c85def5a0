#include "engine/load.h"

#include "base/file.h"
#include "base/parallel.h"
#include "tests/engine/engine_client.h"
#include "tests/engine/stored_images.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

using namespace drover;
using engine::LoadImage;
using engine::LoadOptions;
using engine::LoadOutcome;
using test::failure_of;
using test::FakeEngineOptions;
using test::LoadFault;

BOOST_AUTO_TEST_SUITE(load)

namespace {

const FakeEngineOptions classic{};
const FakeEngineOptions containerd{.api_version = "1.51", .version = "28.5.2", .is_containerd = true};
const FakeEngineOptions containerd_26{.api_version = "1.45", .version = "26.1.5", .is_containerd = true};
const LoadOptions no_settle{.settle = engine::Settle::never, .registry_auth = {}};

struct Bench : test::EngineClient {
  explicit Bench(FakeEngineOptions options = classic) : EngineClient(std::move(options)) { ctx.progress = &progress; }

  LoadImage put(std::string_view name, const std::vector<test::StoredLayer>& layers) { return test::put_image(store, name, layers); }
  std::unique_ptr<engine::Loader> loader() {
    return std::make_unique<engine::Loader>(*client, store, engine::take_inventory(ctx, *client));
  }
  LoadOutcome load(const LoadImage& image, const LoadOptions& options = no_settle) { return loader()->load(ctx, image, options); }
  std::vector<std::string> files_of(std::size_t load) const {
    std::vector<std::string> names;
    const auto loads = fake.loads();
    for (const auto& [name, bytes] : loads.at(load)) names.push_back(name);
    return names;
  }
  // Layer files of that archive, by number of the image's layer.
  std::string layers_of(std::size_t load, const LoadImage& image) const {
    std::string out;
    const auto names = files_of(load);
    for (std::size_t i = 0; i < image.config.diff_ids.size(); ++i) {
      const std::string plain = image.config.diff_ids[i].hex() + ".tar";
      const std::string blob = "blobs/sha256/" + image.image.parsed.layers[i].digest.hex();
      if (std::find(names.begin(), names.end(), plain) != names.end() || std::find(names.begin(), names.end(), blob) != names.end()) {
        out += std::to_string(i);
      }
    }
    return out;
  }

  test::TempDir dir;
  store::BlobStore store = store::BlobStore::open(dir.path() / "store", store::BlobStore::Access::write);
  test::RecordingProgress progress;
};

// A good archive of other bytes than the configuration names.
test::StoredLayer wrong_layer() {
  test::StoredLayer layer = test::gzip_layer("right");
  layer.blob = test::gzip_layer("wrong").blob;
  return layer;
}

std::vector<test::StoredLayer> three() { return {test::gzip_layer("base"), test::gzip_layer("mid"), test::gzip_layer("top")}; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_classic_engine_gets_plain_layers_and_then_the_manifest) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", three());

  const LoadOutcome outcome = bench.load(image);

  BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
  BOOST_TEST(outcome.image_id == image.image.parsed.config.digest.to_string());
  BOOST_TEST(outcome.layers_sent == 3U);
  BOOST_TEST(outcome.layers_total == 3U);
  const auto files = bench.fake.loads().at(0);
  BOOST_TEST((files.at(image.config.diff_ids[0].hex() + ".tar") == test::layer_text("base")));
  BOOST_TEST(files.size() == 5U);
  BOOST_TEST(outcome.bytes_sent == bench.fake.requests()[bench.fake.requests().size() - 2].body.size());
}

BOOST_AUTO_TEST_CASE(known_layers_stay_here) {
  Bench bench;
  bench.load(bench.put("redis:7", three()));
  const LoadImage update = bench.put("redis:8", {test::gzip_layer("base"), test::gzip_layer("mid"), test::gzip_layer("new")});

  const LoadOutcome outcome = bench.load(update);

  BOOST_TEST(bench.layers_of(1, update) == "2");
  BOOST_TEST(outcome.layers_sent == 1U);
}

BOOST_AUTO_TEST_CASE(what_one_load_brought_is_known_to_the_next_of_the_same_loader) {
  Bench bench;
  const auto loader = bench.loader();
  loader->load(bench.ctx, bench.put("redis:7", three()), no_settle);
  const LoadOutcome outcome = loader->load(bench.ctx, bench.put("redis:8", {test::gzip_layer("base"), test::gzip_layer("x")}), no_settle);
  BOOST_TEST(outcome.layers_sent == 1U);
  BOOST_TEST(loader->inventory().find_image("redis:8") != nullptr);
}

BOOST_AUTO_TEST_CASE(a_present_image_moves_no_byte_and_another_name_is_a_tag) {
  Bench bench;
  LoadImage image = bench.put("redis:7", three());
  bench.load(image);

  BOOST_TEST((bench.load(image).state == LoadOutcome::State::present));
  image.reference = Reference::parse("registry.lan:5000/cache:1");
  BOOST_TEST((bench.load(image).state == LoadOutcome::State::present));

  BOOST_TEST(bench.fake.loads().size() == 1U);
  BOOST_TEST(engine::take_inventory(bench.ctx, *bench.client).find_image("registry.lan:5000/cache:1") != nullptr);
}

BOOST_AUTO_TEST_CASE(zstd_is_inflated_with_and_without_its_size) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", {test::zstd_layer("sized", true), test::zstd_layer("unsized", false)});

  bench.load(image);

  const auto files = bench.fake.loads().at(0);
  BOOST_TEST((files.at(image.config.diff_ids[0].hex() + ".tar") == test::layer_text("sized")));
  BOOST_TEST((files.at(image.config.diff_ids[1].hex() + ".tar") == test::layer_text("unsized")));
}

BOOST_AUTO_TEST_CASE(zstd_of_unknown_size_crosses_as_it_is_where_the_engine_reads_it) {
  Bench bench({.api_version = "1.43"});
  const test::StoredLayer layer = test::zstd_layer("unsized", false);
  const LoadImage image = bench.put("redis:7", {layer});
  bench.load(image);
  BOOST_TEST((bench.fake.loads().at(0).at(image.config.diff_ids[0].hex() + ".tar") == layer.blob));
}

BOOST_AUTO_TEST_CASE(a_size_that_lied_costs_a_second_archive) {
  Bench bench;
  // Two members: the last one's size is believable, and wrong.
  const std::string first = test::layer_text("first");
  const std::string second = test::layer_text("second") + std::string(4096, '\0');
  const test::StoredLayer layer{test::gzip(first) + test::gzip(second), first + second, media_type::oci_layer_gzip};
  const LoadImage image = bench.put("redis:7", {layer});

  const LoadOutcome outcome = bench.load(image);

  BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
  BOOST_TEST(bench.fake.loads().size() == 1U);  // the first never ended
  BOOST_TEST((bench.fake.loads().at(0).at(image.config.diff_ids[0].hex() + ".tar") == layer.plain));
}

// What is behind its end keeps its size unknown, so that it crosses as it is; the engine judges.
BOOST_AUTO_TEST_CASE(a_layer_that_is_not_strictly_gzip_is_told_of_and_left_to_the_engine) {
  Bench bench;
  test::RecordingLog log;
  bench.ctx.log = &log;
  test::StoredLayer layer = test::gzip_layer("base");
  layer.blob += "behind its end!";
  const LoadImage image = bench.put("redis:7", {layer});

  const auto failure = failure_of([&] { bench.load(image); });

  const std::string name = "layer " + image.image.parsed.layers[0].digest.to_string();
  BOOST_TEST(contains(log.text(), "redis:7: " + name + " is sent as it is: "), log.text());
  BOOST_TEST(contains(failure.text, name + " cannot be unpacked: "), failure.text);
  BOOST_TEST(contains(failure.text, "bytes behind its end that are no further gzip member"), failure.text);
  BOOST_TEST(bench.fake.loads().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_broken_layer_is_named_with_what_is_wrong) {
  for (const FakeEngineOptions& options : {classic, containerd, containerd_26}) {
    Bench bench(options);
    test::StoredLayer cut = test::gzip_layer("cut");
    cut.blob.resize(cut.blob.size() - 30);
    const LoadImage image = bench.put("redis:7", {test::gzip_layer("base"), cut});
    for (int run = 0; run < 2; ++run) {
      const auto failure = failure_of([&] { bench.load(image); });
      BOOST_TEST((failure.code == ErrorCode::invalid), failure.text);
      BOOST_TEST(contains(failure.text, "layer " + image.image.parsed.layers[1].digest.to_string() + " cannot be unpacked: "), failure.text);
      BOOST_TEST(contains(failure.text, "it is cut short; its registry has it so"), failure.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_layer_of_other_bytes_than_the_configuration_says_is_named) {
  for (const FakeEngineOptions& options : {classic, containerd, containerd_26}) {
    Bench bench(options);
    const LoadImage image = bench.put("redis:7", {test::gzip_layer("base"), wrong_layer()});
    const auto failure = failure_of([&] { bench.load(image); });
    BOOST_TEST(contains(failure.text, "layer " + image.image.parsed.layers[1].digest.to_string() + " unpacks to sha256:"), failure.text);
    BOOST_TEST(contains(failure.text, "its configuration says " + image.config.diff_ids[1].to_string()), failure.text);
  }
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_no_tar_is_named) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    const std::string text(2048, 'x');
    const LoadImage image = bench.put("redis:7", {test::gzip_layer("base"), {test::gzip(text), text, media_type::oci_layer_gzip}});
    bench.fake.script_loads({LoadFault::error_in_stream});
    const auto failure = failure_of([&] { bench.load(image); });
    BOOST_TEST(contains(failure.text, "layer " + image.image.parsed.layers[1].digest.to_string() + " unpacks to something that is no tar"), failure.text);
  }
}

BOOST_AUTO_TEST_CASE(a_misnamed_layer_is_named_where_the_engine_goes_by_the_name) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    test::StoredLayer layer = test::gzip_layer("base");
    layer.media_type = media_type::oci_layer;
    const LoadImage image = bench.put("redis:7", {layer});
    bench.fake.script_loads({LoadFault::error_in_stream});
    const auto failure = failure_of([&] { bench.load(image); });
    BOOST_TEST(contains(failure.text, " is named application/vnd.oci.image.layer.v1.tar and is gzip") == options.is_containerd, failure.text);
    BOOST_TEST(contains(failure.text, "input/output error"), failure.text);
  }
}

BOOST_AUTO_TEST_CASE(a_layer_under_another_media_type_is_told_of) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    test::RecordingLog log;
    bench.ctx.log = &log;
    test::StoredLayer layer = test::gzip_layer("base");
    layer.media_type = media_type::oci_layer_zstd;
    const LoadImage image = bench.put("redis:7", {layer});
    BOOST_TEST((bench.load(image).state == LoadOutcome::State::loaded));
    BOOST_TEST(contains(log.text(), "layer " + image.image.parsed.layers[0].digest.to_string() +
                                        " is named application/vnd.oci.image.layer.v1.tar+zstd and is gzip\n"), log.text());
  }
}

BOOST_AUTO_TEST_CASE(a_containerd_store_gets_the_original_bytes_under_the_original_digest) {
  Bench bench(containerd);
  const LoadImage image = bench.put("redis:7", three());

  const LoadOutcome outcome = bench.load(image);

  BOOST_TEST(outcome.image_id == image.root.digest.to_string());
  BOOST_TEST(outcome.settled);
  const auto files = bench.fake.loads().at(0);
  BOOST_TEST((files.at("blobs/sha256/" + image.image.parsed.layers[1].digest.hex()) == test::gzip_layer("mid").blob));
  BOOST_TEST(files.contains("oci-layout"));
  BOOST_TEST(files.contains("index.json"));
  BOOST_TEST(files.contains("blobs/sha256/" + image.root.digest.hex()));
}

BOOST_AUTO_TEST_CASE(a_containerd_store_is_spared_known_blobs) {
  Bench bench(containerd);
  bench.load(bench.put("redis:7", three()));
  const LoadImage update = bench.put("redis:8", {test::gzip_layer("base"), test::gzip_layer("mid"), test::gzip_layer("new")});
  bench.load(update);
  BOOST_TEST(bench.layers_of(1, update) == "2");
}

BOOST_AUTO_TEST_CASE(an_image_that_was_not_unpacked_is_not_present) {
  for (const FakeEngineOptions& options : {containerd, containerd_26}) {
    Bench bench(options);
    const LoadImage image = bench.put("redis:7", three());
    bench.fake.script_loads({LoadFault::no_space_unpacking});
    BOOST_TEST(contains(failure_of([&] { bench.load(image); }).text, "no space left on device; free space"));

    const LoadOutcome again = bench.load(image);
    BOOST_TEST((again.state == LoadOutcome::State::loaded));
    BOOST_TEST(bench.layers_of(1, image) == "");  // the engine has their bytes

    BOOST_TEST((bench.load(image).state == LoadOutcome::State::present));
    BOOST_TEST(bench.fake.loads().size() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(another_name_of_an_image_that_was_not_unpacked_is_no_tag_alone) {
  for (const FakeEngineOptions& options : {containerd, containerd_26}) {
    Bench bench(options);
    LoadImage image = bench.put("redis:7", three());
    bench.fake.script_loads({LoadFault::no_space_unpacking});
    failure_of([&] { bench.load(image); });

    image.reference = Reference::parse("redis:latest");
    BOOST_TEST((bench.load(image).state == LoadOutcome::State::loaded));
    BOOST_TEST(engine::take_inventory(bench.ctx, *bench.client).find_image("redis:latest") != nullptr);
  }
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_unpacked_fails_every_time) {
  for (const FakeEngineOptions& options : {containerd, containerd_26}) {
    Bench bench(options);
    const LoadImage image = bench.put("redis:7", {test::gzip_layer("base"), wrong_layer()});
    for (int run = 0; run < 3; ++run) {
      BOOST_TEST(contains(failure_of([&] { bench.load(image); }).text, "wrong diff id"));
    }
  }
}

// Whether the engine has unpacked it cannot be seen, so it is asked to, with the documents alone.
BOOST_AUTO_TEST_CASE(an_image_of_empty_layers_is_present) {
  for (const FakeEngineOptions& options : {containerd, containerd_26}) {
    Bench bench(options);
    const std::string zeros(1024, '\0');
    const LoadImage image = bench.put("redis:7", {{test::gzip(zeros), zeros, media_type::oci_layer_gzip}});

    BOOST_TEST((bench.load(image).state == LoadOutcome::State::loaded));
    for (int run = 0; run < 2; ++run) {
      const LoadOutcome outcome = bench.load(image);
      BOOST_TEST((outcome.state == LoadOutcome::State::present));
      BOOST_TEST(outcome.layers_sent == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_good_word_is_not_believed_while_nothing_is_unpacked) {
  Bench bench(containerd);
  const std::string noise(100'000, 'x');  // the fake's gzip is as long as what it packs
  const LoadImage image = bench.put("redis:7", {{test::gzip(noise), noise, media_type::oci_layer_gzip}});
  bench.fake.script_loads({LoadFault::says_unpacked});
  BOOST_TEST(contains(failure_of([&] { bench.load(image); }).text, "or has not unpacked it, after a load that it called good"));
}

// It is unpacked when a container is made of it, which has an emulator then.
BOOST_AUTO_TEST_CASE(an_image_of_another_platform_is_there_when_it_is_packed) {
  for (FakeEngineOptions options : {containerd, containerd_26}) {
    options.architecture = "arm64";
    Bench bench(options);
    const std::string noise(100'000, 'x');
    const LoadImage image = bench.put("redis:7", {{test::gzip(noise), noise, media_type::oci_layer_gzip}});

    BOOST_TEST((bench.load(image).state == LoadOutcome::State::loaded));
    BOOST_TEST((bench.load(image).state == LoadOutcome::State::present));
    BOOST_TEST(bench.fake.loads().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(an_engine_that_disagrees_with_its_inventory_gets_everything_once) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    bench.load(bench.put("redis:7", three()));
    const LoadImage update = bench.put("redis:8", {test::gzip_layer("base"), test::gzip_layer("mid"), test::gzip_layer("new")});
    bench.fake.script_loads({LoadFault::silent_forget});

    const LoadOutcome outcome = bench.load(update);

    BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
    BOOST_TEST(bench.fake.loads().size() == 3U);
    BOOST_TEST(bench.layers_of(1, update) == "2");
    BOOST_TEST(bench.layers_of(2, update) == "012");
  }
}

struct FaultRow {
  LoadFault fault;
  ErrorCode code;
  const char* text;
};

BOOST_AUTO_TEST_CASE(a_failed_load_is_a_failure_and_is_not_repeated) {
  const FaultRow rows[] = {
      {LoadFault::error_in_stream, ErrorCode::engine, "input/output error"},
      {LoadFault::no_space, ErrorCode::engine, "no space left on device; free space"},
      {LoadFault::absent, ErrorCode::engine, "has no redis:7 after a load"},
      {LoadFault::close_mid_body, ErrorCode::network, "no answer from the engine"},
      {LoadFault::close_mid_answer, ErrorCode::network, "no answer from the engine"},
      {LoadFault::status_500, ErrorCode::engine, "shutting down"},
  };
  for (const FaultRow& row : rows) {
    Bench bench;
    const LoadImage image = bench.put("redis:7", three());
    bench.fake.script_loads({row.fault});

    const auto failure = failure_of([&] { bench.load(image); });

    BOOST_TEST((failure.code == row.code), failure.text);
    BOOST_TEST(contains(failure.text, row.text), failure.text);
    BOOST_TEST(contains(failure.text, "cannot load docker.io/library/redis:7: "));
    const auto targets = bench.fake.targets();
    BOOST_TEST(std::count(targets.begin(), targets.end(), "POST /v1.41/images/load?quiet=0") == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_not_filled_again_with_all_layers) {
  Bench bench;
  bench.load(bench.put("redis:7", three()));
  bench.fake.script_loads({LoadFault::no_space});
  failure_of([&] { bench.load(bench.put("redis:8", {test::gzip_layer("base"), test::gzip_layer("x")})); });
  BOOST_TEST(bench.fake.loads().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_wrong_is_sent_once) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    bench.load(bench.put("redis:7", three()));
    const LoadImage wrong = bench.put("redis:8", {test::gzip_layer("base"), wrong_layer()});

    failure_of([&] { bench.load(wrong); });

    const auto targets = bench.fake.targets();
    BOOST_TEST(std::count_if(targets.begin(), targets.end(), [](const auto& target) { return contains(target, "/images/load"); }) == 2);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_id_after_the_load_is_a_failure) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", three());
  bench.fake.script_loads({LoadFault::wrong_id});
  BOOST_TEST(contains(failure_of([&] { bench.load(image); }).text, ", not " + image.image.parsed.config.digest.to_string()));
}

BOOST_AUTO_TEST_CASE(junk_and_split_answers_do_no_harm) {
  Bench bench;
  bench.fake.script_loads({LoadFault::junk_line, LoadFault::split_answer});
  BOOST_TEST((bench.load(bench.put("a:1", three())).state == LoadOutcome::State::loaded));
  BOOST_TEST((bench.load(bench.put("b:1", {test::gzip_layer("b")})).state == LoadOutcome::State::loaded));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_load_whose_engine_is_silent) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", three());
  bench.fake.script_loads({LoadFault::hang});
  std::stop_source stop;
  bench.ctx.stop = stop.get_token();
  const auto loader = bench.loader();
  std::jthread user([&] {
    while (true) {
      const auto targets = bench.fake.targets();
      if (std::find(targets.begin(), targets.end(), "POST /v1.41/images/load?quiet=0") != targets.end()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    stop.request_stop();
  });
  BOOST_TEST((failure_of([&] { loader->load(bench.ctx, image, no_settle); }).code == ErrorCode::interrupted));
}

BOOST_AUTO_TEST_CASE(a_damaged_layer_is_named_and_its_archive_has_no_end) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    const LoadImage image = bench.put("redis:7", three());
    const Digest damaged = image.image.parsed.layers[1].digest;
    std::string bytes = read_file(bench.store.blob_path(damaged), 1U << 20U);
    bytes[40] = static_cast<char>(bytes[40] ^ 1);
    std::filesystem::permissions(bench.store.blob_path(damaged), std::filesystem::perms::owner_all);
    write_file_durably(bench.store.blob_path(damaged), bytes);

    const auto failure = failure_of([&] { bench.load(image); });

    BOOST_TEST((failure.code == ErrorCode::invalid || failure.code == ErrorCode::digest_mismatch), failure.text);
    BOOST_TEST(contains(failure.text, damaged.to_string()), failure.text);
    BOOST_TEST(bench.fake.loads().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_foreign_layer_is_like_any_other_and_told_of_when_it_is_not_there) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    test::StoredLayer foreign = test::gzip_layer("foreign");
    foreign.media_type = media_type::docker_foreign_layer_gzip;
    BOOST_TEST((bench.load(bench.put("here:1", {test::gzip_layer("base"), foreign})).state == LoadOutcome::State::loaded));

    foreign.blob = test::gzip_layer("elsewhere").blob;
    foreign.plain = test::gzip_layer("elsewhere").plain;
    const LoadImage image = bench.put("there:1", {test::gzip_layer("base"), foreign});
    std::filesystem::remove(bench.store.blob_path(image.image.parsed.layers[1].digest));

    const auto failure = failure_of([&] { bench.load(image); });
    BOOST_TEST((failure.code == ErrorCode::unsupported));
    BOOST_TEST(contains(failure.text, "layer " + image.image.parsed.layers[1].digest.to_string() + " is neither in the store nor in the engine: it is non-distributable"),
               failure.text);
    const auto targets = bench.fake.targets();
    BOOST_TEST(std::count_if(targets.begin(), targets.end(), [](const auto& target) { return contains(target, "/images/load"); }) == 1);
  }
}

BOOST_AUTO_TEST_CASE(images_that_share_a_base_send_it_once_and_load_together) {
  for (const FakeEngineOptions& options : {classic, containerd}) {
    Bench bench(options);
    std::vector<LoadImage> images;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      images.push_back(bench.put(std::string(name) + ":1", {test::gzip_layer("base"), test::gzip_layer(name)}));
    }
    const auto loader = bench.loader();
    std::atomic<std::size_t> sent = 0;

    parallel_for_each(bench.ctx, images.size(), images.size(),
                      [&](const Context& ctx, std::size_t i) { sent += loader->load(ctx, images[i], no_settle).layers_sent; });

    BOOST_TEST(sent == 6U);
    BOOST_TEST(engine::take_inventory(bench.ctx, *bench.client).images.size() == 5U);
  }
}

BOOST_AUTO_TEST_CASE(waiters_send_the_base_themselves_when_its_owner_fails) {
  Bench bench;
  std::vector<LoadImage> images;
  for (const char* name : {"a", "b", "c"}) {
    images.push_back(bench.put(std::string(name) + ":1", {test::gzip_layer("base"), test::gzip_layer(name)}));
  }
  // The owner's top layer is damaged: its load fails after the base was sent.
  const Digest damaged = images[0].image.parsed.layers[1].digest;
  std::filesystem::permissions(bench.store.blob_path(damaged), std::filesystem::perms::owner_all);
  write_file_durably(bench.store.blob_path(damaged), std::string(images[0].image.parsed.layers[1].size, 'x'));
  const auto loader = bench.loader();
  std::atomic<int> good = 0;

  parallel_for_each(bench.ctx, images.size(), images.size(), [&](const Context&, std::size_t i) {
    try {
      loader->load(bench.ctx, images[i], no_settle);
      ++good;
    } catch (const Error&) {
      BOOST_TEST(i == 0U);
    }
  });

  BOOST_TEST(good == 2);
}

BOOST_AUTO_TEST_CASE(settling_gives_the_digest_a_pull_would_give) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", three());
  bench.fake.add_pullable(image.root.digest.to_string(), image.image.parsed.config.digest.to_string());

  const LoadOutcome outcome = bench.load(image, {.settle = engine::Settle::automatic, .registry_auth = "eyJ9"});

  BOOST_TEST(outcome.settled);
  const auto inventory = engine::take_inventory(bench.ctx, *bench.client);
  BOOST_TEST(inventory.find_image("redis:7")->repo_digests == std::vector<std::string>{"redis@" + image.root.digest.to_string()},
             boost::test_tools::per_element());
  const auto requests = bench.fake.requests();
  const auto pull = std::find_if(requests.begin(), requests.end(), [](const auto& request) { return contains(request.target, "/images/create"); });
  BOOST_TEST(pull->headers.at("x-registry-auth") == "eyJ9");
  BOOST_TEST(contains(pull->target, "platform=linux%2Famd64"));
  BOOST_TEST(bench.load(image, {}).settled);  // and is not asked for again
  const auto targets = bench.fake.targets();
  BOOST_TEST(std::count_if(targets.begin(), targets.end(), [](const auto& target) { return contains(target, "/images/create"); }) == 1);
}

BOOST_AUTO_TEST_CASE(a_reference_by_digest_gets_its_name_by_settling) {
  Bench bench;
  LoadImage image = bench.put("redis:7", three());
  image.reference = image.reference.with_digest(image.root.digest);
  bench.fake.add_pullable(image.root.digest.to_string(), image.image.parsed.config.digest.to_string());

  BOOST_TEST(bench.load(image, {}).settled);
  BOOST_TEST((bench.load(image, {}).state == LoadOutcome::State::present));
  BOOST_TEST(engine::take_inventory(bench.ctx, *bench.client).find_image("redis:7") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_registry_out_of_reach_is_warned_of_once) {
  Bench bench;
  bench.fake.break_pulls("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host");
  const auto loader = bench.loader();

  for (const char* name : {"a:1", "b:1", "c:1"}) {
    const LoadOutcome outcome = loader->load(bench.ctx, bench.put(name, {test::gzip_layer(name)}), {});
    BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
    BOOST_TEST(!outcome.settled);
  }

  const auto targets = bench.fake.targets();
  BOOST_TEST(std::count_if(targets.begin(), targets.end(), [](const auto& target) { return contains(target, "/images/create"); }) == 1);
}

BOOST_AUTO_TEST_CASE(a_settling_pull_that_fetches_layers_is_ended) {
  Bench bench;
  const LoadImage image = bench.put("redis:7", three());
  bench.fake.add_pullable(image.root.digest.to_string(), image.image.parsed.config.digest.to_string());
  bench.fake.set_pull_status("Pulling fs layer");
  const LoadOutcome outcome = bench.load(image, {});
  BOOST_TEST((outcome.state == LoadOutcome::State::loaded));
  BOOST_TEST(!outcome.settled);
}

BOOST_AUTO_TEST_SUITE_END()
