// Thousands of made-up hosts, most of them odd, under made-up policies: no image in use and no volume with an owner ever goes.
//
// The judge here is written anew, from the words of the two promises; it calls nothing of the planner and nothing of the ledger.
#include "stack/prune_plan.h"

#include "base/error.h"
#include "tests/stack/engine_state.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace drover;
using namespace drover::test;
using stack::PruneKind;

BOOST_AUTO_TEST_SUITE(prune_invariants)

namespace {

constexpr int hosts = 3000;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(engine_); }
  bool is_one_of(int sides) { return roll(sides) == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[static_cast<std::size_t>(roll(static_cast<int>(items.size())))];
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> projects{"mail", "cloud", "wiki"};
const std::vector<std::string> repositories{"redis", "localhost:5000/app", "ghcr.io/mail/db"};
const std::vector<std::string> states{"running", "exited", "created", "paused", "dead", "restarting", "removing", ""};

struct MadeUp {
  engine::Snapshot snapshot{.engine = "unix:///x"};
  stack::Ledger ledger;
  stack::PrunePolicy policy;
};

void add_images(Dice& dice, MadeUp& host) {
  const int count = dice.roll(12);
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> tags;
    for (int t = dice.roll(3); t > 0; --t) tags.push_back(dice.pick(repositories) + ":" + std::to_string(dice.roll(4)));
    std::string layers;
    for (int l = dice.roll(4); l > 0; --l) layers += static_cast<char>('a' + dice.roll(3));
    engine::SnapshotImage made = image("image " + std::to_string(i), tags, std::chrono::hours(dice.roll(100)), layers);
    if (dice.is_one_of(3)) made.repo_digests = {dice.pick(repositories) + "@" + id_of("digest " + std::to_string(i)).to_string()};
    if (dice.is_one_of(4)) made.arrived.reset();
    if (dice.is_one_of(4)) made.layer_bytes.clear();
    if (dice.is_one_of(3)) made.parent = id_of("image " + std::to_string(dice.roll(12)));  // sometimes itself, or one that is not there
    if (dice.is_one_of(5)) made.manifests = {id_of("manifest " + std::to_string(i))};
    host.snapshot.images.push_back(std::move(made));
  }
}

std::string volume_name(Dice& dice) {
  if (dice.is_one_of(2)) return std::string(64, static_cast<char>('a' + dice.roll(6)));
  return dice.pick(projects) + "_data" + std::to_string(dice.roll(3));
}

void add_containers(Dice& dice, MadeUp& host) {
  for (int i = dice.roll(8); i > 0; --i) {
    engine::SnapshotContainer made = container("c" + std::to_string(i), "", dice.pick(states));
    if (dice.is_one_of(2)) made.labels = of(dice.pick(projects), "service");
    for (int v = dice.roll(3); v > 0; --v) made.volumes.push_back(volume_name(dice));
    const std::string number = std::to_string(dice.roll(12));
    switch (dice.roll(4)) {
      case 0: made.image_id = id_of("image " + number); break;
      case 1: made.image_manifest = id_of("manifest " + number); break;
      case 2: made.image_reference = dice.pick(repositories) + ":" + std::to_string(dice.roll(4)); break;
      default: made.image_reference = id_of("image " + number).to_string().substr(dice.is_one_of(2) ? 0 : 7, dice.is_one_of(2) ? 99 : 12);
    }
    host.snapshot.containers.push_back(std::move(made));
  }
}

void add_volumes(Dice& dice, MadeUp& host) {
  std::set<std::string> names;
  for (int i = dice.roll(10); i > 0; --i) names.insert(volume_name(dice));
  for (const std::string& name : names) {
    engine::SnapshotVolume made = volume(name, std::chrono::hours(dice.roll(100)));
    if (dice.is_one_of(3)) made.labels["com.docker.volume.anonymous"] = "";
    if (dice.is_one_of(4)) made.labels["com.docker.compose.project"] = dice.pick(projects);
    if (dice.is_one_of(9)) made.labels["com.docker.stack.namespace"] = dice.pick(projects);
    if (dice.is_one_of(9)) made.driver = "nfs";
    if (dice.is_one_of(9)) made.created.reset();
    host.snapshot.volumes.push_back(std::move(made));
  }
}

void add_past(Dice& dice, MadeUp& host) {
  for (int i = dice.roll(4); i > 0; --i) {
    host.ledger.projects[dice.pick(projects)].volumes[volume_name(dice)] = {.services = {}, .last_seen = ago(days(dice.roll(900)))};
  }
  for (int i = dice.roll(3); i > 0; --i) host.ledger.volumes_used[volume_name(dice)] = ago(std::chrono::hours(dice.roll(90)));
  for (int i = dice.roll(3); i > 0; --i) {
    host.snapshot.past_mounts.push_back({.volume = volume_name(dice), .time = ago(days(dice.roll(9))),
                                         .labels = dice.is_one_of(2) ? of(dice.pick(projects), "s") : std::map<std::string, std::string>{}});
  }
  if (dice.is_one_of(3)) host.ledger.pins[dice.pick(repositories) + ":1"] = now;
}

void set_policy(Dice& dice, MadeUp& host) {
  host.policy.kinds = {PruneKind::image, PruneKind::volume};
  if (dice.is_one_of(2)) host.policy.kinds.insert(PruneKind::container);
  host.policy.keep = static_cast<std::size_t>(dice.roll(4));
  host.policy.min_age = std::chrono::hours(dice.is_one_of(2) ? 0 : dice.roll(48));
  if (dice.is_one_of(3)) host.policy.free_bytes = static_cast<std::uint64_t>(dice.roll(3000));
  host.policy.force = dice.is_one_of(2);
  if (dice.is_one_of(4) && !host.snapshot.volumes.empty()) host.policy.volumes = {dice.pick(host.snapshot.volumes).name};
}

