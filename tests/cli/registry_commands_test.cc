#include "registry/pacer.h"
#include "tests/cli/command_line.h"
#include "tests/support/fake_registry.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace drover::test;
using nlohmann::ordered_json;

namespace {

// redis:7 for two platforms: a shared layer, and one of its own each.
struct Stack {
  FakeRegistry registry;
  CommandLine drover;
  std::string redis = registry.reference("redis", "7");
  FakeImage amd64 = image("amd64", "one");
  FakeImage arm64 = image("arm64", "one");
  std::string index = registry.add_index("redis", "7", {amd64, arm64});

  FakeImage image(const std::string& architecture, const std::string& version) {
    return registry.add_image("redis", "", {{.bytes = "shared layer"}, {.bytes = "layer of " + architecture + " " + version}}, {.architecture = architecture});
  }
  Outcome pull_all() const { return drover.run({"pull", "--platform", "all", redis}); }
  std::string blob(const std::string& digest) const { return (drover.store() / "blobs/sha256" / digest.substr(7)).string(); }
};

void damage(const std::string& file) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.put('X');
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(registry_commands, Stack)

BOOST_AUTO_TEST_CASE(resolve_tells_what_a_reference_means) {
  const Outcome outcome = drover.run({"resolve", redis, "--json", "--platform", "linux/arm64"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "reference,digest,mediaType,platforms,selected");
  BOOST_TEST(json.at("digest") == index);
  BOOST_TEST(json.at("platforms").size() == 2U);
  BOOST_TEST(json.at("platforms")[1].at("platform") == "linux/arm64");
  BOOST_TEST(json.at("platforms")[1].at("config").at("digest") == arm64.config_digest);
  BOOST_TEST(json.at("platforms")[1].at("layers")[1].at("digest") == arm64.layer_digests[1]);
  BOOST_TEST(json.at("selected") == arm64.digest);
}

BOOST_AUTO_TEST_CASE(resolve_explains) {
  const Outcome outcome = drover.run({"resolve", redis, "--explain", "--platform", "linux/amd64"});
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.out.find("# platform: linux/amd64 (asked for)\n") != std::string::npos, outcome.out);
  BOOST_TEST(outcome.out.find("chosen") != std::string::npos, outcome.out);
}

BOOST_AUTO_TEST_CASE(mirrors_are_used_explained_and_left_out) {
  FakeRegistry mirror;
  const std::string mirrored = mirror.add_index("redis", "7", {mirror.add_image("redis", "", {{.bytes = "stale"}})});
  const std::string file = drover.home().write("ann/.config/drover/hosts.d/" + registry.host() + "/hosts.toml", "\n[host.\"" + mirror.origin() + "\"]\n").string();

  registry.fault({.count = 0}, {.hang = true});  // a busy machine may take the mirror for slow: it is the mirror's answer all the same
  const Outcome explained = drover.run({"resolve", redis, "--explain"});
  BOOST_TEST(explained.out.find("# mirror: " + mirror.host() + ", from " + file + ":2; answered\n") != std::string::npos, explained.out);
  BOOST_TEST(drover.run({"resolve", redis, "-q"}).out == mirrored + "\n");
  registry.clear_faults();

  BOOST_TEST(drover.run({"resolve", redis, "-q", "--no-mirrors"}).out == index + "\n");
  const Outcome without = drover.run({"resolve", redis, "--explain", "--no-mirrors"});
  BOOST_TEST(without.out.find("mirror") == std::string::npos, without.out);
}

BOOST_AUTO_TEST_CASE(the_name_of_a_service_is_no_image_but_is_told) {
  drover.home().write("ann/.config/drover/hosts.d/docker.io/hosts.toml", "server = \"" + registry.origin() + "\"\n");
  drover.home().write("compose.yml", "services:\n  cache: {image: '" + redis + "'}\n  app: {build: .}\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"pull", "cache"}, {"pull", "cache", "--dry-run"}, {"prefetch", "--no-load", "cache"}}) {
    const Outcome outcome = drover.run(words);
    BOOST_TEST(outcome.code == 5, outcome.err);
    BOOST_TEST(outcome.err.find("; cache is also a service of the compose project: name its image, " + redis + ", or run drover prefetch") != std::string::npos, outcome.err);
  }
  BOOST_TEST(drover.run({"pull", "app"}).err.find("; app is also a service of the compose project, which builds its image") != std::string::npos);
  for (const char* const word : {"nobody", "cache:1", "docker.io/library/cache"}) {
    const Outcome outcome = drover.run({"pull", word});
    BOOST_TEST(outcome.code == 5, outcome.err);
    BOOST_TEST(outcome.err.find("service") == std::string::npos, outcome.err);
  }
  registry.add_index("library/cache", "latest", {registry.add_image("library/cache", "", {{.bytes = "one"}})});
  BOOST_TEST(drover.run({"pull", "cache"}).code == 0);
  drover.home().write("compose.yml", "broken\n");
  const Outcome broken = drover.run({"pull", "app"});
  BOOST_TEST(broken.code == 5, broken.err);
  BOOST_TEST(broken.err.find("compose.yml") == std::string::npos, broken.err);
}

BOOST_AUTO_TEST_CASE(a_broken_file_of_our_own_is_one_line_and_of_others_a_warning) {
  drover.set("XDG_CONFIG_HOME", (drover.home() / "config").string());
  const std::string other = drover.home().write("config/containers/registries.conf", "[[registry]]\nlocation = 7\n").string();
  const Outcome warned = drover.run({"pull", redis, redis});
  BOOST_TEST(warned.code == 0);
  BOOST_TEST(warned.err.find(other + ":2: location: not a text; this file's mirrors are not used") != std::string::npos, warned.err);

  const std::string own = drover.home().write("config/drover/hosts.d/ghcr.io/hosts.toml", "server = \"ftp://x\"\n").string();
  const Outcome refused = drover.run({"pull", redis, registry.reference("redis", "8")});
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.err == "drover: " + own + ":1: not a usable URL: only http and https are supported\n");
  BOOST_TEST(drover.run({"pull", redis, "--no-mirrors"}).code == 0);
}

