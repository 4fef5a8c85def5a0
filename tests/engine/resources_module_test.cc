// What each function of the client asks the engine, and what it makes of its answer, its refusals and its silence.
#include "base/text.h"
#include "engine/build_cache.h"
#include "engine/container_files.h"
#include "engine/container_output.h"
#include "engine/container_stats.h"
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/distribution.h"
#include "engine/engine_failure.h"
#include "engine/exec.h"
#include "engine/image_transfer.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/system.h"
#include "engine/volumes.h"
#include "tests/engine/engine_client.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::engine;
using nlohmann::json;
using test::EngineClient;
using test::failure_of;

BOOST_AUTO_TEST_SUITE(resources)

namespace {

const Digest image_id = Digest::of("image");

net::BodySource text_source(std::string text) {
  return [text = std::move(text), sent = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t count = std::min(out.size(), text.size() - sent);
    std::copy_n(as_bytes(text).subspan(sent).begin(), count, out.begin());
    sent += count;
    return count;
  };
}

// One call, what the engine answers, and what it was asked.
struct Row {
  std::string asked;  // "METHOD target", without the version
  std::string body;   // of the request
  std::string answer;
  std::function<void(EngineClient&)> call;
};

std::vector<Row> rows_for_1_41() {
  const std::string id = image_id.to_string();
  return {
      {"GET /containers/json?all=1", "", "[]", [](EngineClient& e) { list_containers(e.ctx, *e.client); }},
      {"GET /containers/json?size=1&filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%7D%7D&limit=3", "", "[]",
       [](EngineClient& e) {
         list_containers(e.ctx, *e.client,
                         {.running_only = true, .with_sizes = true, .limit = 3, .filters = {{"label", {"a=b"}}}});
       }},
      {"GET /containers/web/json?size=1", "", R"({"Id": "abc"})",
       [](EngineClient& e) { BOOST_TEST(find_container(e.ctx, *e.client, "web", {.with_sizes = true})->id == "abc"); }},
      {"POST /containers/create?name=web&platform=linux%2Farm64", R"({"Image":"x"})", R"({"Id": "abc", "Warnings": ["hm"]})",
       [](EngineClient& e) {
         const auto made = create_container(e.ctx, *e.client, {.name = "web", .platform = "linux/arm64"}, {{"Image", "x"}});
         BOOST_TEST(made.id == "abc");
         BOOST_TEST(made.warnings[0] == "hm");
       }},
      {"POST /containers/web/start", "", "", [](EngineClient& e) { BOOST_TEST(start_container(e.ctx, *e.client, "web")); }},
      {"POST /containers/web/stop?t=3", "", "",
       [](EngineClient& e) { BOOST_TEST(stop_container(e.ctx, *e.client, "web", {.timeout = std::chrono::seconds(3)})); }},
      {"POST /containers/web/stop", "", "", [](EngineClient& e) { stop_container(e.ctx, *e.client, "web"); }},
      {"POST /containers/web/restart?t=-1", "", "",
       [](EngineClient& e) { restart_container(e.ctx, *e.client, "web", {.timeout = std::chrono::seconds(-1)}); }},
      {"POST /containers/web/kill?signal=SIGHUP", "", "",
       [](EngineClient& e) { kill_container(e.ctx, *e.client, "web", "SIGHUP"); }},
      {"POST /containers/web/kill", "", "", [](EngineClient& e) { kill_container(e.ctx, *e.client, "web"); }},
      {"POST /containers/web/pause", "", "", [](EngineClient& e) { pause_container(e.ctx, *e.client, "web"); }},
      {"POST /containers/web/unpause", "", "", [](EngineClient& e) { unpause_container(e.ctx, *e.client, "web"); }},
      {"POST /containers/web/rename?name=web%20old", "", "",
       [](EngineClient& e) { rename_container(e.ctx, *e.client, "web", "web old"); }},
      {"POST /containers/web/update", R"({"Memory":1})", R"({"Warnings": null})",
       [](EngineClient& e) {
         BOOST_TEST(update_container(e.ctx, *e.client, "web", {{"Memory", 1}}).empty());
       }},
      {"POST /containers/web/wait", "", R"({"StatusCode": 3, "Error": null})",
       [](EngineClient& e) { BOOST_TEST(wait_container(e.ctx, *e.client, "web").exit_code == 3); }},
      {"POST /containers/web/wait?condition=removed", "", R"({"StatusCode": 0, "Error": {"Message": "gone"}})",
       [](EngineClient& e) {
         bool is_noted = false;
         BOOST_TEST(wait_container(e.ctx, *e.client, "web", WaitCondition::removed, [&] { is_noted = true; }).error == "gone");
         BOOST_TEST(is_noted);
       }},
      {"DELETE /containers/web", "", "", [](EngineClient& e) { remove_container(e.ctx, *e.client, "web"); }},
      {"DELETE /containers/web?v=1&force=1", "", "",
       [](EngineClient& e) { remove_container(e.ctx, *e.client, "web", {.volumes = true, .force = true}); }},
      {"POST /containers/prune?filters=%7B%22until%22%3A%7B%221h%22%3Atrue%7D%7D", "",
       R"({"ContainersDeleted": ["a"], "SpaceReclaimed": 5})",
       [](EngineClient& e) {
         BOOST_TEST(prune_containers(e.ctx, *e.client, {{"until", {"1h"}}}).reclaimed_bytes == 5);
       }},
      {"PUT /containers/web/archive?path=%2Fdata", "tar bytes", "",
       [](EngineClient& e) { write_container_files(e.ctx, *e.client, "web", "/data", text_source("tar bytes")); }},
      {"PUT /containers/web/archive?path=%2F&noOverwriteDirNonDir=1&copyUIDGID=1", "", "",
       [](EngineClient& e) {
         write_container_files(e.ctx, *e.client, "web", "/", text_source(""), {.may_replace_kind = false, .belongs_to_user = true});
       }},
      {"GET /containers/web/export", "", "bytes",
       [](EngineClient& e) {
         std::string got;
         export_container(e.ctx, *e.client, "web", [&](std::span<const std::byte> bytes) { return got += as_text(bytes), true; });
         BOOST_TEST(got == "bytes");
       }},
      {"GET /containers/web/changes", "", R"([{"Kind": 2, "Path": "/a"}, {"Kind": 7, "Path": "/b"}])",
       [](EngineClient& e) {
         const auto changes = list_container_changes(e.ctx, *e.client, "web");
         BOOST_REQUIRE(changes.size() == 1U);
         BOOST_TEST((changes[0].kind == FileChange::Kind::removed));
       }},
      {"POST /containers/web/resize?h=24&w=80", "", "",
       [](EngineClient& e) { resize_container(e.ctx, *e.client, "web", {.rows = 24, .columns = 80}); }},
      {"GET /containers/web/top?ps_args=aux%20-w", "", R"({"Titles": ["PID"], "Processes": [["1"]]})",
       [](EngineClient& e) { BOOST_TEST(list_container_processes(e.ctx, *e.client, "web", "aux -w").rows[0][0] == "1"); }},
      {"GET /containers/web/stats?stream=0&one-shot=1", "", R"({"pids_stats": {"current": 2}})",
       [](EngineClient& e) { BOOST_TEST(read_container_stats(e.ctx, *e.client, "web").processes == 2); }},
      {"GET /containers/web/stats?stream=1", "", "{\"pids_stats\": {\"current\": 2}}\n{\"pids_stats\": {\"current\": 3}}\n{}\n",
       [](EngineClient& e) {
         std::vector<std::int64_t> counts;
         follow_container_stats(e.ctx, *e.client, "web", [&](const ContainerStats& stats) {
           return counts.push_back(stats.processes), counts.size() < 2;
         });
         BOOST_TEST(counts == (std::vector<std::int64_t>{2, 3}), boost::test_tools::per_element());
       }},
      {"POST /containers/web/exec",
       R"({"AttachStderr":true,"AttachStdin":false,"AttachStdout":true,"Cmd":["sh"],"Env":["A=1"],"Privileged":false,"Tty":false,"User":"0:0","WorkingDir":"/x"})",
       R"({"Id": "e1"})",
       [](EngineClient& e) {
         BOOST_TEST(create_exec(e.ctx, *e.client, "web",
                                {.command = {"sh"}, .env = {"A=1"}, .working_dir = "/x", .user = "0:0"}) == "e1");
       }},
      {"POST /exec/e1/start", R"({"Detach":true})", "", [](EngineClient& e) { start_exec_detached(e.ctx, *e.client, "e1"); }},
      {"POST /exec/e1/resize?h=1&w=2", "", "",
       [](EngineClient& e) { resize_exec(e.ctx, *e.client, "e1", {.rows = 1, .columns = 2}); }},
      {"GET /exec/e1/json", "",
       R"({"ID": "e1", "Running": false, "ExitCode": 4, "ProcessConfig": {"entrypoint": "sh", "arguments": ["-c"]}})",
       [](EngineClient& e) {
         const auto details = find_exec(e.ctx, *e.client, "e1");
         BOOST_TEST(details->exit_code.value() == 4);
         BOOST_TEST(details->arguments[0] == "-c");
       }},
      {"GET /distribution/ghcr.io/a/b:1/json", "",
       R"({"Descriptor": {"mediaType": "m", "digest": ")" + id +
           R"(", "size": 3}, "Platforms": [{"os": "linux", "architecture": "arm64"}]})",
       [](EngineClient& e) {
         const auto found = find_in_registry(e.ctx, *e.client, Reference::parse("ghcr.io/a/b:1"), {.registry_auth = "e30="});
         BOOST_TEST((found->digest == image_id));
         BOOST_TEST(found->platforms[0].architecture == "arm64");
         BOOST_TEST(e.fake.requests().back().headers["x-registry-auth"] == "e30=");
       }},
      {"POST /auth", R"({"password":"p","serveraddress":"ghcr.io","username":"u"})",
       R"({"Status": "Login Succeeded", "IdentityToken": "t"})",
       [](EngineClient& e) {
         BOOST_TEST(
             check_login(e.ctx, *e.client, {.username = "u", .password = "p", .server_address = "ghcr.io"}).identity_token ==
             "t");
       }},
      {"GET /volumes?filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%7D", "", R"({"Volumes": [{"Name": "v"}]})",
       [](EngineClient& e) {
         BOOST_TEST(list_volumes(e.ctx, *e.client, {{"dangling", {"true"}}}).size() == 1U);
       }},
      {"GET /volumes/v", "", R"({"Name": "v"})",
       [](EngineClient& e) { BOOST_TEST(find_volume(e.ctx, *e.client, "v")->name == "v"); }},
      {"POST /volumes/create", R"({"DriverOpts":{"type":"tmpfs"},"Labels":{"a":"b"},"Name":"v"})", R"({"Name": "v"})",
       [](EngineClient& e) {
         create_volume(e.ctx, *e.client, {.name = "v", .options = {{"type", "tmpfs"}}, .labels = {{"a", "b"}}});
       }},
      {"POST /volumes/create", "{}", R"({"Name": "0a1b"})",
       [](EngineClient& e) { BOOST_TEST(create_volume(e.ctx, *e.client, {}).name == "0a1b"); }},
      {"DELETE /volumes/v", "", "", [](EngineClient& e) { remove_volume(e.ctx, *e.client, "v"); }},
      {"DELETE /volumes/v?force=1", "", "", [](EngineClient& e) { remove_volume(e.ctx, *e.client, "v", {.force = true}); }},
      {"GET /networks", "", R"([{"Id": "n"}])",
       [](EngineClient& e) { BOOST_TEST(list_networks(e.ctx, *e.client).size() == 1U); }},
      {"GET /networks/a%20b", "", R"({"Id": "n"})",
       [](EngineClient& e) { BOOST_TEST(find_network(e.ctx, *e.client, "a b")->id == "n"); }},
      {"POST /networks/create", R"({"Attachable":false,"CheckDuplicate":true,"Driver":"bridge","Internal":true,"Name":"n"})",
       R"({"Id": "n", "Warning": "w"})",
       [](EngineClient& e) { BOOST_TEST(create_network(e.ctx, *e.client, {.name = "n", .is_internal = true}).warning == "w"); }},
      {"POST /networks/n/connect", R"({"Container":"web","EndpointConfig":{"Aliases":["w"]}})", "",
       [](EngineClient& e) { connect_network(e.ctx, *e.client, "n", "web", {.aliases = {"w"}}); }},
      {"POST /networks/n/disconnect", R"({"Container":"web","Force":true})", "",
       [](EngineClient& e) { disconnect_network(e.ctx, *e.client, "n", "web", {.force = true}); }},
      {"DELETE /networks/n", "", "", [](EngineClient& e) { remove_network(e.ctx, *e.client, "n"); }},
      {"POST /networks/prune", "", R"({"NetworksDeleted": ["n"]})",
       [](EngineClient& e) { BOOST_TEST(prune_networks(e.ctx, *e.client)[0] == "n"); }},
      {"GET /system/df", "", R"({"LayersSize": 1})",
       [](EngineClient& e) {
         BOOST_TEST(read_disk_usage(e.ctx, *e.client, {.volumes = false}).images.total_bytes.value() == 1);
       }},
      {"POST /build/prune?all=1&keep-storage=9", "", R"({"CachesDeleted": ["b"], "SpaceReclaimed": 4})",
       [](EngineClient& e) {
         BOOST_TEST(prune_build_cache(e.ctx, *e.client, {.all = true, .reserved_bytes = 9}).ids[0] == "b");
       }},
      {"GET /images/json?all=1", "", "[]", [](EngineClient& e) { list_images(e.ctx, *e.client, {.all = true}); }},
      {"GET /images/ghcr.io/a/b:1/history", "", R"([{"Id": "<missing>", "Size": 3}])",
       [](EngineClient& e) {
         const auto steps = read_image_history(e.ctx, *e.client, "ghcr.io/a/b:1");
         BOOST_TEST(steps[0].size_bytes == 3);
         BOOST_TEST(!steps[0].id);
       }},
      {"DELETE /images/x:1?noprune=1", "", R"([{"Untagged": "x:1"}])",
       [](EngineClient& e) { BOOST_TEST(remove_image(e.ctx, *e.client, "x:1").untagged[0] == "x:1"); }},
      {"DELETE /images/x:1?force=1", "", "[]",
       [](EngineClient& e) { remove_image(e.ctx, *e.client, "x:1", {.force = true, .prune_parents = true}); }},
      {"POST /images/prune", "", R"({"ImagesDeleted": null, "SpaceReclaimed": 0})",
       [](EngineClient& e) { prune_images(e.ctx, *e.client); }},
      {"GET /images/search?term=redis&limit=2", "", R"([{"name": "redis", "star_count": 5, "is_official": true}])",
       [](EngineClient& e) { BOOST_TEST(search_images(e.ctx, *e.client, "redis", {.limit = 2})[0].is_official); }},
      {"POST /commit?container=web&repo=x&tag=1&changes=CMD%20a&pause=1", "{}", R"({"Id": ")" + id + "\"}",
       [](EngineClient& e) {
         BOOST_TEST((commit_container(e.ctx, *e.client,
                                      {.container = "web", .repository = "x", .tag = "1", .changes = {"CMD a"}}) == image_id));
       }},
      {"POST /images/create?fromImage=docker.io%2Flibrary%2Fredis&tag=7&platform=linux%2Farm64", "",
       "{\"status\": \"Downloading\", \"id\": \"ab\", \"progressDetail\": {\"current\": 1, \"total\": 2}}\r\n{\"status\": "
       "\"Digest: " +
           id + "\"}",
       [](EngineClient& e) {
         std::vector<std::int64_t> totals;
         const auto digest =
             pull_image(e.ctx, *e.client,
                        {.reference = Reference::parse("redis:7"), .platform = Platform{.os = "linux", .architecture = "arm64"}},
                        [&](const TransferProgress& progress) { totals.push_back(progress.total_bytes); });
         BOOST_TEST((digest == image_id));
         BOOST_TEST(totals == (std::vector<std::int64_t>{2, 0}), boost::test_tools::per_element());
       }},
      {"POST /images/localhost:5000/x/push?tag=1", "",
       "{\"status\": \"Pushed\"}\n{\"progressDetail\": {}, \"aux\": {\"Tag\": \"1\", \"Digest\": \"" + id + "\", \"Size\": 12}}",
       [](EngineClient& e) {
         const auto pushed = push_image(e.ctx, *e.client, {.reference = Reference::parse("localhost:5000/x:1")});
         BOOST_TEST((pushed.digest == image_id));
         BOOST_TEST(e.fake.requests().back().headers["x-registry-auth"] == "e30=");
       }},
      {"GET /images/get?names=a%3A1&names=b%3A2", "", "tar",
       [](EngineClient& e) {
         std::string got;
         save_images(e.ctx, *e.client, {"a:1", "b:2"},
                     [&](std::span<const std::byte> bytes) { return got += as_text(bytes), true; });
         BOOST_TEST(got == "tar");
       }},
      {"POST /images/create?fromSrc=-&repo=x%3A1&changes=CMD%20a", "tar", R"({"status": ")" + id + "\"}",
       [](EngineClient& e) {
         BOOST_TEST((import_filesystem(e.ctx, *e.client,
                                       {.source = text_source("tar"), .repository = "x", .tag = "1", .changes = {"CMD a"}}) ==
                     image_id));
       }},
  };
}

