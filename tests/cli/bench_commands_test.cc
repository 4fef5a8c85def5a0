// drover bench sha256 and pull as typed, against the scripted registry and with tools that are scripts: no figure is looked at,
// only that there is one.
#include "tests/cli/command_line.h"
#include "tests/support/fake_registry.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>

using namespace drover::test;
using nlohmann::ordered_json;

namespace {

struct Bench {
  FakeRegistry registry;
  CommandLine drover;
  std::string api = registry.reference("acme/api", "1");
  std::filesystem::path bin = drover.home() / "bin";

  Bench() {
    registry.add_index("acme/api", "1", {image("amd64"), image("arm64")});
    std::filesystem::create_directory(drover.home() / "tmp");
    drover.set("TMPDIR", (drover.home() / "tmp").string());
    drover.set("PATH", bin.string());
  }

  FakeImage image(const std::string& architecture) {
    return registry.add_image("acme/api", "", {{.bytes = "shared layer"}, {.bytes = "layer of " + architecture}},
                              {.architecture = architecture});
  }

  // A program of that name which writes its arguments into a file, a line a call, and then does that.
  void add_tool(const std::string& name, const std::string& script = {}) const {
    const std::string text = "#!/bin/sh\necho \"$@\" >>" + (drover.home() / (name + ".log")).string() + "\n" + script + "\n";
    std::filesystem::permissions(drover.home().write("bin/" + name, text), std::filesystem::perms::owner_all);
  }

  std::size_t calls_of(const std::string& name) const {
    if (!std::filesystem::exists(drover.home() / (name + ".log"))) return 0;
    const std::string log = drover.home().read(name + ".log");
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
  }

