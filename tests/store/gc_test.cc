#include "store/gc.h"

#include "base/file.h"
#include "store/reach.h"
#include "tests/store/small_image.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

using namespace drover;
using namespace drover::store;
using namespace std::chrono_literals;
using test::has_code;
using test::put;
using test::put_image;

namespace {

constexpr GcPolicy no_grace{.blob_grace = 0s, .leftover_grace = 0s};

struct GcFixture {
  test::TempDir dir;
  std::filesystem::path root = dir / "store";
  std::optional<BlobStore> store = BlobStore::open(root, BlobStore::Access::write);
  Context ctx;

  // Closes the store, as a program does that wants to clean it.
  GcReport apply(const GcPlan& plan) {
    store.reset();
    const GcReport report = apply_gc(ctx, root, plan);
    store = BlobStore::open(root, BlobStore::Access::write);
    return report;
  }
  GcPlan plan(const GcPolicy& policy = no_grace) const { return plan_gc(ctx, *store, policy); }
  void damage(const Digest& digest, std::string_view bytes) const {
    std::filesystem::remove(store->blob_path(digest));
    dir.write("store/blobs/sha256/" + digest.hex(), bytes);
  }
};

std::set<std::string> ids(const std::vector<GcItem>& items) {
  std::set<std::string> result;
  for (const GcItem& item : items) result.insert(item.id);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gc_plan)

BOOST_AUTO_TEST_CASE(a_plan_is_a_text_to_read) {
  const auto now = std::chrono::system_clock::time_point(100h);
  const auto blob = [](std::string_view text, GcKind kind, std::chrono::system_clock::time_point changed, std::vector<std::string> needed_by) {
    return GcListing::Blob{.digest = Digest::of(text), .bytes = 1000, .changed = changed, .kind = kind, .needed_by = std::move(needed_by)};
  };
  const GcListing listing{
      .blobs = {blob("layer", GcKind::blob, now - 2h, {}), blob("manifest", GcKind::manifest, now - 2h, {}),
                blob("index", GcKind::index, now - 2h, {}), blob("needed", GcKind::blob, now - 90h, {"a:1", "b:1"}),
                blob("young", GcKind::blob, now - 59min, {}), blob("at the limit", GcKind::blob, now - 1h, {}),
                blob("from the future", GcKind::blob, now + 5h, {})},
      .leftovers = {{.path = "ingest/sha256-aa.journal", .bytes = 10, .changed = now - 2h, .is_in_use = false},
                    {.path = "ingest/sha256-aa.part", .bytes = 10, .changed = now - 25h, .is_in_use = false},
                    {.path = "ingest/sha256-bb.part", .bytes = 10, .changed = now - 25h, .is_in_use = false},
                    {.path = "ingest/sha256-cc.part", .bytes = 10, .changed = now - 25h, .is_in_use = true}}};
  const auto id = [](std::string_view text) { return Digest::of(text).to_string(); };

  const GcPlan plan = plan_gc(listing, {}, now);

  BOOST_TEST(to_text(plan) == "remove index " + id("index") + " 1.0 kB: no image needs it\n" +
                                  "remove manifest " + id("manifest") + " 1.0 kB: no image needs it\n" +
                                  "remove blob " + id("layer") + " 1.0 kB: no image needs it\n" +
                                  "remove blob " + id("at the limit") + " 1.0 kB: no image needs it\n" +
                                  "remove leftover ingest/sha256-bb.part 10 B: left over, older than 24h00m\n" +
                                  "keep blob " + id("needed") + " 1.0 kB: needed by a:1 and 1 more\n" +
                                  "keep blob " + id("young") + " 1.0 kB: no image needs it, but it is younger than 1h00m\n" +
                                  "keep blob " + id("from the future") + " 1.0 kB: no image needs it, but it is younger than 1h00m\n" +
                                  "keep leftover ingest/sha256-aa.journal 10 B: younger than 24h00m, a download may go on with it\n" +
                                  "keep leftover ingest/sha256-aa.part 10 B: younger than 24h00m, a download may go on with it\n" +
                                  "keep leftover ingest/sha256-cc.part 10 B: in use by another drover\n" +
                                  "remove 5, 4.0 kB; keep 6\n");
  BOOST_TEST(plan.bytes == 4010U);
}

BOOST_AUTO_TEST_CASE(digests_are_found_wherever_they_stand) {
  const Digest a = Digest::of("a");
  const Digest b = Digest::of("b", Digest::Algorithm::sha512);
  const std::string text = "x" + a.to_string() + "\"sha256:sha256:" + a.hex() + b.to_string() + "sha256:" + std::string(63, 'a') + "g sha256:";

  const std::vector<Digest> found = find_digests(text);

  BOOST_TEST_REQUIRE(found.size() == 2U);
  BOOST_TEST(found[0] == a);
  BOOST_TEST(found[1] == b);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(gc, GcFixture)

BOOST_AUTO_TEST_CASE(what_images_need_stays_and_the_rest_goes) {
  const Descriptor amd64 = put_image(*store, "amd64", {"shared", "amd64 layer"});
  const Descriptor arm64 = put_image(*store, "arm64", {"shared", "arm64 layer"});
  const Descriptor index = put(*store, test::index_json({amd64, arm64}), media_type::oci_index);
  const Descriptor old = put_image(*store, "amd64", {"shared", "old layer", "another"});
  const Descriptor old_index = put(*store, test::index_json({old}), media_type::oci_index);
  store->set_tags({{.name = "a:1", .descriptor = index}});

  const GcPlan made = plan();
  BOOST_TEST(made.remove.size() == 5U);  // index, manifest, config, two layers
  BOOST_TEST((made.remove[0].kind == GcKind::index));
  BOOST_TEST(made.remove[0].id == old_index.digest.to_string());
  BOOST_TEST((made.remove[1].kind == GcKind::manifest));
  BOOST_TEST(ids(made.remove).contains(Digest::of("old layer").to_string()));
  BOOST_TEST(made.keep.size() == 8U);

  const GcReport report = apply(made);
  BOOST_TEST(report.removed == 5U);
  BOOST_TEST(report.bytes == made.bytes);
  BOOST_TEST(report.kept.empty());
  for (const Descriptor& blob : read_closure(*store, index).blobs) BOOST_TEST(store->has(blob.digest, blob.size));
  BOOST_TEST(!store->find_size(old.digest));
  BOOST_TEST(plan().remove.empty());
}

BOOST_AUTO_TEST_CASE(entries_of_other_tools_are_reached_as_well) {
  const Descriptor image = put_image(*store, "amd64", {"layer"});
  const Descriptor nested = put(*store, R"({"x":{"y":[")" + image.digest.to_string() + R"("]}})", "application/vnd.example+json");
  const Descriptor extra = put(*store, "named by an annotation", "m");
  const std::string entry = test::to_json(nested);
  dir.write("store/index.json", R"({"schemaVersion":2,"manifests":[)" + entry + R"(],"annotations":{"k":"see )" + extra.digest.to_string() + R"("}})");
  const Descriptor unneeded = put(*store, "unneeded", "m");

  const GcPlan made = plan();

  BOOST_TEST(ids(made.remove) == std::set<std::string>{unneeded.digest.to_string()}, boost::test_tools::per_element());
  BOOST_TEST(made.keep.size() == 5U);
}

BOOST_AUTO_TEST_CASE(referrers_keep_their_subject) {
  const Descriptor image = put_image(*store, "amd64", {"layer"});
  const Descriptor config = put(*store, "{}", "application/vnd.oci.empty.v1+json");
  std::string manifest = test::manifest_json(config, {});
  manifest.insert(1, R"("subject":)" + test::to_json(image) + ",");
  const Descriptor signature = put(*store, manifest, media_type::oci_manifest);
  store->set_tags({{.name = "sig:1", .descriptor = signature}});

  BOOST_TEST(plan().remove.empty());
}

BOOST_AUTO_TEST_CASE(young_blobs_stay_unless_asked) {
  put(*store, "unneeded", "m");
  BOOST_TEST(plan({}).remove.empty());
  BOOST_TEST(plan(no_grace).remove.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_old_mtime_alone_does_not_make_a_blob_old) {
  const Descriptor blob = put(*store, "copied with its times", "m");
  const std::array<timespec, 2> old{};
  BOOST_TEST_REQUIRE(utimensat(AT_FDCWD, store->blob_path(blob.digest).c_str(), old.data(), 0) == 0);
  BOOST_TEST(plan({}).remove.empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_document_stops_the_plan) {
  const Descriptor image = put_image(*store, "amd64", {"layer"});
  const Descriptor index = put(*store, test::index_json({image}), media_type::oci_index);
  store->set_tags({{.name = "a:1", .descriptor = index}});

  for (const std::string bytes : {"", "{}", "\x7b", "junk"}) {
    damage(image.digest, bytes);
    BOOST_CHECK_EXCEPTION(plan(), Error, has_code(ErrorCode::data_safety));
  }
  store->discard(index.digest);
  BOOST_CHECK_EXCEPTION(plan(), Error, [](const Error& e) {
    return e.code() == ErrorCode::data_safety && std::string_view(e.what()).find("a:1") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_CASE(an_entry_of_an_unknown_algorithm_stops_the_plan) {
  dir.write("store/index.json", R"({"schemaVersion":2,"manifests":[{"digest":"blake3:00","size":1}]})");
  BOOST_CHECK_EXCEPTION(plan(), Error, has_code(ErrorCode::data_safety));
}

BOOST_AUTO_TEST_CASE(a_damaged_index_stops_the_plan) {
  dir.write("store/index.json", "{");
  BOOST_CHECK_EXCEPTION(plan(), Error, has_code(ErrorCode::invalid));
  std::filesystem::remove(root / "index.json");
  BOOST_CHECK_EXCEPTION(plan(), Error, has_code(ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(an_open_store_is_not_cleaned) {
  put(*store, "unneeded", "m");
  const GcPlan made = plan();
  BOOST_CHECK_EXCEPTION(apply_gc(ctx, root, made), Error, has_code(ErrorCode::locked));
  BOOST_TEST(store->find_size(Digest::of("unneeded")).has_value());
}

BOOST_AUTO_TEST_CASE(two_cleaners_do_not_meet) {
  const GcPlan made = plan();
  store.reset();
  const std::optional<FileLock> other = FileLock::try_acquire(root / "store.lock", FileLock::Mode::exclusive);
  BOOST_CHECK_EXCEPTION(apply_gc(ctx, root, made), Error, has_code(ErrorCode::locked));
}

BOOST_AUTO_TEST_CASE(what_became_needed_since_the_plan_stays) {
  const Descriptor image = put_image(*store, "amd64", {"layer"});
  put(*store, "unneeded", "m");
  const GcPlan made = plan();
  BOOST_TEST(made.remove.size() == 4U);
  store->set_tags({{.name = "a:1", .descriptor = image}});

  const GcReport report = apply(made);

  BOOST_TEST(report.removed == 1U);
  BOOST_TEST(report.kept.size() == 3U);
  BOOST_TEST(read_closure(*store, image).blobs.size() == 3U);
  BOOST_TEST(store->find_size(Digest::of("layer")).has_value());
}

BOOST_AUTO_TEST_CASE(what_came_since_the_plan_stays) {
  put(*store, "planned", "m");
  const GcPlan made = plan();
  put(*store, "came later", "m");
  BOOST_TEST(apply(made).removed == 1U);
  BOOST_TEST(store->find_size(Digest::of("came later")).has_value());
}

BOOST_AUTO_TEST_CASE(a_cut_removal_is_finished_by_the_next) {
  put_image(*store, "amd64", {"layer"});
  const GcPlan made = plan();
  std::filesystem::remove(store->blob_path(Digest::parse(made.remove.front().id)));

  BOOST_TEST(apply(made).removed == made.remove.size() - 1);
  BOOST_TEST(plan().remove.empty());
}

BOOST_AUTO_TEST_CASE(leftovers_go_when_they_are_old_and_free) {
  const Digest digest = Digest::of("download");
  for (const char* suffix : {".part", ".journal", ".lock", ".put-0123456789abcdef", ".damaged-0123456789abcdef"}) {
    dir.write("store/ingest/sha256-" + digest.hex() + suffix, "half");
  }
  dir.write("store/.index.json.0123456789abcdef", "{");
  dir.write("store/.oci-layout.0123456789abcdef", "{");
  std::filesystem::create_directories(root / "ingest/folder");
  BOOST_TEST(plan({}).remove.empty());
  {
    const std::optional<FileLock> in_use = FileLock::try_acquire(store->ingest_path(digest, ".lock"), FileLock::Mode::exclusive);
    BOOST_TEST(plan().remove.size() == 2U);
  }
  const GcPlan made = plan();
  BOOST_TEST(made.remove.size() == 7U);

  BOOST_TEST(apply(made).removed == 7U);
  BOOST_TEST(std::filesystem::is_directory(root / "ingest/folder"));
  BOOST_TEST(std::filesystem::exists(root / "index.json"));
}

BOOST_AUTO_TEST_CASE(foreign_files_stay) {
  dir.write("store/blobs/sha256/README", "x");
  dir.write("store/notes.txt", "x");
  apply(plan());
  BOOST_TEST(std::filesystem::exists(root / "blobs/sha256/README"));
  BOOST_TEST(std::filesystem::exists(root / "notes.txt"));
}

BOOST_AUTO_TEST_CASE(no_store_is_an_error_and_makes_none) {
  BOOST_CHECK_EXCEPTION(apply_gc(ctx, dir / "nowhere", {}), Error, has_code(ErrorCode::not_found));
  BOOST_TEST(!std::filesystem::exists(dir / "nowhere"));
}

BOOST_AUTO_TEST_SUITE_END()