MadeUp make_host(unsigned seed) {
  Dice dice(seed);
  MadeUp host;
  if (dice.is_one_of(2)) host.snapshot.store = engine::StoreKind::containerd;
  add_images(dice, host);
  add_containers(dice, host);
  add_volumes(dice, host);
  add_past(dice, host);
  set_policy(dice, host);
  return host;
}

// "An image in use": a container in any state was made from it, says its ID, its manifest, its name or the beginning of its ID.
bool is_in_use(const MadeUp& host, const engine::SnapshotImage& image) {
  for (const engine::SnapshotContainer& user : host.snapshot.containers) {
    if (user.image_id && user.image_id->to_string() == image.id.to_string()) return true;
    for (const Digest& manifest : image.manifests) {
      if (user.image_manifest && user.image_manifest->to_string() == manifest.to_string()) return true;
    }
    for (const std::string& tag : image.tags) {
      if (user.image_reference == tag) return true;
    }
    std::string written = user.image_reference;
    if (written.rfind("sha256:", 0) == 0) written = written.substr(7);
    if (written.size() >= 12 && image.id.to_string().compare(7, written.size(), written) == 0) return true;
  }
  return false;
}

bool is_mounted(const MadeUp& host, const std::string& volume) {
  for (const engine::SnapshotContainer& user : host.snapshot.containers) {
    if (std::count(user.volumes.begin(), user.volumes.end(), volume) > 0) return true;
  }
  return false;
}

// "A volume with an owner": its own label, a container's that mounted it now or in the engine's memory, or the ledger says so.
bool has_owner(const MadeUp& host, const engine::SnapshotVolume& volume) {
  const auto is_label = [](const auto& labels) { return labels.count("com.docker.compose.project") + labels.count("com.docker.stack.namespace") > 0; };
  if (is_label(volume.labels)) return true;
  for (const engine::SnapshotMount& mount : host.snapshot.past_mounts) {
    if (mount.volume == volume.name && is_label(mount.labels)) return true;
  }
  for (const auto& [name, project] : host.ledger.projects) {
    if (project.volumes.count(volume.name) > 0) return true;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_image_in_use_and_no_volume_with_an_owner_goes) {
  std::size_t removed_images = 0;
  std::size_t removed_volumes = 0;
  std::size_t refused = 0;
  for (unsigned seed = 1; seed <= hosts; ++seed) {
    const MadeUp host = make_host(seed);
    const stack::PrunePlan plan = stack::plan_prune(host.snapshot, host.ledger, host.policy, now);
    refused += plan.refused.size();
    for (const stack::PruneItem& item : plan.remove) {
      if (item.kind == PruneKind::image) {
        const auto found = std::find_if(host.snapshot.images.begin(), host.snapshot.images.end(), [&](const auto& image) { return image.id.to_string() == item.id; });
        BOOST_TEST_REQUIRE((found != host.snapshot.images.end()), "seed " << seed << ": no such image " << item.id);
        BOOST_TEST_REQUIRE(!is_in_use(host, *found), "seed " << seed << ": image in use would go: " << to_text(plan));
        ++removed_images;
      }
      if (item.kind == PruneKind::volume) {
        const auto found = std::find_if(host.snapshot.volumes.begin(), host.snapshot.volumes.end(), [&](const auto& volume) { return volume.name == item.id; });
        BOOST_TEST_REQUIRE((found != host.snapshot.volumes.end()), "seed " << seed << ": no such volume " << item.id);
        BOOST_TEST_REQUIRE(!is_mounted(host, item.id), "seed " << seed << ": mounted volume would go: " << to_text(plan));
        const bool is_insisted_on = host.policy.force && host.policy.volumes.count(item.id) > 0;
        BOOST_TEST_REQUIRE((is_insisted_on || !has_owner(host, *found)), "seed " << seed << ": owned volume would go: " << to_text(plan));
        ++removed_volumes;
      }
    }
  }
  // Else the promises hold for want of anything to remove.
  BOOST_TEST(removed_images > 500U);
  BOOST_TEST(removed_volumes > 150U);
  BOOST_TEST(refused > 500U);
}

// Every object is told of once, and the sum is that of the parts.
BOOST_AUTO_TEST_CASE(every_object_has_exactly_one_verdict) {
  for (unsigned seed = 1; seed <= hosts / 4; ++seed) {
    const MadeUp host = make_host(seed);
    const stack::PrunePlan plan = stack::plan_prune(host.snapshot, host.ledger, host.policy, now);
    std::set<std::pair<PruneKind, std::string>> told;
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    for (const auto* list : {&plan.keep, &plan.remove, &plan.refused}) {
      for (const stack::PruneItem& item : *list) {
        told.emplace(item.kind, item.id);
        BOOST_TEST_REQUIRE(!item.reason.empty());
        ++count;
      }
    }
    for (const stack::PruneItem& item : plan.remove) bytes += item.bytes;
    std::size_t objects = host.snapshot.images.size() + host.snapshot.volumes.size();
    if (host.policy.kinds.contains(PruneKind::container)) objects += host.snapshot.containers.size();
    BOOST_TEST_REQUIRE(count == objects, "seed " << seed);
    BOOST_TEST_REQUIRE(told.size() == objects, "seed " << seed);
    BOOST_TEST_REQUIRE(bytes == plan.bytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()
