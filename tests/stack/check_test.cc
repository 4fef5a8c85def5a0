#include "stack/check.h"

#include "tests/stack/listed_engine.h"
#include "tests/support/fake_registry.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::stack;
using namespace drover::test;

namespace drover::stack {
std::ostream& operator<<(std::ostream& out, UpdateState state) { return out << to_string(state); }
}  // namespace drover::stack

BOOST_AUTO_TEST_SUITE(checking)

namespace {

struct Version {
  FakeImage amd64;
  FakeImage arm64;
  std::string index;
};

// A registry with redis:7, and an engine that may hold some version of it.
struct Surroundings {
  explicit Surroundings(const char* api = "1.41", bool is_containerd = false) : listed(api, is_containerd) {}

  // Two versions differ for the platforms that are named differently.
  Version publish(const std::string& amd64, const std::string& arm64) {
    Version version;
    version.amd64 = registry.add_image("redis", "", {{.bytes = "amd64 " + amd64}}, {.architecture = "amd64"});
    version.arm64 = registry.add_image("redis", "", {{.bytes = "arm64 " + arm64}}, {.architecture = "arm64"});
    version.index = registry.add_index("redis", "7", {version.amd64, version.arm64});
    return version;
  }
  std::string name() const { return registry.host() + "/redis"; }
  // As a pull leaves it in a classic store.
  void hold_classic(const Version& version, bool is_tagged = true) {
    const std::vector<std::string> tags = is_tagged ? std::vector<std::string>{name() + ":7"} : std::vector<std::string>{};
    listed.images.push_back({.id = version.amd64.config_digest, .tags = tags, .digests = {name() + "@" + version.index}, .manifests = {}});
  }
  void hold_containerd(const Version& version, const std::string& tag) {
    listed.images.push_back({.id = version.index, .tags = {tag}, .digests = {name() + "@" + version.index}, .manifests = {version.amd64.digest}});
  }
  void run(const std::string& image_id, const std::string& service = "db") {
    listed.containers.push_back({.project = "stack", .service = service, .image = name() + ":7", .image_id = image_id});
  }

  CheckedImage check(const std::vector<std::string>& services = {"db"}, const std::string& project = "stack") {
    const Reference reference = Reference::parse(registry.reference("redis", "7"));
    registry.clear_log();
    return stack::check(Context{}, client, nullptr, &engine, project, {{.reference = reference, .platform = {}, .services = services}}, 4).at(0);
  }

  FakeRegistry registry;
  ListedEngine listed;
  net::Transport transport;
  registry::Client client{transport, {}};
  engine::Client engine{transport, listed.endpoint()};
};

struct Containerd : Surroundings {
  Containerd() : Surroundings("1.48", true) {}
};

// Before API 1.47 nobody says which manifests an index brought.
struct OldContainerd : Surroundings {
  OldContainerd() : Surroundings("1.43", true) {}
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_current_costs_one_head, Surroundings) {
  const Version version = publish("1", "1");
  hold_classic(version);

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::current);
  BOOST_TEST(!checked.running.has_value());
  BOOST_TEST(checked.local.value() == checked.available.value());
  BOOST_TEST(registry.count("HEAD", "/manifests/") == 1U);
  BOOST_TEST(registry.count("GET", "/manifests/") == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_image_without_repo_digests_is_known_by_its_config, Surroundings) {
  const Version version = publish("1", "1");
  listed.images.push_back({.id = version.amd64.config_digest, .tags = {name() + ":7"}, .digests = {}, .manifests = {}});

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::current);
  BOOST_TEST(checked.local.value() == version.amd64.digest);
  BOOST_TEST(checked.available.value() == version.amd64.digest);
}

BOOST_FIXTURE_TEST_CASE(a_change_for_another_platform_is_no_update, Surroundings) {
  hold_classic(publish("1", "1"));
  publish("1", "2");

  BOOST_TEST(check().state == UpdateState::current);
}

BOOST_FIXTURE_TEST_CASE(a_change_for_this_platform_is_an_update, Surroundings) {
  const Version old = publish("1", "1");
  hold_classic(old);
  const Version now = publish("2", "1");

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::update);
  BOOST_TEST(checked.local.value() == old.index);
  BOOST_TEST(checked.available.value() == now.amd64.digest);
}

