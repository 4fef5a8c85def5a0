#include "stack/forecast.h"

#include "base/error.h"
#include "manifest/media_type.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace drover;
using namespace drover::stack;

BOOST_AUTO_TEST_SUITE(forecast)

namespace {

constexpr std::uint64_t giga = 1'000'000'000;

Digest digest(char c) { return Digest::parse("sha256:" + std::string(64, c)); }

Descriptor layer(char c, std::uint64_t size, std::string_view type = media_type::oci_layer_gzip) {
  return {.media_type = std::string(type), .digest = digest(c), .size = size, .platform = {}, .annotations = {}, .urls = {}};
}

registry::PullPlan::Blob blob(char c, std::uint64_t size, bool is_present = false) {
  return {.descriptor = layer(c, size), .repository = Reference::parse("redis:7"), .images = {0}, .is_present = is_present, .is_layer = true};
}

engine::LoadImage load_image(const std::vector<Descriptor>& layers) {
  Manifest manifest{.media_type = std::string(media_type::oci_manifest), .config = layer('f', 100, media_type::oci_config), .layers = layers};
  ImageConfig config;
  for (const Descriptor& one : layers) config.diff_ids.push_back(Digest::of(one.digest.to_string()));
  return {.reference = Reference::parse("redis:7"), .root = layer('e', 500, media_type::oci_manifest),
          .image = {.platform = Platform::parse("linux/amd64"), .manifest = layer('e', 500, media_type::oci_manifest), .parsed = manifest},
          .config = config};
}

struct SpaceRow {
  std::string name;
  std::uint64_t store_bytes;
  std::uint64_t engine_bytes_min;
  std::uint64_t engine_bytes;
  bool is_one_disk;
  std::optional<std::uint64_t> min_free;
  std::string expected;  // the refusal, or empty

  friend std::ostream& operator<<(std::ostream& out, const SpaceRow& row) { return out << row.name; }
};

// Ten gigabytes are free on each disk.
const std::vector<SpaceRow> spaces = {
    {"fits", 9 * giga, 0, 0, false, {}, ""},
    {"fits to the last byte", 10 * giga, 0, 0, false, {}, ""},
    {"the store does not fit", 11 * giga, 0, 0, false, {},
     "nothing was fetched: 10.0 GB are free for the store (/store), 11.0 GB are needed at least; free space there, or name another folder with --store"},
    {"the engine surely does not fit", giga, 11 * giga, 30 * giga, false, {},
     "nothing was fetched: 10.0 GB are free for the engine (/engine), 11.0 GB are needed at least; free space there, or name another folder with --store"},
    {"the engine perhaps does not fit", giga, 6 * giga, 16 * giga, false, {}, ""},
    {"but may not with --min-free", giga, 6 * giga, 16 * giga, false, 0,
     ""},
    {"too little would be left", 7 * giga, 0, 0, false, 4 * giga,
     "nothing was fetched: 10.0 GB are free for the store (/store), 7.0 GB will be needed, and --min-free wants 4.0 GB left"},
    {"just enough would be left", 7 * giga, 0, 0, false, 3 * giga, ""},
    {"too little would be left for the engine", giga, 3 * giga, 8 * giga, false, 3 * giga,
     "nothing was fetched: 10.0 GB are free for the engine (/engine), 8.0 GB will be needed, and --min-free wants 3.0 GB left"},
    {"both on one disk", 6 * giga, 5 * giga, 9 * giga, true, {},
     "nothing was fetched: 10.0 GB are free for the store (/store) and the engine (/engine), 11.0 GB are needed at least; free space there, or name "
     "another folder with --store"},
    {"both on one disk and enough", 2 * giga, 2 * giga, 5 * giga, true, 3 * giga, ""},
};

}  // namespace

BOOST_DATA_TEST_CASE(space_is_refused_with_the_numbers, spaces, row) {
  Forecast forecast;
  forecast.store = {.folder = "/store", .bytes = row.store_bytes, .bytes_min = row.store_bytes, .space = DiskSpace{.free_bytes = 10 * giga, .device = 1}};
  forecast.engine = DiskNeed{.folder = "/engine", .bytes = row.engine_bytes, .bytes_min = row.engine_bytes_min,
                             .space = DiskSpace{.free_bytes = 10 * giga, .device = row.is_one_disk ? 1U : 2U}};
  std::string refusal;
  try {
    require_space(forecast, row.min_free);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::refused));
    refusal = error.what();
  }
  BOOST_TEST(refusal == row.expected);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_at_is_not_judged) {
  Forecast forecast;
  forecast.store = {.folder = "/store", .bytes = giga, .bytes_min = giga, .space = {}};
  require_space(forecast, 100 * giga);
}

