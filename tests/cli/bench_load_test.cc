// drover bench load as typed: what it loads it removes again, and nothing else.
#include "tests/cli/command_line.h"
#include "tests/engine/stored_images.h"
#include "tests/support/fake_engine.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>

using namespace drover;
using namespace drover::test;
using nlohmann::ordered_json;

namespace {

struct BenchHost {
  FakeEngine engine;
  CommandLine drover;
  std::string other = Digest::of("other").to_string();
  Digest config = put();

  BenchHost() {
    drover.set("DOCKER_HOST", "unix://" + engine.socket().string());
    drover.set("DROVER_STATE", (drover.home() / "state").string());
    std::filesystem::create_directory(drover.home() / "tmp");
    drover.set("TMPDIR", (drover.home() / "tmp").string());
    drover.set("PATH", (drover.home() / "bin").string());
    // Stands on the lower layer of what is loaded; and a dangling one.
    engine.add_image({.id = other,
                      .tags = {"other:1"},
                      .digests = {},
                      .diff_ids = {Digest::of(layer("lower").plain).to_string()},
                      .bytes = 1});
    engine.add_image({.id = Digest::of("dangling").to_string(),
                      .tags = {},
                      .digests = {},
                      .diff_ids = {Digest::of("x").to_string()},
                      .bytes = 1});
  }

  static StoredLayer layer(const std::string& name) { return plain_layer(name); }

  Digest put() const {
    store::BlobStore store = store::BlobStore::open(drover.store(), store::BlobStore::Access::write);
    const engine::LoadImage image = put_image(store, "acme/api:1", {layer("lower"), layer("upper")});
    store.set_tags({{.name = image.reference.to_string(), .descriptor = image.root}});
    return image.image.parsed.config.digest;
  }

  std::vector<std::string> removals() const {
    std::vector<std::string> targets;
    for (const std::string& target : engine.targets()) {
      if (target.starts_with("DELETE")) targets.push_back(target.substr(target.find("/images")));
    }
    return targets;
  }

  Outcome run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"bench", "load"});
    words.insert(words.end(), {"--progress", "none"});
    return drover.run(words);
  }

  bool is_as_before() const { return engine.image_tags() == std::vector<std::string>{"other:1"}; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bench_load, BenchHost)

BOOST_AUTO_TEST_CASE(what_is_loaded_is_removed_again_by_id) {
  const Outcome outcome = run({"acme/api:1", "--repeat", "2", "--json"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "images,platform,engine,bytes,repeat,tools");
  BOOST_TEST(json.at("tools")[0].at("all").size() == 2U);
  BOOST_TEST(engine.loads().size() == 2U);
  BOOST_TEST(removals() == (std::vector<std::string>{"/images/" + config.to_string() + "?noprune=1",
                                                     "/images/" + config.to_string() + "?noprune=1"}),
             boost::test_tools::per_element());
  BOOST_TEST(is_as_before());
  BOOST_TEST(std::filesystem::is_empty(drover.home() / "tmp"));
}

BOOST_AUTO_TEST_CASE(docker_gets_an_archive_of_all_layers) {
  const std::string copy = (drover.home() / "archive.tar").string();
  std::filesystem::permissions(drover.home().write("bin/docker", "#!/bin/sh\nfor last; do :; done\ncp \"$last\" " + copy + "\n"),
                               std::filesystem::perms::owner_all);

  const Outcome outcome = run({"acme/api:1", "--repeat", "1"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const auto files = read_tar(drover.home().read("archive.tar"));
  BOOST_TEST(files.contains("manifest.json"));
  BOOST_TEST(files.size() == 4U);  // two layers, config, manifest
  BOOST_TEST(is_as_before());
}

BOOST_AUTO_TEST_CASE(what_the_engine_has_is_refused) {
  engine.add_image({.id = Digest::of("older").to_string(),
                    .tags = {"acme/api:1"},
                    .digests = {},
                    .diff_ids = {Digest::of("y").to_string()},
                    .bytes = 1});

  const Outcome outcome = run({"acme/api:1"});

  BOOST_TEST(outcome.code == 13, outcome.err);
  BOOST_TEST(outcome.err.find("the engine has another image named acme/api:1") != std::string::npos, outcome.err);
  BOOST_TEST(run({"acme/api:1", "--dry-run"}).code == 13);
  BOOST_TEST(engine.loads().empty());
  BOOST_TEST(removals().empty());
}

BOOST_AUTO_TEST_CASE(what_a_container_stands_on_is_refused) {
  engine.with_objects([&](FakeObjects& objects) {
    objects.containers["c"] = {.id = "c", .name = "api-1", .image = "acme/api:1", .image_id = config.to_string()};
  });

  const Outcome outcome = run({"acme/api:1"});

  BOOST_TEST(outcome.code == 13, outcome.err);
  BOOST_TEST(outcome.err.find("container api-1 uses acme/api:1") != std::string::npos, outcome.err);
  BOOST_TEST(engine.loads().empty());
}

// Somebody starts a container while it is measured: the image stays, and it is said.
BOOST_AUTO_TEST_CASE(an_image_that_somebody_takes_up_stays) {
  engine.before("DELETE /images/", [&] {
    engine.with_objects([&](FakeObjects& objects) {
      objects.containers["c"] = {.id = "c", .name = "api-1", .image = "acme/api:1", .image_id = config.to_string()};
    });
  });

  const Outcome outcome = run({"acme/api:1"});

  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(outcome.err.find("image is being used by a container") != std::string::npos, outcome.err);
  BOOST_TEST(engine.loads().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_load_that_fails_leaves_nothing) {
  engine.script_loads({LoadFault::no_space, LoadFault::no_space});

  const Outcome outcome = run({"acme/api:1", "--json"});

  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(outcome.json().at("tools")[0].at("seconds").is_null());
  BOOST_TEST(is_as_before());
}

BOOST_AUTO_TEST_CASE(what_would_be_done_is_told) {
  const Outcome outcome = run({"acme/api:1", "--dry-run", "--json"});

  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(members(outcome.json().at("plan")) == "images,platform,bytes,repeat,tools");
  BOOST_TEST(engine.loads().empty());
  BOOST_TEST(run({"acme/none:1"}).code == 1);
  BOOST_TEST(run({}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()