BOOST_AUTO_TEST_CASE(a_blocked_registry_is_refused) {
  drover.set("CONTAINERS_REGISTRIES_CONF",
             drover.home().write("registries.conf", "[[registry]]\nlocation = \"" + registry.host() + "\"\nblocked = true\n").string());
  const Outcome outcome = drover.run({"pull", redis});
  BOOST_TEST(outcome.code == 3);
  BOOST_TEST(outcome.err.find("is blocked by ") != std::string::npos, outcome.err);
  BOOST_TEST(registry.log().empty());
}

BOOST_AUTO_TEST_CASE(resolve_of_several_is_an_array_and_of_a_missing_platform_15) {
  const Outcome several = drover.run({"resolve", redis, registry.reference("redis", "no"), "--json"});
  BOOST_TEST(several.code == 5);
  BOOST_TEST(several.json().size() == 2U);
  BOOST_TEST(several.json()[1].at("error").at("code") == "not_found");

  const Outcome missing = drover.run({"resolve", redis, "--json", "--platform", "linux/riscv64"});
  BOOST_TEST(missing.code == 15);
  BOOST_TEST(missing.json().at("selected").is_null());
  BOOST_TEST(missing.err.find("linux/amd64, linux/arm64") != std::string::npos, missing.err);
}

BOOST_AUTO_TEST_CASE(pull_fetches_what_is_asked_for_and_ls_and_inspect_show_it) {
  const Outcome outcome = drover.run({"pull", "--json", "--platform", "all", redis});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "images,bytes,requests,seconds");
  BOOST_TEST(members(json.at("bytes")) == "total,fetched,reused,resumed,wasted");
  BOOST_TEST(json.at("images").dump() == R"([{"reference":")" + redis + R"(","digest":")" + index + R"(","platforms":["linux/amd64","linux/arm64"]}])");
  BOOST_TEST(registry.count("GET", "/blobs/" + amd64.layer_digests[0]) == 1U);  // shared, and fetched once

  const ordered_json listed = drover.run({"ls", "--json"}).json();
  BOOST_TEST(members(listed.at("images")[0]) == "reference,digest,mediaType,platforms,bytes");
  BOOST_TEST(listed.at("images")[0].at("reference") == redis);
  const ordered_json inspected = drover.run({"inspect", redis, "--json"}).json();
  BOOST_TEST(members(inspected) == "reference,digest,mediaType,platforms,bytes");
  BOOST_TEST(inspected.at("platforms")[0].at("digest") == amd64.digest);
  BOOST_TEST(drover.run({"pull", "-q", "--platform", "all", redis}).out == redis + "\n");
  BOOST_TEST(drover.run({"ls", "-q"}).out == index + "\n");
}

