#include "store/verify.h"

#include "tests/store/small_image.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <map>
#include <vector>

using namespace drover;
using namespace drover::store;
using test::has_code;
using test::put;
using test::put_image;

namespace {

struct VerifyFixture {
  test::TempDir dir;
  BlobStore store = BlobStore::open(dir / "store", BlobStore::Access::write);
  Context ctx;
  Descriptor amd64 = put_image(store, "amd64", {"shared", "amd64 layer"});
  Descriptor arm64 = put_image(store, "arm64", {"shared", "arm64 layer"});
  Descriptor root = put(store, test::index_json({amd64, arm64}), media_type::oci_index);

  VerifyFixture() {
    store.set_tags({{.name = "docker.io/library/a:1", .descriptor = root}, {.name = "docker.io/library/b:1", .descriptor = amd64}});
  }
  void damage(const Digest& digest, std::string_view bytes) {
    std::filesystem::remove(store.blob_path(digest));
    dir.write("store/blobs/sha256/" + digest.hex(), bytes);
  }
  VerifyReport verify_with(std::size_t jobs) const { return verify(ctx, store, {.jobs = jobs}); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verify_store, VerifyFixture)

BOOST_AUTO_TEST_CASE(a_sound_store_is_sound) {
  for (const std::size_t jobs : {0U, 1U, 4U}) {
    const VerifyReport report = verify_with(jobs);
    BOOST_TEST(report.is_sound());
    BOOST_TEST(report.checked == 8U);
    BOOST_TEST(report.bytes > 100U);
    BOOST_TEST(to_text(report).starts_with("8 blobs, "));
    BOOST_TEST(to_text(report).ends_with(": sound\n"));
  }
}

BOOST_AUTO_TEST_CASE(wrong_bytes_of_the_right_name_are_found_with_what_needs_them) {
  damage(Digest::of("shared"), "sharee");

  const VerifyReport report = verify_with(2);

  BOOST_TEST(!report.is_sound());
  BOOST_TEST_REQUIRE(report.damaged.size() == 1U);
  BOOST_TEST(report.damaged[0].digest == Digest::of("shared"));
  BOOST_TEST(report.damaged[0].descriptor->media_type == media_type::oci_layer_gzip);
  BOOST_TEST(report.damaged[0].why == "its 6 bytes have digest " + Digest::of("sharee").to_string());
  BOOST_TEST(report.damaged[0].needed_by == (std::vector<std::string>{"docker.io/library/a:1", "docker.io/library/b:1"}),
             boost::test_tools::per_element());
  BOOST_TEST(report.missing.empty());
  BOOST_TEST(report.unusable.empty());
}

BOOST_AUTO_TEST_CASE(cut_grown_and_empty_blobs_are_damaged) {
  for (const char* bytes : {"", "share", "shared.", "shared\n"}) {
    damage(Digest::of("shared"), bytes);
    const VerifyReport report = verify_with(1);
    BOOST_TEST_REQUIRE(report.damaged.size() == 1U, bytes);
    BOOST_TEST(report.unusable.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_anywhere_is_found) {
  std::string bytes(3000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  const Descriptor blob = put(store, bytes, "m");
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 997) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1U << (bit % 8)));
    damage(blob.digest, bad);
    BOOST_TEST(verify_with(1).damaged.size() == 1U, "bit " << bit);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_layer_is_found_with_what_needs_it) {
  store.discard(Digest::of("arm64 layer"));

  const VerifyReport report = verify_with(1);

  BOOST_TEST_REQUIRE(report.missing.size() == 1U);
  BOOST_TEST(report.missing[0].digest == Digest::of("arm64 layer"));
  BOOST_TEST(report.missing[0].descriptor->size == 11U);
  BOOST_TEST(report.missing[0].needed_by == std::vector<std::string>{"docker.io/library/a:1"}, boost::test_tools::per_element());
  BOOST_TEST(report.damaged.empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_manifest_is_one_fault_not_two) {
  damage(amd64.digest, "{}");

  const VerifyReport report = verify_with(1);

  BOOST_TEST_REQUIRE(report.damaged.size() == 1U);
  BOOST_TEST(report.damaged[0].needed_by.size() == 2U);
  BOOST_TEST(report.missing.empty());
  BOOST_TEST(report.unusable.empty());
}

BOOST_AUTO_TEST_CASE(a_missing_root_is_missing) {
  store.discard(root.digest);
  const VerifyReport report = verify_with(1);
  BOOST_TEST_REQUIRE(report.missing.size() == 1U);
  BOOST_TEST(report.missing[0].digest == root.digest);
  BOOST_TEST(report.unusable.empty());
}

BOOST_AUTO_TEST_CASE(a_platform_that_was_not_pulled_is_no_fault) {
  std::filesystem::remove(store.blob_path(arm64.digest));
  BOOST_TEST(verify_with(1).is_sound());
}

BOOST_AUTO_TEST_CASE(a_damaged_blob_that_nobody_needs_has_no_tags) {
  damage(Digest::of("nobody's"), "x");
  const VerifyReport report = verify_with(1);
  BOOST_TEST_REQUIRE(report.damaged.size() == 1U);
  BOOST_TEST(!report.damaged[0].descriptor.has_value());
  BOOST_TEST(report.damaged[0].needed_by.empty());
  BOOST_TEST(to_text(report).find("needed by no image") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(documents_that_lie_make_their_tag_unusable) {
  Descriptor layer = put(store, "layer", media_type::oci_layer_gzip);
  layer.size = 4;
  const Descriptor config = put(store, test::config_json("amd64", 1), media_type::oci_config);
  const Descriptor lying = put(store, test::manifest_json(config, {layer}), media_type::oci_manifest);
  const Descriptor nonsense = put(store, R"({"schemaVersion":2})", media_type::oci_index);
  store.set_tags({{.name = "lying:1", .descriptor = lying}, {.name = "nonsense:1", .descriptor = nonsense}});

  const VerifyReport report = verify_with(1);

  BOOST_TEST(report.damaged.empty());
  BOOST_TEST_REQUIRE(report.unusable.size() == 2U);
  BOOST_TEST(report.unusable[0].name == "lying:1");
  BOOST_TEST(report.unusable[1].name == "nonsense:1");
}

// As a pull leaves it, which said so.
BOOST_AUTO_TEST_CASE(a_layer_that_no_registry_need_serve_is_named_and_no_fault) {
  const Descriptor foreign = test::describe("windows base", media_type::oci_foreign_layer_gzip);
  const Descriptor config = put(store, test::config_json("amd64", 1), media_type::oci_config);
  const Descriptor image = put(store, test::manifest_json(config, {foreign}), media_type::oci_manifest);
  store.set_tags({{.name = "windows:1", .descriptor = image}});

  const VerifyReport report = verify_with(1);

  BOOST_TEST(report.is_sound());
  BOOST_TEST(report.missing.empty());
  BOOST_TEST_REQUIRE(report.left_out.size() == 1U);
  BOOST_TEST(report.left_out[0].digest == foreign.digest);
  BOOST_TEST(to_text(report).find("left out " + foreign.digest.to_string()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(foreign_files_are_named_and_no_fault) {
  dir.write("store/blobs/sha256/README", "x");
  dir.write("store/blobs/sha256/.hidden", "x");
  const VerifyReport report = verify_with(1);
  BOOST_TEST(report.is_sound());
  BOOST_TEST(report.foreign.size() == 2U);
}

BOOST_AUTO_TEST_CASE(verifying_changes_nothing_and_a_repair_discards) {
  damage(Digest::of("shared"), "sharee");
  verify_with(1);
  BOOST_TEST(dir.read("store/blobs/sha256/" + Digest::of("shared").hex()) == "sharee");

  store.discard(verify_with(1).damaged.at(0).digest);
  BOOST_TEST(verify_with(1).missing.size() == 1U);
  store.put(Digest::of("shared"), "shared");
  BOOST_TEST(verify_with(1).is_sound());
}

BOOST_AUTO_TEST_CASE(progress_tells_of_every_blob_to_its_end) {
  const std::string large(3U << 20U, 'x');
  const Descriptor blob = put(store, large, "m");
  damage(Digest::of("shared"), "sharee");
  test::RecordingProgress progress;
  ctx.progress = &progress;

  verify_with(2);

  std::map<std::string, std::uint64_t> done;
  for (const auto& event : progress.events()) {
    BOOST_TEST(event.phase == "verify");
    done[event.id] = std::max(done[event.id], event.done);
  }
  BOOST_TEST(done[blob.digest.to_string()] == large.size());
  BOOST_TEST(progress.events(ProgressEvent::Kind::started).size() == 9U);
  BOOST_TEST(progress.events(ProgressEvent::Kind::finished).size() == 8U);
  BOOST_TEST(progress.events(ProgressEvent::Kind::failed).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_stop_is_heard) {
  std::stop_source stop;
  stop.request_stop();
  ctx.stop = stop.get_token();
  BOOST_CHECK_EXCEPTION(verify_with(2), Error, has_code(ErrorCode::interrupted));
}

// More blobs than lanes, lengths around pieces and blocks, one of them damaged in its middle, one cut, one gone since it was
// listed.
BOOST_AUTO_TEST_CASE(many_blobs_of_uneven_sizes_are_hashed_together) {
  constexpr std::size_t piece = 64U << 10U;
  std::vector<Descriptor> blobs;
  std::vector<std::string> bytes;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t length = i % 4 == 0 ? i / 4 * piece + i % 3 : i * i * 37;
    std::string text(length, '\0');
    for (std::size_t at = 0; at < text.size(); ++at) text[at] = static_cast<char>(at * 31 + i);
    blobs.push_back(put(store, text, "m"));
    bytes.push_back(std::move(text));
  }
  std::string flipped = bytes[56];
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
  damage(blobs[56].digest, flipped);
  damage(blobs[40].digest, bytes[40].substr(0, piece * 3));
  std::filesystem::remove(store.blob_path(blobs[52].digest));
  std::filesystem::create_symlink("gone", store.blob_path(blobs[52].digest));  // listed as foreign, as it was before

  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) total += i == 52 ? 0 : i == 40 ? piece * 3 : bytes[i].size();
  const std::uint64_t images = 8;
  for (const std::size_t jobs : {1U, 2U, 3U, 64U}) {
    const VerifyReport report = verify_with(jobs);
    BOOST_TEST(report.checked == blobs.size() - 1 + images, jobs << " jobs");
    BOOST_TEST(report.bytes > total, jobs << " jobs");
    BOOST_TEST(report.bytes < total + 10000, jobs << " jobs");
    BOOST_TEST_REQUIRE(report.damaged.size() == 2U, jobs << " jobs");
    const bool is_first = report.damaged[0].digest == blobs[56].digest;
    BOOST_TEST(report.damaged[is_first ? 0 : 1].why ==
               "its " + std::to_string(flipped.size()) + " bytes have digest " + Digest::of(flipped).to_string());
    BOOST_TEST(report.damaged[is_first ? 1 : 0].digest == blobs[40].digest);
    BOOST_TEST(report.damaged[is_first ? 1 : 0].why ==
               "its 196608 bytes have digest " + Digest::of(bytes[40].substr(0, piece * 3)).to_string());
    BOOST_TEST(report.foreign.size() == 1U);
  }
}

// Told at least every megabyte, never backwards, and to the last byte.
BOOST_AUTO_TEST_CASE(progress_of_many_goes_up_by_small_steps) {
  std::map<std::string, std::uint64_t> sizes;
  for (std::size_t i = 0; i < 20; ++i) {
    const Descriptor blob = put(store, std::string((i + 1) * 200000, static_cast<char>('a' + i)), "m");
    sizes[blob.digest.to_string()] = blob.size;
  }
  test::RecordingProgress progress;
  ctx.progress = &progress;

  verify_with(2);

  std::map<std::string, std::uint64_t> done;
  for (const auto& event : progress.events()) {
    BOOST_TEST(event.done >= done[event.id]);
    BOOST_TEST(event.done - done[event.id] <= 1U << 20U);
    done[event.id] = event.done;
  }
  for (const auto& [id, size] : sizes) BOOST_TEST(done[id] == size);
}

// Asked to stop by the first sign of progress: it ends long before the end.
BOOST_AUTO_TEST_CASE(a_stop_in_the_middle_is_heard_soon) {
  struct StopAtFirst final : Progress {
    void on(const ProgressEvent& event) noexcept override {
      if (event.kind == ProgressEvent::Kind::advanced) source.request_stop();
      if (event.kind == ProgressEvent::Kind::finished) ++finished;
    }
    std::stop_source source;
    std::atomic<int> finished = 0;
  };
  for (int i = 0; i < 40; ++i) put(store, std::string(3U << 20U, static_cast<char>(i)), "m");
  StopAtFirst progress;
  ctx.progress = &progress;
  ctx.stop = progress.source.get_token();

  BOOST_CHECK_EXCEPTION(verify_with(2), Error, has_code(ErrorCode::interrupted));
  BOOST_TEST(progress.finished < 20);
}

BOOST_AUTO_TEST_CASE(sha512_blobs_are_hashed_as_such) {
  const Digest digest = Digest::of("x", Digest::Algorithm::sha512);
  store.put(digest, "x");
  BOOST_TEST(verify_with(1).is_sound());
  std::filesystem::remove(store.blob_path(digest));
  dir.write("store/blobs/sha512/" + digest.hex(), "y");
  BOOST_TEST(verify_with(1).damaged.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
