#include "registry/sources.h"

#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::registry {
namespace {

// docker.io with mirrors a and b in front of it.
struct SourcesFixture {
  test::TempDir folder{"drover-sources"};
  test::RecordingLog log;
  Context ctx{.log = &log};
  Reference redis = Reference::parse("redis:7");
  Reference nginx = Reference::parse("nginx:1");
  Descriptor blob{.media_type = {}, .digest = Digest::of("layer"), .size = 1000, .platform = {}, .annotations = {}, .urls = {}};
  Sources sources{files()};

  MirrorFiles files(const std::string& a = "", const std::string& b = "") const {
    folder.write("hosts.d/docker.io/hosts.toml", "[host.\"https://a\"]\n" + a + "\n[host.\"https://b\"]\n" + b + "\n");
    return {.own_folders = {folder / "hosts.d"}};
  }
  static std::string names(const std::vector<Source>& sources) {
    std::string text;
    for (const Source& source : sources) text += (text.empty() ? "" : " ") + source.site.registry;
    return text;
  }
  std::string order(const Reference& reference) { return names(sources.order(ctx, reference, Sources::Need::content)); }
  std::string order_of_blob() { return names(sources.order(ctx, redis, blob.digest)); }
  Source source(std::size_t i) { return sources.mirrors().find(ctx, redis).at(i); }
  void fail(std::size_t i, ErrorCode code, bool has_begun = false) { sources.failed(ctx, source(i), redis, Error(code, "broken"), has_begun); }
};

struct FailureRow {
  ErrorCode code;
  std::string same_image;
  std::string other_image;