BOOST_AUTO_TEST_CASE(progress_goes_to_standard_error_as_asked) {
  const Outcome plain = drover.run({"pull", "--platform", "all", redis});
  BOOST_TEST(plain.err.find("fetched ") != std::string::npos, plain.err);
  BOOST_TEST(plain.out.find("fetched ") == std::string::npos, plain.out);

  std::filesystem::remove_all(drover.store());
  const Outcome json = drover.run({"pull", "--platform", "all", redis, "--progress", "json"});
  std::istringstream lines(json.err);
  std::size_t events = 0;
  for (std::string line; std::getline(lines, line); ++events) BOOST_TEST(ordered_json::parse(line).contains("event"));
  BOOST_TEST(events >= 6U);

  std::filesystem::remove_all(drover.store());
  BOOST_TEST(drover.run({"pull", "--platform", "all", redis, "--progress", "none"}).err == "");
  std::filesystem::remove_all(drover.store());
  BOOST_TEST(drover.run({"pull", "--platform", "all", redis, "-q"}).err == "");
}

BOOST_AUTO_TEST_CASE(a_dry_run_makes_nothing) {
  const Outcome outcome = drover.run({"pull", "--dry-run", "--json", "--platform", "all", redis});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  BOOST_TEST(members(outcome.json().at("plan")) == "blobs,bytes,requests,disk,dockerHub");
  BOOST_TEST(members(outcome.json().at("plan").at("blobs")[0]) == "digest,size,mediaType,repository,present");
  BOOST_TEST(!std::filesystem::exists(drover.store()));
  BOOST_TEST(registry.count("GET", amd64.layer_digests[1]) == 0U);
}

BOOST_AUTO_TEST_CASE(a_plan_that_leaves_too_little_room_is_refused_before_the_first_byte) {
  for (const std::string command : {"pull", "prefetch"}) {
    std::vector<std::string> words = {command, "--platform", "linux/amd64", "--min-free", "1000000G", redis};
    if (command == "prefetch") words.push_back("--no-load");
    const Outcome refused = drover.run(words);
    BOOST_TEST(refused.code == 3);
    BOOST_TEST(refused.err.find("drover: nothing was fetched: ") != std::string::npos, refused.err);
    BOOST_TEST(refused.err.find("--min-free wants ") != std::string::npos, refused.err);
    words.push_back("--dry-run");
    words.push_back("--json");
    const Outcome planned = drover.run(words);
    BOOST_TEST(planned.code == 3);
    BOOST_TEST(members(planned.json().at("plan").at("disk")) == "store,engine");
  }
  BOOST_TEST(registry.count("GET", amd64.layer_digests[1]) == 0U);
  BOOST_TEST(drover.run({"pull", "--platform", "linux/amd64", "--min-free", "1", redis}).code == 0);
}