std::vector<Row> rows_for_1_51() {
  return {
      {"POST /containers/web/stop?t=3&signal=SIGINT", "", "",
       [](EngineClient& e) {
         stop_container(e.ctx, *e.client, "web", {.timeout = std::chrono::seconds(3), .signal = "SIGINT"});
       }},
      {"GET /system/df?type=image&type=build-cache", "", "{}",
       [](EngineClient& e) { read_disk_usage(e.ctx, *e.client, {.containers = false, .volumes = false}); }},
      {"GET /system/df?type=build-cache", "", R"({"BuildCache": [{"ID": "b"}]})",
       [](EngineClient& e) { BOOST_TEST(list_build_cache(e.ctx, *e.client)[0].id == "b"); }},
      {"POST /volumes/prune", "", R"({"VolumesDeleted": ["v"], "SpaceReclaimed": 3})",
       [](EngineClient& e) { BOOST_TEST(prune_anonymous_volumes(e.ctx, *e.client).names[0] == "v"); }},
      {"POST /build/prune?reserved-space=1&max-used-space=2&min-free-space=3", "", "{}",
       [](EngineClient& e) {
         prune_build_cache(e.ctx, *e.client, {.reserved_bytes = 1, .used_bytes_max = 2, .free_bytes_min = 3});
       }},
      {"GET /images/json?shared-size=1&manifests=1", "", "[]",
       [](EngineClient& e) { list_images(e.ctx, *e.client, {.with_shared_sizes = true}); }},
      {"GET "
       "/images/get?names=a&platform=%7B%22architecture%22%3A%22arm%22%2C%22os%22%3A%22linux%22%2C%22variant%22%3A%22v7%22%7D",
       "", "",
       [](EngineClient& e) {
         save_images(e.ctx, *e.client, {"a"}, {}, {.platform = Platform{.os = "linux", .architecture = "arm", .variant = "v7"}});
       }},
  };
}