BOOST_AUTO_TEST_CASE(the_store_needs_whole_blocks_without_what_parts_hold) {
  const test::TempDir folder;
  store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);
  registry::PullPlan plan;
  plan.blobs = {blob('a', 10'000), blob('b', 5000, true), blob('c', 1)};
  BOOST_TEST(store_need(plan, store, folder / "store").bytes == 12'288U + 4096U);

  folder.write("store/ingest/sha256-" + std::string(64, 'a') + ".part", std::string(10'000, 'x'));
  const DiskNeed need = store_need(plan, store, folder / "store");
  BOOST_TEST(need.bytes < 12'288U + 4096U);
  BOOST_TEST(need.bytes >= 4096U);
  BOOST_TEST(need.bytes_min == need.bytes);
  BOOST_TEST(need.space.has_value());
}

BOOST_AUTO_TEST_CASE(the_engine_needs_what_it_lacks_once_and_unpacked) {
  const test::TempDir folder;
  const store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);
  const engine::LoadImage one = load_image({layer('a', 1000), layer('b', 2000)});
  const engine::LoadImage two = load_image({layer('a', 1000), layer('c', 4000, media_type::oci_layer)});
  engine::Inventory inventory;

  const DiskNeed all = engine_need({one, two}, inventory, store, 8);
  BOOST_TEST(all.bytes == 4000U + 8000U + 5200U);
  BOOST_TEST(all.bytes_min == 7000U);
  BOOST_TEST(all.bytes_passing == 4000U + 8000U + 4000U);  // both archives at once, at the worst

  inventory.chain_ids.insert(one.config.chain_ids().front());
  BOOST_TEST(engine_need({one, two}, inventory, store, 8).bytes == 8000U + 5200U);

  inventory.store = engine::StoreKind::containerd;
  BOOST_TEST(engine_need({one}, inventory, store, 8).bytes == 2000U + 8000U);
  BOOST_TEST(engine_need({one}, inventory, store, 8).bytes_passing == 0U);

  inventory.images.push_back({.id = one.root.digest, .repo_tags = {"redis:7"}, .repo_digests = {}});
  inventory.blobs.insert(one.image.manifest.digest);
  BOOST_TEST(engine_need({one}, inventory, store, 8).bytes == 0U);
}

BOOST_AUTO_TEST_CASE(only_so_many_archives_are_copied_at_once) {
  const test::TempDir folder;
  const store::BlobStore store = store::BlobStore::open(folder / "store", store::BlobStore::Access::write);
  std::vector<engine::LoadImage> images;
  for (const char c : std::string("0123456789")) {
    images.push_back(load_image({layer(c, 1000U * static_cast<unsigned>(c - '0' + 1), media_type::oci_layer)}));
  }
  BOOST_TEST(engine_need(images, {}, store, 8).bytes_passing == 3000U + 4000U + 5000U + 6000U + 7000U + 8000U + 9000U + 10'000U);
}

BOOST_AUTO_TEST_CASE(what_may_not_fit_is_said) {
  Forecast forecast;
  forecast.store = {.folder = "/store", .bytes = giga, .bytes_min = giga, .space = DiskSpace{.free_bytes = 10 * giga, .device = 1}};
  forecast.engine = DiskNeed{.folder = "/engine", .bytes = 6 * giga, .bytes_min = 2 * giga, .bytes_passing = 4 * giga,
                             .space = DiskSpace{.free_bytes = 10 * giga, .device = 2}};
  BOOST_TEST(!space_warning(forecast));
  forecast.engine->bytes_passing += giga;
  BOOST_TEST(space_warning(forecast).value_or("") ==
             "10.0 GB are free for the engine (/engine), up to 11.0 GB are needed by estimate: it may not fit");
}

BOOST_AUTO_TEST_CASE(the_plan_is_a_short_text) {
  Forecast forecast;
  forecast.pull.blobs = {blob('a', 40 << 20U), blob('b', 5000, true)};
  forecast.pull.bytes_total = (40 << 20U) + 5000;
  forecast.pull.bytes_missing = 40 << 20U;
  forecast.requests = 9;
  forecast.store = {.folder = "/store", .bytes = 40 << 20U, .bytes_min = 40 << 20U, .space = DiskSpace{.free_bytes = 10 * giga, .device = 1}};
  forecast.engine = DiskNeed{.folder = {}, .bytes = 120'000'000, .bytes_min = 40 << 20U, .bytes_passing = 110'000'000, .space = {}};
  forecast.hub_pulls = 3;
  forecast.hub_limit = registry::RateLimit{.limit = 100, .remaining = 58, .window_seconds = 21'600, .source = {}};

  BOOST_TEST(to_text(forecast) == "fetch sha256:" + std::string(64, 'a') + " 41943040 from docker.io/library/redis\n"
                                  "present 1 of 2 blobs, to fetch 41.9 MB of 41.9 MB\n"
                                  "requests: at least 9\n"
                                  "disk for the store: 41.9 MB, 10.0 GB free at /store\n"
                                  "disk for the engine: 120.0 MB by estimate, from the sizes of the missing layers, and 110.0 MB while it is loaded\n"
                                  "docker hub: 3 pulls, 58 of 100 pulls left\n");
  forecast.hub_limit.reset();
  BOOST_TEST(to_text(forecast).ends_with("docker hub: 3 pulls\n"));
}

BOOST_AUTO_TEST_CASE(room_is_looked_for_where_the_folder_will_be) {
  const test::TempDir folder;
  const auto here = find_disk_space(folder.path());
  const auto there = find_disk_space(folder / "not/yet/made");
  BOOST_TEST_REQUIRE((here && there));
  BOOST_TEST(here->device == there->device);
  BOOST_TEST(here->free_bytes > 0U);
  BOOST_TEST(!find_disk_space("").has_value());
  BOOST_TEST(!find_disk_space(folder.write("file", "x") / "below").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
