#include "cli/render.h"

#include "cli/table.h"
#include "manifest/media_type.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::cli;

BOOST_AUTO_TEST_SUITE(render)

namespace {

Digest digest(char c) { return Digest::parse("sha256:" + std::string(64, c)); }
std::string hex(char c) { return std::string(64, c); }

Descriptor descriptor(char c, std::uint64_t size, std::string_view type) { return {.media_type = std::string(type), .digest = digest(c), .size = size}; }

ImageView image(const char* platform, char c) {
  return {.platform = platform,
          .manifest = descriptor(c, 500, media_type::oci_manifest),
          .config = descriptor('c', 1000, media_type::oci_config),
          .layers = {descriptor('d', 2'000'000, media_type::oci_layer_gzip)},
          .created = ""};
}

registry::PulledImage pulled(const char* reference) { return {.reference = Reference::parse(reference), .resolved = {}, .complete = false, .error = {}}; }

stack::PrefetchedImage prefetched(const char* reference, stack::PrefetchedImage::State state) {
  return {.wanted = {.reference = Reference::parse(reference), .platform = {}, .services = {"db"}},
          .platform = Platform::parse("linux/amd64"),
          .digest = digest('a'),
          .image_id = "sha256:" + hex('c'),
          .state = state,
          .layers_total = 3,
          .layers_sent = 1,
          .bytes_sent = 4096,
          .error = {}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_error_has_code_and_message) {
  Error error(ErrorCode::rate_limited, "too many");
  error.http_status = 429;
  error.retry_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'704'067'200));

  BOOST_TEST(error_json(error).dump() == R"({"code":"rate_limited","message":"too many","httpStatus":429,"retryAt":"2024-01-01T00:00:00Z"})");
  BOOST_TEST(error_json(Error(ErrorCode::failed, "no")).dump() == R"({"code":"failed","message":"no"})");
}

BOOST_AUTO_TEST_CASE(resolve_has_the_promised_members) {
  const ResolvedView view{.reference = "docker.io/library/redis:7",
                          .root = descriptor('e', 900, media_type::oci_index),
                          .images = {image("linux/amd64", 'a'), image("linux/arm64", 'b')},
                          .selected = 1,
                          .explanation = {}};

  BOOST_TEST(resolve_json(view).dump() ==
             R"({"reference":"docker.io/library/redis:7","digest":"sha256:)" + hex('e') + R"(","mediaType":"application/vnd.oci.image.index.v1+json",)" +
                 R"("platforms":[{"platform":"linux/amd64","digest":"sha256:)" + hex('a') + R"(","size":500,"config":{"digest":"sha256:)" + hex('c') +
                 R"(","size":1000},"layers":[{"digest":"sha256:)" + hex('d') +
                 R"(","size":2000000,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}]},{"platform":"linux/arm64","digest":"sha256:)" + hex('b') +
                 R"(","size":500,"config":{"digest":"sha256:)" + hex('c') + R"(","size":1000},"layers":[{"digest":"sha256:)" + hex('d') +
                 R"(","size":2000000,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}]}],"selected":"sha256:)" + hex('b') + "\"}");
  BOOST_TEST(resolve_text(view).find("* linux/arm64  sha256:" + hex('b') + "  1 layer, 2.0 MB  (selected)\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_selected_is_null) {
  const ResolvedView view{.reference = "x", .root = descriptor('e', 9, media_type::oci_index), .images = {}, .selected = {}, .explanation = {"why"}};
  const Json json = resolve_json(view);
  BOOST_TEST(json.at("selected").is_null());
  BOOST_TEST(json.at("platforms").is_array());
  BOOST_TEST(json.at("explain").dump() == R"(["why"])");
}

BOOST_AUTO_TEST_CASE(pull_has_the_promised_members) {
  registry::PullReport report;
  report.images.push_back(pulled("redis:7"));
  report.images.back().error = Error(ErrorCode::network, "cannot pull redis:7: cut");
  report.bytes = {.total = 4, .fetched = 3, .reused = 2, .resumed = 1, .wasted = 5};
  report.requests = 9;
  report.seconds = 1.23456;

  BOOST_TEST(pull_json(report).dump() ==
             R"({"images":[{"reference":"docker.io/library/redis:7","digest":null,"platforms":[],)"
             R"("error":{"code":"network","message":"cannot pull redis:7: cut"}}],)"
             R"("bytes":{"total":4,"fetched":3,"reused":2,"resumed":1,"wasted":5},"requests":9,"seconds":1.235})");
}

BOOST_AUTO_TEST_CASE(prefetch_has_the_promised_members) {
  using State = stack::PrefetchedImage::State;
  stack::PrefetchReport report;
  report.images = {prefetched("redis:7", State::loaded), prefetched("web", State::failed)};
  report.images[1].digest.reset();
  report.images[1].image_id.clear();
  report.images[1].error = Error(ErrorCode::failed, "no");

  const Json json = prefetch_json(report);

  BOOST_TEST(json.at("images")[0].dump() == R"({"reference":"docker.io/library/redis:7","platform":"linux/amd64","digest":"sha256:)" + hex('a') +
                                                R"(","imageId":"sha256:)" + hex('c') +
                                                R"(","state":"loaded","layers":{"total":3,"sent":1},"bytesSent":4096,"services":["db"]})");
  BOOST_TEST(json.at("images")[1].at("state") == "failed");
  BOOST_TEST(json.at("images")[1].at("digest").is_null());
  BOOST_TEST(json.at("images")[1].at("imageId").is_null());
  BOOST_TEST(json.at("images")[1].at("error").at("code") == "failed");
  for (const char* const member : {"bytes", "requests", "seconds"}) BOOST_TEST(json.contains(member));
}