  bool is_clean() const { return std::filesystem::is_empty(drover.home() / "tmp"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bench_commands, Bench)

BOOST_AUTO_TEST_CASE(a_pull_is_measured_beside_what_is_on_the_path) {
  add_tool("skopeo");
  add_tool("crane", "echo first >&2; echo 'crane: Get \"https://cdn.example/b?X-Amz-Signature=5ec3e7\": no such host' >&2; exit 7");
  add_tool("docker");

  const Outcome outcome = drover.run({"bench", "pull", api, "--platform", "linux/arm64", "--repeat", "2", "--json"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "images,platform,bytes,repeat,tools");
  BOOST_TEST(json.at("images")[0].at("reference") == api);
  BOOST_TEST(json.at("platform") == "linux/arm64");
  BOOST_TEST_REQUIRE(json.at("tools").size() == 3U);
  BOOST_TEST(json.at("tools")[0].at("tool") == "drover");
  BOOST_TEST(json.at("tools")[0].at("all").size() == 2U);
  BOOST_TEST(json.at("tools")[1].at("tool") == "skopeo");
  BOOST_TEST(json.at("tools")[1].at("droverToTool").is_number());
  BOOST_TEST(json.at("tools")[2].at("error").at("message") == "crane ended with exit code 7: crane: Get \"https://cdn.example/b\": no such host");
  BOOST_TEST(calls_of("skopeo") == 2U);
  BOOST_TEST(calls_of("crane") == 1U);   // what fails has no second round
  BOOST_TEST(calls_of("docker") == 0U);  // only when it is asked for
  BOOST_TEST(drover.home().read("skopeo.log").find("--override-arch arm64 --src-tls-verify=false docker://" + api) !=
             std::string::npos);
  BOOST_TEST(outcome.err.find("to fetch: ") != std::string::npos, outcome.err);
  BOOST_TEST(outcome.err.find("bench done: skopeo, round 2 of 2") != std::string::npos, outcome.err);
  BOOST_TEST(registry.count("GET", "/manifests/1") == 3U);  // once to plan, once a round
  BOOST_TEST(is_clean());
  BOOST_TEST(!std::filesystem::exists(drover.store()));
}

BOOST_AUTO_TEST_CASE(a_dry_run_says_what_would_be_fetched) {
  add_tool("skopeo");

  const Outcome text = drover.run({"bench", "pull", api, "--dry-run"});
  BOOST_TEST(text.code == 0, text.err);
  BOOST_TEST(text.out.find(", 3 times, by drover, skopeo: ") != std::string::npos, text.out);
  const ordered_json json = drover.run({"bench", "pull", api, "--dry-run", "--json", "--against", "none"}).json();
  BOOST_TEST(members(json) == "plan");
  BOOST_TEST(members(json.at("plan")) == "bytes,repeat,tools,bytesTotal,dockerHub");
  BOOST_TEST(json.at("plan").at("tools").dump() == R"(["drover"])");
  BOOST_TEST(calls_of("skopeo") == 0U);
  BOOST_TEST(registry.count("GET", "/blobs/" + image("amd64").layer_digests[1]) == 0U);
  BOOST_TEST(is_clean());
}

// A token is in curl's file, which is gone afterwards, and in no argument; the file is its owner's alone.
BOOST_AUTO_TEST_CASE(curl_is_handed_tokens_by_file) {
  registry.set_auth({.scheme = FakeAuth::Scheme::bearer, .anonymous_pull = true});
  const std::string copy = (drover.home() / "config").string();
  add_tool("curl", "for last; do :; done; ls -l \"$last\" >" + copy + "; cat \"$last\" >>" + copy);

  const Outcome outcome = drover.run({"bench", "pull", api, "--platform", "linux/amd64", "--repeat", "1"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.out.find("the same blobs, not verified") != std::string::npos, outcome.out);
  const std::string config = drover.home().read("config");
  BOOST_TEST(config.starts_with("-rw------- "), config);
  BOOST_TEST(config.find("header = \"authorization: Bearer ") != std::string::npos, config);
  BOOST_TEST(config.find("/v2/acme/api/blobs/" + image("amd64").layer_digests[1]) != std::string::npos, config);
  BOOST_TEST(drover.home().read("curl.log").find("Bearer") == std::string::npos);
  BOOST_TEST((outcome.out + outcome.err).find("Bearer") == std::string::npos);
  BOOST_TEST(is_clean());
}

BOOST_AUTO_TEST_CASE(drover_that_fails_is_a_row_and_an_exit_code) {
  add_tool("skopeo");
  registry.fault({.method = "GET", .target = "/blobs/" + image("amd64").layer_digests[1], .count = 0}, {.status = 403});

  const Outcome outcome = drover.run({"bench", "pull", api, "--platform", "linux/amd64", "--repeat", "1", "--json"});

  BOOST_TEST(outcome.code == 5, outcome.err);
  BOOST_TEST(outcome.json().at("tools")[0].at("seconds").is_null());
  BOOST_TEST(outcome.json().at("tools")[1].at("seconds").is_number());
  BOOST_TEST(is_clean());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told_before_anything_is_fetched) {
  BOOST_TEST(drover.run({"bench"}).code == 2);
  BOOST_TEST(drover.run({"bench"}).err == "drover: a command is missing: sha256, pull, load; see drover bench --help\n");
  BOOST_TEST(drover.run({"bench", "pul"}).err == "drover: unknown command pul; did you mean pull?\n");
  BOOST_TEST(drover.run({"bench", "pull"}).code == 2);
  BOOST_TEST(drover.run({"bench", "pull", api, "--platform", "all"}).code == 2);
  BOOST_TEST(drover.run({"bench", "pull", api, "--repeat", "0"}).code == 2);
  const Outcome slip = drover.run({"bench", "pull", api, "--against", "scopeo"});
  BOOST_TEST(slip.code == 2);
  BOOST_TEST(slip.err == "drover: --against: unknown tool scopeo; did you mean skopeo?\n");
  BOOST_TEST(drover.run({"bench", "pull", api, "--against", "skopeo"}).code == 3);  // not on PATH
  BOOST_TEST(registry.log().empty());
  BOOST_TEST(drover.run({"bench", "pull", registry.reference("acme/api", "none"), "--against", "none"}).code == 5);
  BOOST_TEST(is_clean());
}

BOOST_AUTO_TEST_CASE(kernels_are_measured_in_no_time) {
  const Outcome text = drover.run({"bench", "sha256", "--seconds", "0.001"});
  BOOST_TEST_REQUIRE(text.code == 0, text.err);
  BOOST_TEST(text.out.find("portable") != std::string::npos, text.out);
  BOOST_TEST(text.out.find("by streams: 1") != std::string::npos, text.out);

  const ordered_json json = drover.run({"bench", "sha256", "--seconds", "0.001", "--json"}).json();
  BOOST_TEST(members(json) == "cpu,openssl,kernels,byStreams,figures,byTheseFigures");
  BOOST_TEST(members(json.at("kernels")[0]) == "name,lanes,bytesPerSecond,toOpenssl");
  BOOST_TEST(json.at("openssl").at("bytesPerSecond").get<double>() > 0);
  BOOST_TEST(drover.run({"bench", "sha256", "--seconds", "0"}).code == 2);
  BOOST_TEST(drover.run({"bench", "sha256", "--seconds", "0.001", "--dry-run"}).out.starts_with("measure "));
}

BOOST_AUTO_TEST_CASE(a_file_is_hashed_beside_the_tools_that_are_named) {
  add_tool("openssl");
  add_tool("sha256sum", "test -f \"$1\"");
  const std::vector<std::string> words = {"bench",  "sha256", "--seconds", "0.001",
                                          "--size", "100k",   "--against", "openssl,sha256sum"};

  const Outcome text = drover.run(words);

  BOOST_TEST_REQUIRE(text.code == 0, text.err);
  BOOST_TEST(text.out.find("a file of 102.4 kB in the page cache") != std::string::npos, text.out);
  BOOST_TEST(calls_of("openssl") == 3U);
  BOOST_TEST(calls_of("sha256sum") == 3U);
  BOOST_TEST(text.out.find("failed") == std::string::npos, text.out);
  BOOST_TEST(is_clean());
}

BOOST_AUTO_TEST_SUITE_END()