void run(EngineClient& engine, const std::string& version, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.asked) {
      const std::size_t space = row.asked.find(' ');
      const std::string path = row.asked.substr(
          space + 1, row.asked.find('?') == std::string::npos ? std::string::npos : row.asked.find('?') - space - 1);
      // Escapes stay as they were sent: the fake compares them as text.
      engine.fake.override_answer(path, row.answer.empty() ? 204 : 200, row.answer);
      row.call(engine);
      const auto asked = engine.fake.requests().back();
      BOOST_TEST(asked.method + " " + asked.target ==
                 row.asked.substr(0, space + 1) + "/v" + version + row.asked.substr(space + 1));
      BOOST_TEST(asked.body == row.body);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_function_asks_for_what_it_says) {
  EngineClient old({.api_version = "1.41"});
  run(old, "1.41", rows_for_1_41());
  EngineClient young({.api_version = "1.51"});
  run(young, "1.51", rows_for_1_51());
}

BOOST_AUTO_TEST_CASE(what_an_engine_cannot_do_is_refused_before_it_is_asked) {
  const struct {
    const char* needs;
    std::function<void(EngineClient&)> call;
  } rows[] = {
      {"1.42", [](EngineClient& e) { stop_container(e.ctx, *e.client, "web", {.signal = "SIGINT"}); }},
      {"1.42", [](EngineClient& e) { prune_anonymous_volumes(e.ctx, *e.client); }},
      {"1.42", [](EngineClient& e) { list_images(e.ctx, *e.client, {.with_shared_sizes = true}); }},
      {"1.44",
       [](EngineClient& e) {
         create_container(e.ctx, *e.client, {}, json::parse(R"({"NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}})"));
       }},
      {"1.46",
       [](EngineClient& e) { push_image(e.ctx, *e.client, {.reference = Reference::parse("x"), .platform = Platform::host()}); }},
      {"1.48", [](EngineClient& e) { save_images(e.ctx, *e.client, {"x"}, {}, {.platform = Platform::host()}); }},
      {"1.48",
       [](EngineClient& e) { load_archive(e.ctx, *e.client, {.source = text_source(""), .platform = Platform::host()}); }},
      {"1.48", [](EngineClient& e) { create_network(e.ctx, *e.client, {.name = "n", .has_ipv4 = false}); }},
      {"1.48", [](EngineClient& e) { prune_build_cache(e.ctx, *e.client, {.used_bytes_max = 1}); }},
      {"1.54", [](EngineClient& e) { connect_network(e.ctx, *e.client, "n", "web", {.mac_address = "02:00:00:00:00:01"}); }},
  };
  EngineClient engine({.api_version = "1.41"});
  for (const auto& row : rows) {
    const auto failure = failure_of([&] { row.call(engine); });
    BOOST_TEST((failure.code == ErrorCode::unsupported));
    BOOST_TEST(contains(failure.text, "needs API " + std::string(row.needs) + ", this engine speaks 1.41"));
  }
  BOOST_TEST(engine.fake.targets().size() == 1U);  // the ping
}

