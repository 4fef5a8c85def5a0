// The pure half of drover bench: figures, tools and their words, what is told and refused before anything is done.
#include "base/text.h"
#include "cli/bench_cost.h"
#include "cli/bench_figures.h"
#include "cli/bench_guests.h"
#include "cli/bench_kernels.h"
#include "cli/bench_tools.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <ostream>

using namespace drover;
using namespace drover::cli;
namespace data = boost::unit_test::data;

namespace {

std::string error_of(ErrorCode code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    return error.what();
  }
  return "no error";
}

// A line a command, as it would be typed.
std::string to_text(const ToolRun& run) {
  std::string text = run.is_at_once ? "at once\n" : "";
  for (const std::vector<std::string>& words : run.commands) text += join(words, " ") + "\n";
  return text;
}

const PullTask task{
    .images = {{.reference = Reference::parse("redis:7")},
               {.reference = Reference::parse("127.0.0.1:5000/acme/api:1"), .trust = RemoteImage::Trust::plain_http},
               {.reference = Reference::parse("reg.lan/x:2@sha256:" + std::string(64, 'a')),
                .trust = RemoteImage::Trust::unverified}},
    .platform = Platform::parse("linux/arm/v7"),
    .jobs = 8,
    .folder = "/t",
    .engine_words = {"-H", "unix:///e.sock"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(bench)

struct MedianRow {
  std::vector<double> values;
  double median;
};

std::ostream& operator<<(std::ostream& out, const MedianRow& row) {
  return out << row.values.size() << " values";
}

const MedianRow median_rows[] = {{{2}, 2}, {{3, 1}, 2}, {{9, 1, 2}, 2}, {{4, 1, 100, 2}, 3}};

BOOST_DATA_TEST_CASE(a_median_is_in_the_middle, data::make(median_rows)) {
  BOOST_TEST(median(sample.values).value() == sample.median);
}

BOOST_AUTO_TEST_CASE(of_nothing_there_is_no_median) {
  BOOST_TEST(!median({}).has_value());
}

BOOST_AUTO_TEST_CASE(tools_are_compared_with_drover) {
  const BenchTable table{
      .bytes = 100'000'000,
      .rows = {
          {.tool = "drover", .seconds = {0.5, 0.6, 0.4}},
          {.tool = "curl", .seconds = {0.25}, .note = "not verified"},
          {.tool = "crane", .seconds = {}, .failure = Error(ErrorCode::failed, "crane ended with exit code 1: no such host")}}};

  BOOST_TEST(tools_text(table) == "TOOL    TIME     RATE\n"
                                  "drover  0.500 s  200 MB/s\n"
                                  "curl    0.250 s  400 MB/s  drover takes 2.00x of it; not verified\n"
                                  "crane   -        -         failed: crane ended with exit code 1: no such host\n");
  BOOST_TEST(tools_json(table).dump() ==
             R"([{"tool":"drover","seconds":0.5,"all":[0.5,0.6,0.4],"bytesPerSecond":200000000,"droverToTool":null},)"
             R"({"tool":"curl","seconds":0.25,"all":[0.25],"bytesPerSecond":400000000,"droverToTool":2.0,"note":"not verified"},)"
             R"({"tool":"crane","seconds":null,"all":[],"bytesPerSecond":null,"droverToTool":null,)"
             R"("error":{"code":"failed","message":"crane ended with exit code 1: no such host"}}])");
}

BOOST_AUTO_TEST_CASE(drover_that_failed_is_compared_with_nobody) {
  const BenchTable table{
      .bytes = 1,
      .rows = {{.tool = "drover", .seconds = {}, .failure = Error(ErrorCode::network, "cut")}, {.tool = "curl", .seconds = {1}}}};

  BOOST_TEST(tools_json(table)[1].at("droverToTool").is_null());
  BOOST_TEST(tools_text(table).find("drover takes") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(tools_are_found_on_the_path) {
  const test::TempDir home("bench");
  const std::string bin = (home / "bin").string();
  for (const char* const name : {"skopeo", "docker", "openssl"}) {
    std::filesystem::permissions(home.write("bin/" + std::string(name), "#!/bin/sh\n"), std::filesystem::perms::owner_all);
  }
  const auto names = [&](BenchKind kind, const std::vector<std::string>& asked) {
    std::string text;
    for (const FoundTool& tool : find_tools(kind, asked, bin)) text += tool.name + " ";
    return text;
  };

  BOOST_TEST(names(BenchKind::pull, {}) == "skopeo ");  // docker only when it is asked for
  BOOST_TEST(names(BenchKind::pull, {"docker,skopeo"}) == "skopeo docker ");
  BOOST_TEST(names(BenchKind::pull, {"none"}) == "");
  BOOST_TEST(names(BenchKind::load, {}) == "docker skopeo ");
  BOOST_TEST(names(BenchKind::sha256, {"openssl"}) == "openssl ");
  BOOST_TEST(find_tools(BenchKind::pull, {"skopeo"}, bin).front().program == home / "bin/skopeo");
  BOOST_TEST(error_of(ErrorCode::refused, [&] {
               names(BenchKind::pull, {"skopeo", "crane"});
             }) == "cannot compare with crane: there is no such program on PATH; install it, or leave it out");
}

BOOST_AUTO_TEST_CASE(an_unknown_tool_is_wrong_usage) {
  const auto words = [](BenchKind kind, const std::string& word) {
    return error_of(ErrorCode::usage, [&] { find_tools(kind, {word}, ""); });
  };

  BOOST_TEST(words(BenchKind::pull, "scopeo") == "--against: unknown tool scopeo; did you mean skopeo?");
  BOOST_TEST(words(BenchKind::load, "podman-compose") ==
             "--against: unknown tool podman-compose; there are docker, skopeo, or none");
  BOOST_TEST(words(BenchKind::sha256, "openssl,none") ==
             "--against: unknown tool none; there are openssl, sha256sum, shasum, rhash, or none");
}

BOOST_AUTO_TEST_CASE(each_tool_has_its_words) {
  BOOST_TEST(to_text(hash_run("openssl", "/t/f")) == "dgst -sha256 /t/f\n");
  BOOST_TEST(to_text(hash_run("sha256sum", "/t/f")) == "/t/f\n");
  BOOST_TEST(to_text(hash_run("shasum", "/t/f")) == "-a 256 /t/f\n");
  BOOST_TEST(to_text(hash_run("rhash", "/t/f")) == "--sha256 /t/f\n");

  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string skopeo = "copy -q --override-os linux --override-arch arm --override-variant v7 ";
  BOOST_TEST(to_text(pull_run("skopeo", task)) ==
             skopeo + "docker://docker.io/library/redis:7 oci:/t:image-0\n" + skopeo +
                 "--src-tls-verify=false docker://127.0.0.1:5000/acme/api:1 oci:/t:image-1\n" + skopeo +
                 "--src-tls-verify=false docker://reg.lan/x@" + digest + " oci:/t:image-2\n");
  BOOST_TEST(to_text(pull_run("crane", task)) ==
             "at once\n"
             "pull --platform linux/arm/v7 --format=oci docker.io/library/redis:7 /t/0\n"
             "pull --platform linux/arm/v7 --format=oci --insecure 127.0.0.1:5000/acme/api:1 /t/1\n"
             "pull --platform linux/arm/v7 --format=oci --insecure reg.lan/x:2@" +
                 digest + " /t/2\n");
  BOOST_TEST(to_text(pull_run("oras", task)) ==
             "at once\n"
             "copy --to-oci-layout --platform linux/arm/v7 docker.io/library/redis:7 /t/0:image\n"
             "copy --to-oci-layout --platform linux/arm/v7 --from-plain-http 127.0.0.1:5000/acme/api:1 /t/1:image\n"
             "copy --to-oci-layout --platform linux/arm/v7 --from-insecure reg.lan/x:2@" +
                 digest + " /t/2:image\n");
  BOOST_TEST(
      to_text(pull_run("docker", task)).starts_with("at once\n-H unix:///e.sock pull -q --platform linux/arm/v7 redis:7\n"));
  BOOST_TEST(to_text(pull_run("curl", task)) == "-q --fail-early --parallel --parallel-max 8 -K /t/curl.conf\n");

  const LoadTask load{.references = {Reference::parse("redis:7")},
                      .platform = Platform::parse("linux/amd64"),
                      .store = "/s",
                      .archives = {"/t/0.tar"},
                      .engine_words = {"-H", "unix:///e.sock"},
                      .engine_url = "unix:///e.sock"};
  BOOST_TEST(to_text(load_run("docker", load)) == "-H unix:///e.sock load -q -i /t/0.tar\n");
  BOOST_TEST(to_text(load_run("skopeo", load)) == "copy -q --override-os linux --override-arch amd64 --dest-daemon-host "
                                                  "unix:///e.sock oci:/s:docker.io/library/redis:7 docker-daemon:redis:7\n");
}

BOOST_AUTO_TEST_CASE(curl_reads_tokens_from_its_file) {
  const std::vector<registry::BlobAddress> blobs = {
      {.url = "https://reg.lan:443/v2/x/blobs/a", .headers = {{"authorization", registry::Secret("Bearer \"t\"")}}},
      {.url = "https://own.lan:443/v2/x/blobs/b",
       .tls = {.verify = false, .ca_file = "/ca.pem", .client_cert = "/c.pem", .client_key = "/k.pem"}}};

  BOOST_TEST(curl_config(blobs, task) == "url = \"https://reg.lan:443/v2/x/blobs/a\"\noutput = "
                                         "\"/t/0\"\nfail\nsilent\nshow-error\nlocation\nproto-redir = \"=https\"\n"
                                         "header = \"authorization: Bearer \\\"t\\\"\"\n"
                                         "next\n"
                                         "url = \"https://own.lan:443/v2/x/blobs/b\"\noutput = "
                                         "\"/t/1\"\nfail\nsilent\nshow-error\nlocation\nproto-redir = \"=https\"\n"
                                         "insecure\ncacert = \"/ca.pem\"\ncert = \"/c.pem\"\nkey = \"/k.pem\"\n");
  BOOST_TEST(to_text(pull_run("curl", task)).find("Bearer") == std::string::npos);
  // Another header would go along to wherever the registry leads.
  BOOST_TEST(curl_config({{.url = "https://own.lan:443/v2/x/blobs/b", .headers = {{"x-key", registry::Secret("k")}}}}, task).ends_with(
      "header = \"x-key: k\"\nmax-redirs = 0\n"));
}

BOOST_AUTO_TEST_CASE(what_will_be_fetched_is_told_before) {
  PullCost cost{.bytes = 100'000'000, .rounds = 3, .tools = {"drover", "curl", "skopeo"}, .hub_limit = {}};
  BOOST_TEST(to_text(cost) == "to fetch: 100.0 MB, 3 times, by drover, curl, skopeo: 900.0 MB in all\n");

  cost.hub_images = 2;
  cost.hub_limit = registry::RateLimit{.limit = 100, .remaining = 12, .window_seconds = {}, .source = {}};
  BOOST_TEST(to_text(cost) ==
             "to fetch: 100.0 MB, 3 times, by drover, curl, skopeo: 900.0 MB in all\ndocker hub: 12 pulls, 12 left\n");
  BOOST_TEST(cost_json(cost).dump() ==
             R"({"bytes":100000000,"repeat":3,"tools":["drover","curl","skopeo"],"bytesTotal":900000000,)"
             R"("dockerHub":{"pulls":12,"limit":100,"remaining":12}})");
  require_quota(cost);
  cost.hub_limit->remaining = 11;
  BOOST_TEST(error_of(ErrorCode::refused, [&] { require_quota(cost); }) ==
             "nothing was measured: Docker Hub has 11 pulls left for you, 12 would be needed; log in, or take fewer images, "
             "tools or --repeat");
}

namespace {

const Digest config = Digest::of("config");
const Digest root = Digest::of("root");
const GuestImage guest{.reference = Reference::parse("redis:7"), .ids = {config, root}, .parts = {Digest::of("part")}};

}  // namespace

struct ConflictRow {
  EngineContent content;
  const char* conflict;
};

std::ostream& operator<<(std::ostream& out, const ConflictRow& row) {
  return out << row.conflict;
}

const ConflictRow conflict_rows[] = {
    {{.images = {{.id = Digest::of("other"),
                  .repo_tags = {"redis:6", "redis:7-alpine"},
                  .repo_digests = {"redis@" + Digest::of("x").to_string()}}},
      .containers = {{.id = "c", .name = "web", .image_reference = "web:1", .image_id = Digest::of("web")}}},
     ""},
    {{.images = {{.id = config}}, .containers = {}}, "the engine has redis:7 already, as b79606fb3afe"},  // dangling
    {{.images = {{.id = Digest::of("part")}}, .containers = {}}, "the engine has redis:7 already, as 37a680133bd0"},
    {{.images = {{.id = Digest::of("other"), .repo_tags = {"redis:7"}}}, .containers = {}},
     "the engine has another image named redis:7, d9298a10d1b0"},
    {{.images = {{.id = Digest::of("other"), .repo_digests = {"redis@" + root.to_string()}}}, .containers = {}},
     "the engine has redis:7 already, as d9298a10d1b0"},
    {{.images = {{.id = Digest::of("other"), .available_manifests = {{root, {}}}}}, .containers = {}},
     "the engine has redis:7 already, as d9298a10d1b0"},
    {{.images = {}, .containers = {{.id = "c", .name = "cache", .image_reference = "sha256:0", .image_id = config}}},
     "container cache uses redis:7"},
    {{.images = {}, .containers = {{.id = "c", .name = "cache", .image_reference = "docker.io/library/redis:7"}}},
     "container cache uses redis:7"}};

BOOST_DATA_TEST_CASE(what_the_engine_has_is_left_alone, data::make(conflict_rows)) {
  BOOST_TEST(join(find_conflicts({guest}, sample.content), "; ") == sample.conflict);
}

BOOST_AUTO_TEST_CASE(two_names_of_one_image_are_refused) {
  const GuestImage other{.reference = Reference::parse("cache:1"), .ids = {config}, .parts = guest.parts};
  BOOST_TEST(join(find_conflicts({guest, other}, {}), "; ") == "redis:7 and cache:1 are one image");
}

BOOST_AUTO_TEST_CASE(kernels_are_compared_with_openssl) {
  const Sha256Backend one{.name = "one", .needs = 0, .lanes = 1, .compress = nullptr};
  const Sha256Backend four{.name = "four", .needs = 0, .lanes = 4, .compress = nullptr};
  const std::vector<Sha256Figure> figures = {{.row = &one, .per_byte = 1}};
  const std::vector<Sha256Rates> rates = {{.row = &one, .bytes_per_second = {3e9, 1e9, 2e9}},
                                          {.row = &four, .bytes_per_second = {6e9}},
                                          {.row = nullptr, .bytes_per_second = {1e9}}};

  const KernelBench bench =
      bench_of(rates, "a CPU", "OpenSSL 3", {.choice = Sha256Choice(figures), .source = FigureSource::table});

  BOOST_TEST(cli::kernels_text(bench) == "a CPU\n"
                                         "KERNEL     LANES  RATE       OF OPENSSL\n"
                                         "one        1      2000 MB/s  2.00x\n"
                                         "four       4      6000 MB/s  6.00x\n"
                                         "OpenSSL 3  1      1000 MB/s  1.00x\n"
                                         "by streams: 1+: one x1 (table)\n"
                                         "by these figures: 1: one x1, 2+: four x4\n");
  BOOST_TEST(
      kernels_json(bench).dump() ==
      R"({"cpu":"a CPU","openssl":{"version":"OpenSSL 3","bytesPerSecond":1000000000},)"
      R"("kernels":[{"name":"one","lanes":1,"bytesPerSecond":2000000000,"toOpenssl":2.0},{"name":"four","lanes":4,"bytesPerSecond":6000000000,"toOpenssl":6.0}],)"
      R"("byStreams":[{"from":1,"name":"one","lanes":1}],"figures":"table","byTheseFigures":[{"from":1,"name":"one","lanes":1},{"from":2,"name":"four","lanes":4}]})");
}

BOOST_AUTO_TEST_SUITE_END()