BOOST_FIXTURE_TEST_CASE(what_runs_decides_not_the_tag, Surroundings) {
  const Version old = publish("1", "1");
  hold_classic(old, false);
  const Version now = publish("2", "1");
  hold_classic(now);
  run(old.amd64.config_digest);

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::update);
  BOOST_TEST(checked.running.value() == old.index);
  BOOST_TEST(checked.local.value() == now.amd64.digest);
}

BOOST_FIXTURE_TEST_CASE(one_old_container_of_several_is_an_update, Surroundings) {
  const Version old = publish("1", "1");
  hold_classic(old, false);
  const Version now = publish("2", "1");
  hold_classic(now);
  run(now.amd64.config_digest, "db");
  run(old.amd64.config_digest, "queue");

  const CheckedImage checked = check({"db", "queue"});

  BOOST_TEST(checked.state == UpdateState::update);
  BOOST_TEST(checked.running.value() == old.index);
  BOOST_TEST(check({"db"}).state == UpdateState::current);
}

BOOST_FIXTURE_TEST_CASE(containers_of_others_do_not_count, Surroundings) {
  const Version old = publish("1", "1");
  hold_classic(old, false);
  const Version now = publish("2", "1");
  hold_classic(now);
  run(old.amd64.config_digest, "other");
  run(old.amd64.config_digest);
  listed.containers.back().project = "another";
  run(old.amd64.config_digest);
  listed.containers.back().state = "exited";
  run(old.amd64.config_digest);
  listed.containers.back().is_oneoff = true;

  BOOST_TEST(check().state == UpdateState::current);
}

BOOST_FIXTURE_TEST_CASE(without_a_project_containers_count_by_their_image, Surroundings) {
  const Version old = publish("1", "1");
  hold_classic(old, false);
  hold_classic(publish("2", "1"));
  run(old.amd64.config_digest);
  listed.containers.back().project = "whatever";

  BOOST_TEST(check({}, "").state == UpdateState::update);
}

BOOST_FIXTURE_TEST_CASE(what_the_engine_lacks_is_missing, Surroundings) {
  const Version version = publish("1", "1");

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::missing);
  BOOST_TEST(!checked.local.has_value());
  BOOST_TEST(checked.available.value() == version.amd64.digest);
}

BOOST_FIXTURE_TEST_CASE(a_registry_that_fails_leaves_it_unknown, Surroundings) {
  hold_classic(publish("1", "1"));
  registry.remove_tag("redis", "7");

  const CheckedImage checked = check();

  BOOST_TEST(checked.state == UpdateState::unknown);
  BOOST_TEST_REQUIRE(checked.error.has_value());
  BOOST_TEST((checked.error->code() == ErrorCode::not_found));
  BOOST_TEST(checked.local.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_platform_that_is_gone_is_said, Surroundings) {
  const Version version = publish("1", "1");
  hold_classic(version);
  registry.add_index("redis", "7", {version.arm64});

  BOOST_TEST(check().state == UpdateState::no_platform);
}

BOOST_FIXTURE_TEST_CASE(in_a_containerd_store_another_platform_s_change_is_no_update, Containerd) {
  hold_containerd(publish("1", "1"), name() + ":7");
  BOOST_TEST(check().state == UpdateState::current);
  publish("1", "2");
  BOOST_TEST(check().state == UpdateState::current);
  publish("2", "2");
  BOOST_TEST(check().state == UpdateState::update);
}

BOOST_FIXTURE_TEST_CASE(in_a_containerd_store_another_tag_with_the_new_image_changes_nothing, Containerd) {
  const Version old = publish("1", "1");
  const Version now = publish("2", "1");
  hold_containerd(old, name() + ":7");
  hold_containerd(now, name() + ":7.2");

  BOOST_TEST(check().state == UpdateState::update);
}

BOOST_FIXTURE_TEST_CASE(an_old_containerd_store_is_asked_by_its_index, OldContainerd) {
  hold_containerd(publish("1", "1"), name() + ":7");
  publish("1", "2");
  BOOST_TEST(check().state == UpdateState::current);
  publish("2", "2");
  BOOST_TEST(check().state == UpdateState::update);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_unpacked_is_missing, Containerd) {
  hold_containerd(publish("1", "1"), name() + ":7");
  listed.images.back().is_packed = true;

  BOOST_TEST(check().state == UpdateState::missing);
}

BOOST_AUTO_TEST_SUITE_END()