BOOST_AUTO_TEST_CASE(a_run_with_a_deadline_ends_and_says_its_pace_beforehand) {
  const Outcome planned = drover.run({"pull", "--platform", "linux/amd64", "--by", "90m", "--dry-run", "--json", redis});
  BOOST_TEST(members(planned.json().at("plan").at("pace")) == "by,bytesPerSecond");
  BOOST_TEST(planned.json().at("plan").at("pace").at("bytesPerSecond") == drover::registry::pace_min + 1);
  const Outcome capped = drover.run({"pull", "--platform", "linux/amd64", "--by", "1s", "--limit-rate", "1", "--dry-run", "--json", redis});
  BOOST_TEST(capped.json().at("plan").at("pace").at("bytesPerSecond") == 1);
  BOOST_TEST(capped.err.find(" too long") != std::string::npos, capped.err);
  BOOST_TEST(capped.err.find("--limit-rate allows ") != std::string::npos, capped.err);
  const Outcome outcome = drover.run({"pull", "--platform", "linux/amd64", "--by", "90m", "--limit-rate", "10M", "--json", redis});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.json().at("seconds").get<double>() < 60);
  BOOST_TEST(drover.run({"pull", "--by", "yesterday", redis}).code == 2);
}

BOOST_AUTO_TEST_CASE(one_failing_image_does_not_stop_the_others) {
  const Outcome outcome = drover.run({"pull", "--json", "--platform", "linux/amd64", registry.reference("redis", "no"), redis});

  BOOST_TEST(outcome.code == 5);
  BOOST_TEST(outcome.json().at("images")[0].at("error").at("code") == "not_found");
  BOOST_TEST(outcome.json().at("images")[1].at("digest") == index);
  BOOST_TEST(outcome.err.find("drover: cannot pull ") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(failures_have_their_exit_codes_and_one_json_document) {
  BOOST_TEST(drover.run({"pull", "--platform", "linux/riscv64", redis}).code == 15);
  const Outcome refused = drover.run({"pull", "--json", "127.0.0.1:" + std::to_string(unused_port()) + "/x:1", "--jobs", "0"});
  BOOST_TEST(refused.code == 2);
  BOOST_TEST(members(refused.json()) == "error");
  BOOST_TEST(members(refused.json().at("error")) == "code,message");

  registry.fault({.method = "GET", .target = "/manifests/7", .count = 0}, {.status = 429, .body = "slow down", .headers = {{"Retry-After", "3600"}}});
  registry.fault({.method = "HEAD", .target = "/manifests/7", .count = 0}, {.status = 429, .body = "", .headers = {{"Retry-After", "3600"}}});
  const Outcome limited = drover.run({"pull", "--json", redis});
  BOOST_TEST(limited.code == 6, limited.err);
  BOOST_TEST(limited.json().at("images")[0].at("error").contains("retryAt"), limited.out);
  BOOST_TEST(limited.err.find("; try again at 20") != std::string::npos, limited.err);
}

// Plain HTTP on loopback would never look into it.
BOOST_AUTO_TEST_CASE(authorities_that_are_not_there_are_wrong_usage) {
  const Outcome outcome = drover.run({"resolve", "--cacert", "nowhere.pem", redis});
  BOOST_TEST(outcome.code == 2);
  BOOST_TEST(outcome.err.find("nowhere.pem: no such file") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(a_stopped_run_ends_with_130_and_says_how_to_go_on) {
  std::stop_source stop;
  stop.request_stop();

  const Outcome outcome = drover.run({"pull", "--json", redis}, stop.get_token());

  BOOST_TEST(outcome.code == 130);
  BOOST_TEST(outcome.json().at("error").at("code") == "interrupted");
  BOOST_TEST(outcome.err.starts_with("drover: interrupted"), outcome.err);
}

BOOST_AUTO_TEST_CASE(verify_finds_damage_and_repairs_the_version_that_is_held) {
  pull_all();
  BOOST_TEST(drover.run({"verify"}).code == 0);
  damage(blob(amd64.layer_digests[1]));
  damage(blob(arm64.digest));
  std::filesystem::remove(blob(arm64.layer_digests[1]));
  // Meanwhile the tag has moved on: a repair must not bring the new version.
  registry.add_index("redis", "7", {image("amd64", "two")});

  const Outcome found = drover.run({"verify", "--json"});
  BOOST_TEST(found.code == 1);
  BOOST_TEST(members(found.json()) == "blobs,bytes,damaged,missing,leftOut,unusable,repaired,removed,sound,seconds");
  BOOST_TEST(members(found.json().at("damaged")[0]) == "digest,size,reason,references");
  BOOST_TEST(found.json().at("damaged").size() == 2U);
  BOOST_TEST(found.json().at("repaired").empty());

  const Outcome repaired = drover.run({"verify", "--repair", "--json"});
  BOOST_TEST(repaired.code == 0, repaired.err);
  BOOST_TEST(repaired.json().at("sound") == true);
  BOOST_TEST(drover.run({"verify"}).code == 0);
  const ordered_json listed = drover.run({"ls", "--json"}).json();
  BOOST_TEST(listed.at("images").size() == 1U);
  BOOST_TEST(listed.at("images")[0].at("digest") == index);
  BOOST_TEST(listed.at("images")[0].at("platforms").size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_repair_that_cannot_be_made_keeps_what_there_is) {
  pull_all();
  damage(blob(amd64.layer_digests[1]));
  registry.fault({.target = "/blobs/", .count = 0}, {.status = 404, .body = "gone"});

  const Outcome failed = drover.run({"verify", "--repair", "--json"});
  BOOST_TEST(failed.code == 5, failed.err);
  BOOST_TEST(failed.json().at("damaged").size() == 1U);
  BOOST_TEST(failed.json().at("repaired").empty());
  BOOST_TEST(failed.json().at("removed").empty());
  BOOST_TEST(std::filesystem::exists(blob(amd64.layer_digests[1])));
  const Outcome again = drover.run({"verify", "--json"});
  BOOST_TEST(again.json().at("damaged").size() == 1U);
  BOOST_TEST(again.json().at("missing").empty());

  registry.clear_faults();
  BOOST_TEST(drover.run({"verify", "--repair"}).code == 0);
  BOOST_TEST(drover.run({"verify"}).code == 0);
}

BOOST_AUTO_TEST_CASE(what_no_image_needs_is_removed_and_said_to_be) {
  pull_all();
  registry.add_index("redis", "7", {image("amd64", "two")});
  drover.run({"pull", "--platform", "all", redis});
  damage(blob(arm64.layer_digests[1]));  // of the version before

  const Outcome outcome = drover.run({"verify", "--repair", "--json"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.json().at("repaired").empty());
  BOOST_TEST(outcome.json().at("removed").dump() == R"([")" + arm64.layer_digests[1] + R"("])");
  BOOST_TEST(!std::filesystem::exists(blob(arm64.layer_digests[1])));
}

BOOST_AUTO_TEST_CASE(a_tag_can_be_taken_out_of_the_store) {
  pull_all();
  BOOST_TEST(drover.run({"store", "rm"}).code == 2);
  const Outcome unknown = drover.run({"store", "rm", redis, redis + "0"});
  BOOST_TEST(unknown.code == 1);
  BOOST_TEST(unknown.err.find("did you mean " + redis) != std::string::npos, unknown.err);
  BOOST_TEST(drover.run({"store", "rm", "--dry-run", redis}).out.starts_with("would remove " + redis));
  BOOST_TEST(drover.run({"ls", "--json"}).json().at("images").size() == 1U);

  const Outcome outcome = drover.run({"store", "rm", "--json", redis});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.json().dump() == R"({"removed":[")" + redis + R"("],"applied":true})");
  BOOST_TEST(drover.run({"ls", "--json"}).json().at("images").empty());
  BOOST_TEST(std::filesystem::exists(blob(index)));
}

BOOST_AUTO_TEST_CASE(ls_and_inspect_mark_what_is_gone) {
  pull_all();
  std::filesystem::remove(blob(arm64.layer_digests[1]));

  const ordered_json listed = drover.run({"ls", "--json"}).json().at("images")[0];
  BOOST_TEST(listed.at("platforms").dump() == R"(["linux/amd64"])");
  BOOST_TEST(listed.at("damage") == "blob " + arm64.layer_digests[1] + " is not in the store");
  BOOST_TEST(drover.run({"ls"}).out.find("  linux/amd64 (damaged)  ") != std::string::npos);

  const ordered_json inspected = drover.run({"inspect", "--json", redis}).json();
  BOOST_TEST(inspected.contains("damage"));
  BOOST_TEST(!inspected.at("platforms")[1].at("layers")[0].contains("missing"));
  BOOST_TEST(inspected.at("platforms")[1].at("layers")[1].at("missing") == true);
  BOOST_TEST(drover.run({"inspect", redis}).out.find("  missing\n") != std::string::npos);

  std::filesystem::resize_file(blob(amd64.layer_digests[0]), 3);  // the layer that both share
  BOOST_TEST(drover.run({"ls", "--json"}).json().at("images")[0].at("platforms").empty());
  std::filesystem::remove(blob(index));
  BOOST_TEST(drover.run({"ls"}).out.find("  damaged  ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(inspect_shows_the_asked_platform) {
  pull_all();

  const ordered_json inspected = drover.run({"inspect", "--json", "--platform", "linux/arm64", redis}).json();
  BOOST_TEST(inspected.at("platforms").size() == 1U);
  BOOST_TEST(inspected.at("platforms")[0].at("digest") == arm64.digest);

  const Outcome missing = drover.run({"inspect", "--platform", "linux/riscv64", redis});
  BOOST_TEST(missing.code == 15);
  BOOST_TEST(missing.err.find("(has linux/amd64, linux/arm64)") != std::string::npos, missing.err);
}

BOOST_AUTO_TEST_CASE(a_damaged_index_is_repaired_too) {
  pull_all();
  damage(blob(index));
  damage(blob(amd64.config_digest));

  const Outcome repaired = drover.run({"verify", "--repair", "--platform", "all"});
  BOOST_TEST(repaired.code == 0, repaired.err);
  BOOST_TEST(repaired.out.find("repaired " + index) != std::string::npos, repaired.out);
  BOOST_TEST(drover.run({"verify"}).code == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_repaired_is_said) {
  pull_all();
  damage(blob(amd64.layer_digests[1]));
  registry.remove_blob(amd64.layer_digests[1]);

  const Outcome outcome = drover.run({"verify", "--repair"});

  BOOST_TEST(outcome.code == 5, outcome.err);
  BOOST_TEST(outcome.err.find("not all could be repaired") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(store_gc_plans_and_removes_only_with_apply) {
  pull_all();
  registry.add_index("redis", "7", {image("amd64", "two")});
  drover.run({"pull", "--platform", "all", redis});

  const Outcome plan = drover.run({"store", "gc", "--min-age", "0", "--json"});
  BOOST_TEST_REQUIRE(plan.code == 0, plan.err);
  BOOST_TEST(members(plan.json()) == "keep,remove,refused,bytes,applied");
  BOOST_TEST(members(plan.json().at("remove")[0]) == "kind,id,names,bytes,reason");
  BOOST_TEST(std::filesystem::exists(blob(index)));
  BOOST_TEST(drover.run({"store", "gc", "--min-age", "0", "--apply", "--dry-run"}).code == 0);
  BOOST_TEST(std::filesystem::exists(blob(index)));
  BOOST_TEST(drover.run({"store", "gc", "--apply"}).code == 0);  // too young for the default
  BOOST_TEST(std::filesystem::exists(blob(index)));

  const Outcome applied = drover.run({"store", "gc", "--min-age", "0", "--apply", "--json"});
  BOOST_TEST(applied.code == 0, applied.err);
  BOOST_TEST(applied.json().at("applied") == true);
  BOOST_TEST(applied.json().at("removed").at("count").get<int>() > 0);
  BOOST_TEST(!std::filesystem::exists(blob(index)));
  BOOST_TEST(std::filesystem::exists(blob(amd64.layer_digests[0])));  // the new version needs it
  BOOST_TEST(drover.run({"verify"}).code == 0);
}

BOOST_AUTO_TEST_CASE(check_against_the_store_sees_only_its_own_platform) {
  drover.run({"pull", "--platform", "linux/amd64", redis});
  const std::vector<std::string> check = {"check", "--against", "store", "--json", "--exit-code", "--platform", "linux/amd64", redis};
  const auto state = [&] { return drover.run(check).json().at("images")[0].at("state").get<std::string>(); };
  BOOST_TEST(state() == "current");
  BOOST_TEST(drover.run(check).code == 0);

  // Another index, the same amd64 image.
  registry.add_index("redis", "7", {amd64, image("arm64", "two")});
  BOOST_TEST(state() == "current");

  registry.add_index("redis", "7", {image("amd64", "two"), arm64});
  BOOST_TEST(state() == "update");
  BOOST_TEST(drover.run(check).code == 10);

  registry.add_index("redis", "7", {arm64});
  BOOST_TEST(state() == "no-platform");
  BOOST_TEST(drover.run(check).code == 15);

  registry.remove_tag("redis", "7");
  BOOST_TEST(state() == "unknown");
  BOOST_TEST(drover.run(check).code == 5);
}

BOOST_AUTO_TEST_CASE(check_reads_nothing_but_heads_when_all_is_current) {
  drover.run({"pull", "--platform", "linux/amd64", redis});
  registry.clear_log();

  const Outcome outcome = drover.run({"check", "--against", "store", "--platform", "linux/amd64", redis});

  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(registry.count("HEAD", "/manifests/7") == 1U);
  BOOST_TEST(registry.count("GET", "/manifests/") == 0U);
}

BOOST_AUTO_TEST_CASE(check_of_what_is_not_there_is_missing) {
  const Outcome outcome = drover.run({"check", "--against", "store", "--json", "--exit-code", "--platform", "linux/amd64", redis});
  BOOST_TEST(outcome.code == 10);
  BOOST_TEST(outcome.json().at("images")[0].at("state") == "missing");
  BOOST_TEST(!std::filesystem::exists(drover.store()));
}

BOOST_AUTO_TEST_CASE(prefetch_without_an_engine_is_refused_before_anything_is_fetched) {
  const Outcome outcome = drover.run({"prefetch", redis, "--json"});

  BOOST_TEST(outcome.code == 3, outcome.err);
  BOOST_TEST(outcome.json().at("error").at("code") == "refused");
  BOOST_TEST(outcome.err.find("--no-load") != std::string::npos, outcome.err);
  BOOST_TEST(registry.log().empty());
}

BOOST_AUTO_TEST_CASE(prefetch_no_load_stores_the_compose_project_s_images) {
  drover.home().write("compose.yml", "name: stack\nservices:\n  db: {image: \"" + redis + "\"}\n  cache: {image: \"" + redis +
                                         "\", platform: linux/arm64}\n  built: {build: .}\n");

  const Outcome outcome = drover.run({"prefetch", "--no-load", "--json", "--platform", "linux/amd64"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json json = outcome.json();
  BOOST_TEST(members(json) == "images,bytes,requests,seconds");
  BOOST_TEST(members(json.at("images")[0]) == "reference,platform,digest,imageId,state,layers,bytesSent,services");
  BOOST_TEST(json.at("images").size() == 2U);
  for (const auto& image : json.at("images")) BOOST_TEST(image.at("state") == "stored");
  BOOST_TEST(json.at("images")[0].at("digest") == amd64.digest);
  BOOST_TEST(json.at("images")[1].at("digest") == arm64.digest);
  BOOST_TEST(outcome.err.find("built") != std::string::npos, outcome.err);
  BOOST_TEST(drover.run({"verify"}).code == 0);
}

BOOST_AUTO_TEST_CASE(prefetch_has_a_row_for_each_platform_that_it_stored) {
  const Outcome outcome = drover.run({"prefetch", "--no-load", "--json", "--platform", "linux/amd64", "--platform", "linux/arm64", redis});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  const ordered_json images = outcome.json().at("images");
  BOOST_TEST_REQUIRE(images.size() == 2U);
  BOOST_TEST(images[0].at("digest") == amd64.digest);
  BOOST_TEST(members(images[1]) == members(images[0]));
  BOOST_TEST(images[1].at("reference") == redis);
  BOOST_TEST(images[1].at("platform") == "linux/arm64");
  BOOST_TEST(images[1].at("digest") == arm64.digest);
  BOOST_TEST(images[1].at("state") == "stored");
  BOOST_TEST(images[1].at("layers").dump() == R"({"total":2,"sent":0})");
  BOOST_TEST(drover.run({"prefetch", "--no-load", "--platform", "all", redis}).out.find("ready: all 1 images") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(prefetch_plans_without_touching_anything) {
  drover.home().write("compose.yml", "name: stack\nservices:\n  db: {image: \"" + redis + "\"}\n");

  const Outcome outcome = drover.run({"prefetch", "--no-load", "--dry-run", "--json", "--platform", "linux/amd64"});

  BOOST_TEST_REQUIRE(outcome.code == 0, outcome.err);
  BOOST_TEST(members(outcome.json()) == "images,plan");
  BOOST_TEST(outcome.json().at("plan").at("bytes").at("missing").get<int>() > 0);
  BOOST_TEST(!std::filesystem::exists(drover.store()));
}

BOOST_AUTO_TEST_CASE(fail_fast_tells_the_cause) {
  registry.add_image("web", "1", {{.bytes = "web layer"}}, {.architecture = "amd64"});
  registry.fault({.target = "/v2/redis/blobs/", .count = 0}, {.status = 404});

  const Outcome outcome = drover.run({"prefetch", "--no-load", "--fail-fast", "--json", "--platform", "linux/amd64", redis, registry.reference("web", "1")});

  BOOST_TEST(outcome.code == 5, outcome.err);  // a registry's answer, not merely 1
  BOOST_TEST(outcome.json().at("images")[0].at("state") == "failed");
  BOOST_TEST(outcome.json().at("images")[0].at("error").at("message").get<std::string>().find("redis") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pull_without_names_points_at_prefetch_where_there_is_a_project) {
  BOOST_TEST(drover.run({"pull"}).err.find("e.g. drover pull") != std::string::npos);
  drover.home().write("compose.yml", "services:\n  db: {image: redis}\n");
  const Outcome outcome = drover.run({"pull"});
  BOOST_TEST(outcome.code == 2);
  BOOST_TEST(outcome.err.find("drover prefetch") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(load_and_inspect_of_what_is_not_there_say_what_is) {
  pull_all();
  const Outcome outcome = drover.run({"inspect", registry.reference("redis", "8")});
  BOOST_TEST(outcome.code == 1);
  BOOST_TEST(outcome.err.find("did you mean " + redis + "?") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(a_secret_in_the_credentials_is_never_printed) {
  registry.set_auth({.scheme = FakeAuth::Scheme::bearer, .password = "hunter2-really"});
  drover.home().write("ann/.docker/config.json", R"({"auths":{")" + registry.host() + R"(":{"username":"user","password":"hunter2-really"}}})");

  const Outcome good = drover.run({"pull", "-v", "--platform", "linux/amd64", redis});
  const Outcome explained = drover.run({"resolve", "-v", "--explain", redis});
  registry.set_auth({.scheme = FakeAuth::Scheme::bearer, .password = "another"});
  const Outcome bad = drover.run({"pull", "-v", "--json", registry.reference("redis", "7")});

  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(bad.code == 5, bad.err);
  for (const Outcome& outcome : {good, explained, bad}) {
    BOOST_TEST((outcome.out + outcome.err).find("hunter2-really") == std::string::npos);
    BOOST_TEST((outcome.out + outcome.err).find("dXNlcjpodW50ZXIy") == std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()