BOOST_AUTO_TEST_CASE(a_prune_that_would_take_named_volumes_is_refused) {
  EngineClient engine({.api_version = "1.51"});
  BOOST_TEST((failure_of([&] {
                prune_anonymous_volumes(engine.ctx, *engine.client, {{"all", {"true"}}});
              }).code == ErrorCode::data_safety));
  BOOST_TEST(engine.fake.targets().empty());
}

BOOST_AUTO_TEST_CASE(what_is_so_already_is_told) {
  EngineClient engine;
  engine.fake.override_answer("/containers/web/start", 304, "");
  BOOST_TEST(!start_container(engine.ctx, *engine.client, "web"));
  engine.fake.override_answer("/containers/web/stop", 304, "");
  BOOST_TEST(!stop_container(engine.ctx, *engine.client, "web"));
}

BOOST_AUTO_TEST_CASE(a_conflict_is_known_by_its_status) {
  EngineClient engine;
  engine.fake.override_answer("/images/x", 409, R"({"message": "conflict: in use by a running container"})");
  try {
    remove_image(engine.ctx, *engine.client, "x");
    BOOST_FAIL("no failure");
  } catch (const EngineFailure& failure) {
    BOOST_TEST(failure.is_conflict());
    BOOST_TEST((failure.code() == ErrorCode::engine));
    BOOST_TEST(contains(failure.what(), "DELETE /images/x: the engine answered 409: conflict: in use"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_nothing) {
  EngineClient engine;
  BOOST_TEST(!find_container(engine.ctx, *engine.client, "gone"));
  BOOST_TEST(!find_volume(engine.ctx, *engine.client, "gone"));
  BOOST_TEST(!find_network(engine.ctx, *engine.client, "gone"));
  BOOST_TEST(!find_container_path(engine.ctx, *engine.client, "gone", "/x"));
  engine.fake.override_answer("/volumes/broken", 500, R"({"message": "no"})");
  BOOST_TEST((failure_of([&] { find_volume(engine.ctx, *engine.client, "broken"); }).code == ErrorCode::engine));
}

BOOST_AUTO_TEST_CASE(a_paths_stat_comes_in_a_header) {
  const std::string stat =
      R"({"name": "data", "size": 4096, "mode": 2147484141, "mtime": "2023-11-14T22:13:20Z", "linkTarget": ""})";
  EngineClient engine;
  engine.fake.override_answer("/containers/web/archive", 200, "tar bytes",
                              "X-Docker-Container-Path-Stat: " + encode_base64(stat, Base64::standard) + "\r\n");

  const auto found = find_container_path(engine.ctx, *engine.client, "web", "/data");
  BOOST_TEST(engine.fake.targets().back() == "HEAD /v1.41/containers/web/archive?path=%2Fdata");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->is_directory());
  BOOST_TEST((found->mode & 0777U) == 0755U);

  std::string tar;
  const auto read = read_container_files(engine.ctx, *engine.client, "web", "/data",
                                         [&](std::span<const std::byte> bytes) { return tar += as_text(bytes), true; });
  BOOST_TEST(tar == "tar bytes");
  BOOST_TEST(read.name == "data");

  for (const char* bad : {"", "***", "bm8=", "W10="}) BOOST_TEST(!parse_path_stat(bad));
}

BOOST_AUTO_TEST_CASE(an_engines_refusal_of_an_upload_counts_more_than_the_broken_pipe) {
  EngineClient engine;
  engine.fake.script_loads({test::LoadFault::status_500});
  const auto endless = [](std::span<std::byte> out) { return out.size(); };
  const auto failure = failure_of([&] {
    engine.client->exchange(engine.ctx,
                            {.method = "POST", .path = "/images/load", .source = endless, .content_type = "application/x-tar"});
  });
  BOOST_TEST((failure.code == ErrorCode::engine));
  BOOST_TEST(contains(failure.text, "daemon is shutting down"));
}

BOOST_AUTO_TEST_CASE(a_download_can_be_enough) {
  EngineClient engine;
  engine.fake.override_answer("/containers/web/export", 200, std::string(1'000'000, 'x'));
  std::size_t got = 0;
  export_container(engine.ctx, *engine.client, "web",
                   [&](std::span<const std::byte> bytes) { return got += bytes.size(), false; });
  BOOST_TEST(got > 0U);
  BOOST_TEST(got < 1'000'000U);
}

BOOST_AUTO_TEST_CASE(an_engine_that_works_in_silence_is_given_up_in_the_end) {
  EngineClient engine;
  engine.fake.script_loads({test::LoadFault::hang});
  const auto failure = failure_of([&] {
    load_archive(engine.ctx, *engine.client, {.source = text_source("not read"), .silence_max = std::chrono::milliseconds(50)});
  });
  BOOST_TEST((failure.code == ErrorCode::network));
}

BOOST_AUTO_TEST_CASE(errors_inside_a_good_answer_are_thrown) {
  EngineClient engine;
  engine.fake.override_answer("/images/create", 200,
                              "{\"status\": \"Pulling\"}\r\n{\"errorDetail\": {\"message\": \"no space left\"}}\r\n");
  const auto failure = failure_of([&] { pull_image(engine.ctx, *engine.client, {.reference = Reference::parse("x")}); });
  BOOST_TEST((failure.code == ErrorCode::engine));
  BOOST_TEST(contains(failure.text, "no space left"));
  BOOST_TEST((failure_of([&] { save_images(engine.ctx, *engine.client, {}, {}); }).code == ErrorCode::invalid));
}

std::string frame(char stream, const std::string& text) {
  return std::string{stream, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())} + text;
}

// The output, each piece behind its stream's first letter.
std::string logs_of(EngineClient& engine) {
  std::string text;
  read_container_logs(engine.ctx, *engine.client, "web", {.tail = 5}, [&](OutputStream stream, std::span<const std::byte> bytes) {
    text += (stream == OutputStream::standard_error ? "E:" : "O:") + std::string(as_text(bytes));
  });
  return text;
}

BOOST_AUTO_TEST_CASE(logs_of_a_new_engine_tell_their_form) {
  EngineClient engine({.api_version = "1.51"});
  engine.fake.override_answer("/containers/web/logs", 200, frame(1, "a\n") + frame(2, "b"),
                              "Content-Type: application/vnd.docker.multiplexed-stream\r\n");
  BOOST_TEST(logs_of(engine) == "O:a\nE:b");
  BOOST_TEST(engine.fake.targets().back() == "GET /v1.51/containers/web/logs?stdout=1&stderr=1&tail=5");
  engine.fake.override_answer("/containers/web/logs", 200, "plain\r\n", "Content-Type: application/vnd.docker.raw-stream\r\n");
  BOOST_TEST(logs_of(engine) == "O:plain\r\n");
}

BOOST_AUTO_TEST_CASE(logs_that_are_followed_have_to_begin) {
  EngineClient engine({.api_version = "1.51"});
  engine.client->api_version(engine.ctx);
  engine.fake.hang(true);
  const auto failure = failure_of([&] {
    read_container_logs(engine.ctx, *engine.client, "web", {.follow = true, .head_max = std::chrono::milliseconds(20)}, [](OutputStream, std::span<const std::byte>) {});
  });
  BOOST_TEST((failure.code == ErrorCode::network), failure.text);
}

// What the caller allowed says nothing about the engine.
BOOST_AUTO_TEST_CASE(the_callers_deadline_is_not_the_engines_fault) {
  EngineClient engine;
  engine.client->api_version(engine.ctx);
  engine.fake.hang(true);
  const auto failure = failure_of([&] { engine.client->get(engine.ctx.within(std::chrono::milliseconds(20)), "/version"); });
  BOOST_TEST((failure.code == ErrorCode::network));
  BOOST_TEST(failure.text == "not done before the deadline");
}

BOOST_AUTO_TEST_CASE(logs_of_an_old_engine_have_the_form_of_the_container) {
  EngineClient engine({.api_version = "1.41"});
  engine.fake.override_answer("/containers/web/json", 200, R"({"Id": "abc", "Config": {"Tty": true}})");
  engine.fake.override_answer("/containers/web/logs", 200, "plain\r\n");
  BOOST_TEST(logs_of(engine) == "O:plain\r\n");
  engine.fake.override_answer("/containers/web/json", 200, R"({"Id": "abc", "Config": {"Tty": false}})");
  engine.fake.override_answer("/containers/web/logs", 200, frame(2, "b"));
  BOOST_TEST(logs_of(engine) == "E:b");
  engine.fake.override_answer("/containers/web/logs", 200, frame(2, "b").substr(0, 5));
  BOOST_TEST((failure_of([&] { logs_of(engine); }).code == ErrorCode::network));  // cut
  engine.fake.override_answer("/containers/web/logs", 501,
                              R"({"message": "configured logging driver does not support reading"})");
  BOOST_TEST(contains(failure_of([&] { logs_of(engine); }).text, "does not support reading"));
}

BOOST_AUTO_TEST_CASE(a_login_that_the_registry_refuses_is_no_failure_of_the_engine) {
  EngineClient engine;
  engine.fake.override_answer("/auth", 401, R"({"message": "unauthorized: incorrect username or password"})");
  const auto log_in = [&] {
    check_login(engine.ctx, *engine.client, {.username = "u", .password = "secret", .server_address = "ghcr.io"});
  };
  const auto failure = failure_of(log_in);
  BOOST_TEST((failure.code == ErrorCode::authentication));
  BOOST_TEST(contains(failure.text, "ghcr.io"));
  BOOST_TEST(!contains(failure.text, "secret"));
  engine.fake.override_answer("/auth", 500,
                              R"({"message": "login attempt to https://ghcr.io/v2/ failed with status: 401 Unauthorized"})");
  BOOST_TEST((failure_of(log_in).code == ErrorCode::authentication));
  engine.fake.override_answer("/auth", 500, R"({"message": "no such host"})");
  BOOST_TEST((failure_of(log_in).code == ErrorCode::engine));
}

BOOST_AUTO_TEST_CASE(the_processor_share_between_two_readings) {
  const auto reading = [](int cpu, int system, int cpus) {
    return ContainerStats{
        .cpu_total = std::chrono::nanoseconds(cpu), .system_total = std::chrono::nanoseconds(system), .online_cpus = cpus};
  };
  BOOST_TEST(cpu_share(reading(0, 0, 2), reading(50, 200, 2)).value() == 0.5);
  BOOST_TEST(!cpu_share(reading(0, 200, 2), reading(50, 200, 2)));  // no time between
  BOOST_TEST(!cpu_share(reading(60, 0, 2), reading(50, 200, 2)));   // started anew
  const auto v1 = parse_container_stats(json::parse(R"({"memory_stats": {"usage": 9, "stats": {"total_inactive_file": 4}},
    "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 1}, {"op": "Write", "value": 2}, {"op": "Read", "value": 4}]},
    "networks": {"eth0": {"rx_bytes": 5, "tx_bytes": 6}}})"));
  BOOST_TEST(v1.memory_cache_bytes == 4);
  BOOST_TEST(v1.block_read_bytes == 5);
  BOOST_TEST(v1.networks.at("eth0").sent_bytes == 6);
}

BOOST_AUTO_TEST_CASE(a_login_is_encoded_as_engines_read_it) {
  BOOST_TEST(to_registry_auth({.username = "u", .password = "p>?", .server_address = "ghcr.io"}) ==
             encode_base64(R"({"password":"p>?","serveraddress":"ghcr.io","username":"u"})", Base64::url));
  BOOST_TEST(to_registry_auth({.identity_token = "t"}) == encode_base64(R"({"identitytoken":"t"})", Base64::url));
}

BOOST_AUTO_TEST_SUITE_END()