BOOST_AUTO_TEST_CASE(check_has_the_promised_members) {
  stack::CheckedImage checked{.wanted = {.reference = Reference::parse("redis:7"), .platform = {}, .services = {"db", "queue"}},
                              .platform = Platform::parse("linux/amd64"),
                              .running = "sha256:" + hex('1'),
                              .local = {},
                              .available = "sha256:" + hex('2'),
                              .state = stack::UpdateState::update,
                              .error = {}};

  BOOST_TEST(check_json({checked}).dump() == R"({"images":[{"reference":"docker.io/library/redis:7","services":["db","queue"],"platform":"linux/amd64",)"
                                             R"("running":"sha256:)" + hex('1') + R"(","local":null,"available":"sha256:)" + hex('2') +
                                                 R"(","state":"update"}]})");
  BOOST_TEST(check_text({checked}) ==
             "REFERENCE  SERVICES  PLATFORM     RUNNING       LOCAL  AVAILABLE     STATE\n"
             "redis:7    db,queue  linux/amd64  111111111111  -      222222222222  update\n");
}

BOOST_AUTO_TEST_CASE(check_states_are_the_contract_s) {
  using stack::UpdateState;
  BOOST_TEST(to_string(UpdateState::current) == "current");
  BOOST_TEST(to_string(UpdateState::update) == "update");
  BOOST_TEST(to_string(UpdateState::missing) == "missing");
  BOOST_TEST(to_string(UpdateState::no_platform) == "no-platform");
  BOOST_TEST(to_string(UpdateState::unknown) == "unknown");
}

BOOST_AUTO_TEST_CASE(load_has_the_promised_members) {
  LoadedImage loaded{.reference = Reference::parse("redis:7"), .platform = Platform::parse("linux/amd64"), .digest = digest('a'), .outcome = {}, .error = {}};
  loaded.outcome = engine::LoadOutcome{.reference = loaded.reference,
                                       .image_id = "sha256:" + hex('c'),
                                       .state = engine::LoadOutcome::State::present,
                                       .layers_total = 2,
                                       .layers_sent = 0,
                                       .bytes_sent = 0,
                                       .settled = true};

  BOOST_TEST(load_json({loaded}, 0.5).dump() == R"({"images":[{"reference":"docker.io/library/redis:7","platform":"linux/amd64","digest":"sha256:)" +
                                                    hex('a') + R"(","imageId":"sha256:)" + hex('c') +
                                                    R"(","state":"present","layers":{"total":2,"sent":0},"bytesSent":0}],"seconds":0.5})");
}

BOOST_AUTO_TEST_CASE(verify_tells_what_was_repaired) {
  store::VerifyReport found;
  found.checked = 3;
  found.bytes = 30;
  found.damaged.push_back({.digest = digest('a'), .descriptor = descriptor('a', 10, media_type::oci_layer), .why = "wrong bytes", .needed_by = {"x:1"}});
  found.missing.push_back({.digest = digest('b'), .descriptor = {}, .why = "no file", .needed_by = {"x:1"}});
  store::VerifyReport left = found;
  left.damaged.clear();

  BOOST_TEST(verify_json(found, left, {}).dump() ==
             R"({"blobs":3,"bytes":30,"damaged":[{"digest":"sha256:)" + hex('a') +
                 R"(","size":10,"reason":"wrong bytes","references":["x:1"]}],"missing":[{"digest":"sha256:)" + hex('b') +
                 R"(","size":null,"reason":"no file","references":["x:1"]}],"leftOut":[],"unusable":[],"repaired":["sha256:)" + hex('a') +
                 R"("],"removed":[],"sound":false,"seconds":0.0})");
  BOOST_TEST(repaired_text(found, left, {}) == "repaired sha256:" + hex('a') + "\n");
  BOOST_TEST(verify_json(found, left, {digest('a')}).at("repaired").empty());
  BOOST_TEST(repaired_text(found, left, {digest('a')}) == "removed sha256:" + hex('a') + ", which no image needs\n");
  BOOST_TEST(faults_text(left) == "sha256:" + hex('b') + "\n");
}

BOOST_AUTO_TEST_CASE(gc_has_the_promised_members) {
  store::GcPlan plan;
  plan.keep.push_back({.kind = store::GcKind::blob, .id = "sha256:k", .bytes = 5, .names = {"x:1"}, .reason = "needed"});
  plan.remove.push_back({.kind = store::GcKind::leftover, .id = "ingest/p", .bytes = 7, .names = {}, .reason = "old"});
  plan.bytes = 7;

  BOOST_TEST(gc_json(plan, {}).dump() == R"({"keep":[{"kind":"blob","id":"sha256:k","names":["x:1"],"reason":"needed"}],)"
                                         R"("remove":[{"kind":"leftover","id":"ingest/p","names":[],"bytes":7,"reason":"old"}],)"
                                         R"("refused":[],"bytes":7,"applied":false})");
  BOOST_TEST(gc_json(plan, store::GcReport{.removed = 1, .bytes = 7, .kept = {}}).at("removed").dump() == R"({"count":1,"bytes":7})");
}

BOOST_AUTO_TEST_CASE(lists_are_arrays_also_when_empty) {
  BOOST_TEST(ls_json({}).dump() == R"({"images":[]})");
  BOOST_TEST(check_json({}).dump() == R"({"images":[]})");
  BOOST_TEST(pull_json({}).at("images").is_array());
}

BOOST_AUTO_TEST_CASE(a_table_is_as_wide_as_its_cells_and_safe_for_a_terminal) {
  Table table({"A", "B"});
  table.add({"long cell", "x"});
  table.add({"\x1b[31m", ""});

  const std::string text = table.to_string();

  BOOST_TEST(text.starts_with("A          B\nlong cell  x\n"));
  BOOST_TEST(text.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