  friend std::ostream& operator<<(std::ostream& out, const FailureRow& row) { return out << to_string(row.code); }
};

const std::vector<FailureRow> failures = {
    {ErrorCode::network, "b docker.io a", "b docker.io a"},
    {ErrorCode::rate_limited, "b docker.io a", "b docker.io a"},
    {ErrorCode::invalid, "b docker.io a", "b docker.io a"},
    {ErrorCode::size_mismatch, "b docker.io a", "b docker.io a"},
    {ErrorCode::refused, "b docker.io a", "b docker.io a"},
    {ErrorCode::not_found, "b docker.io a", "a b docker.io"},
    {ErrorCode::authentication, "b docker.io a", "a b docker.io"},
    {ErrorCode::failed, "b docker.io a", "a b docker.io"},
    {ErrorCode::digest_mismatch, "b docker.io", "b docker.io"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sources, SourcesFixture)

BOOST_AUTO_TEST_CASE(the_configuration_decides_first) {
  BOOST_TEST(order(redis) == "a b docker.io");
  BOOST_TEST(order(Reference::parse("ghcr.io/acme/api:1")) == "ghcr.io");
}

BOOST_AUTO_TEST_CASE(capabilities_are_for_tags_and_for_digests) {
  Sources limited(files("capabilities = [\"pull\"]", "capabilities = [\"resolve\"]"));
  BOOST_TEST(names(limited.order(ctx, redis, Sources::Need::tag)) == "b docker.io");
  BOOST_TEST(names(limited.order(ctx, redis, Sources::Need::content)) == "a docker.io");
  folder.write("hosts.d/docker.io/hosts.toml", "capabilities = [\"push\"]\n");
  Sources none({.own_folders = {folder / "hosts.d"}});
  BOOST_TEST(names(none.order(ctx, redis, Sources::Need::tag)) == "docker.io");
}

BOOST_DATA_TEST_CASE(a_failure_costs_a_mirror_its_place, failures, row) {
  fail(0, row.code);
  BOOST_TEST(order(redis) == row.same_image);
  BOOST_TEST(order(nginx) == row.other_image);
}

BOOST_AUTO_TEST_CASE(the_registry_itself_keeps_its_place) {
  for (const FailureRow& row : failures) fail(2, row.code);
  BOOST_TEST(order(redis) == "a b docker.io");
  fail(0, ErrorCode::network);
  fail(1, ErrorCode::not_found);
  BOOST_TEST(order(redis) == "docker.io b a");
}

BOOST_AUTO_TEST_CASE(breaking_off_is_forgiven_twice) {
  fail(0, ErrorCode::network, true);
  fail(0, ErrorCode::network, true);
  BOOST_TEST(order(redis) == "a b docker.io");
  sources.served(source(0), redis);
  fail(0, ErrorCode::network, true);
  fail(0, ErrorCode::network, true);
  BOOST_TEST(order(redis) == "a b docker.io");
  fail(0, ErrorCode::network, true);
  BOOST_TEST(order(redis) == "b docker.io a");
}

BOOST_AUTO_TEST_CASE(a_mirror_that_serves_again_has_its_place_again) {
  fail(0, ErrorCode::network);
  sources.served(source(0), redis);
  BOOST_TEST(order(redis) == "a b docker.io");
}

BOOST_AUTO_TEST_CASE(a_slow_mirror_is_asked_last_for_good) {
  for (int i = 0; i < 3; ++i) sources.slow(ctx, source(0), "late");
  sources.served(source(0), redis);
  BOOST_TEST(order(redis) == "b docker.io a");
  BOOST_TEST(names(sources.side_by_side(ctx, redis, blob.digest)) == "b docker.io");
  BOOST_TEST(sources.standing(source(0), redis) == "asked last: late");
  BOOST_TEST(!sources.is_in_place(source(0)));
  BOOST_TEST(log.text().find("mirror a") == log.text().rfind("mirror a"));
  sources.slow(ctx, source(2), "late");
  BOOST_TEST(sources.is_in_place(source(2)));
}

BOOST_AUTO_TEST_CASE(answers_are_timed_smoothly) {
  BOOST_TEST(!sources.answer_time(source(0)).has_value());
  sources.answered_in(source(0), std::chrono::milliseconds(100));
  sources.answered_in(source(0), std::chrono::milliseconds(500));
  BOOST_TEST(sources.answer_time(source(0))->count() == 200);
}

BOOST_AUTO_TEST_CASE(a_mirror_is_complained_of_once) {
  for (int i = 0; i < 5; ++i) fail(0, ErrorCode::network);
  const std::string text = log.text();
  BOOST_TEST(log.has(LogLevel::warning, "mirror a (" + (folder / "hosts.d/docker.io/hosts.toml").string() + ":1): broken; it is asked last"));
  BOOST_TEST(text.find("mirror a") == text.rfind("mirror a"));
}

BOOST_AUTO_TEST_CASE(who_sent_a_wrong_blob_alone_is_put_aside) {
  sources.received(source(0), blob.digest, 600);
  sources.received(source(0), blob.digest, 400);
  BOOST_TEST(sources.reject(ctx, redis, blob));
  BOOST_TEST(order_of_blob() == "b docker.io");
  BOOST_TEST(order(nginx) == "b docker.io");
  sources.served(source(0), redis);  // somebody was still at it
  BOOST_TEST(order(nginx) == "b docker.io");
  BOOST_TEST(sources.standing(source(0), redis) == "put aside: sent wrong bytes for " + blob.digest.to_string());
}

BOOST_AUTO_TEST_CASE(two_who_sent_parts_lose_that_blob_only) {
  sources.received(source(0), blob.digest, 600);
  sources.received(source(1), blob.digest, 400);
  BOOST_TEST(sources.reject(ctx, redis, blob));
  BOOST_TEST(log.text().find(" or another sent wrong bytes for " + blob.digest.to_string() + "; it is not asked for it again") != std::string::npos);
  BOOST_TEST(order_of_blob() == "docker.io");
  BOOST_TEST(order(nginx) == "a b docker.io");
}

BOOST_AUTO_TEST_CASE(where_the_registry_sent_a_part_the_mirror_is_suspected) {
  sources.received(source(0), blob.digest, 600);
  sources.received(source(2), blob.digest, 400);
  BOOST_TEST(sources.reject(ctx, redis, blob));
  BOOST_TEST(order_of_blob() == "b docker.io");
}

// Bytes that an earlier run left may be the wrong ones.
BOOST_AUTO_TEST_CASE(who_sent_less_than_all_of_it_is_not_put_aside) {
  sources.received(source(0), blob.digest, 999);
  BOOST_TEST(sources.reject(ctx, redis, blob));
  BOOST_TEST(order_of_blob() == "b docker.io");
  BOOST_TEST(order(nginx) == "a b docker.io");
}

BOOST_AUTO_TEST_CASE(rejecting_ends_when_nobody_is_left) {
  for (const std::size_t i : {2U, 0U, 1U}) {
    sources.received(source(i), blob.digest, 1000);
    BOOST_TEST(sources.reject(ctx, redis, blob) == (i != 1U));
  }
  BOOST_TEST(!sources.reject(ctx, redis, blob));
  BOOST_TEST(order_of_blob() == "docker.io");
}

BOOST_AUTO_TEST_CASE(a_registry_without_mirrors_is_never_rejected) {
  const Reference alone = Reference::parse("ghcr.io/acme/api:1");
  BOOST_TEST(!sources.reject(ctx, alone, blob));
  const Source itself = sources.mirrors().find(ctx, alone).front();
  sources.received(itself, blob.digest, 1000);
  BOOST_TEST(!sources.reject(ctx, alone, blob));
  sources.received(itself, blob.digest, 600);
  BOOST_TEST(!sources.reject(ctx, alone, blob));
  const std::string what = "sent wrong bytes for " + blob.digest.to_string() + "\n";
  BOOST_TEST(log.text().find("ghcr.io " + what) != std::string::npos, log.text());
  BOOST_TEST(log.text().find("ghcr.io or whoever sent the rest in an earlier run " + what) != std::string::npos, log.text());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
