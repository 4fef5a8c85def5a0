// Calls every function of the Engine API client once on a real engine, in an order in which each has something to work on.
//
//   engine_calls --list                     the calls, one a line: endpoint, a tab, function
//   engine_calls ROOT_FS_TAR REGISTRY       on the engine of DOCKER_HOST, which must be this test's own: everything unused is
//   pruned
//
// ROOT_FS_TAR has a shell and busybox in /bin; REGISTRY is HOST:PORT on loopback. A line a call: "ok", "needs" (the engine's API
// is too old, and the client said so before asking), or "FAILED", with the reason. Exit code 1 if anything failed.
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/build_cache.h"
#include "engine/container_files.h"
#include "engine/container_output.h"
#include "engine/container_stats.h"
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/distribution.h"
#include "engine/engine_failure.h"
#include "engine/events.h"
#include "engine/exec.h"
#include "engine/image_transfer.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/system.h"
#include "engine/volumes.h"
#include "store/tar_writer.h"
#include "tests/support/loopback_server.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace drover;
using namespace drover::engine;
using nlohmann::json;

void expect(bool is_so, const std::string& what) {
  if (!is_so) throw std::runtime_error("not so: " + what);
}

template <typename Failure = EngineFailure>
Failure expect_failure(const std::function<void()>& call, const std::string& what) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure;
  }
  throw std::runtime_error("no failure: " + what);
}


net::BodySource text_source(std::string text) {
  return [text = std::move(text), sent = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t count = std::min(out.size(), text.size() - sent);
    std::copy_n(as_bytes(text).subspan(sent).begin(), count, out.begin());
    sent += count;
    return count;
  };
}

net::BodySource file_source(const std::string& path) {
  auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
  expect(file->is_open(), path + " can be read");
  return [file](std::span<std::byte> out) {
    file->read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return static_cast<std::size_t>(file->gcount());
  };
}

Client::ByteSink into(std::string& text) {
  return [&text](std::span<const std::byte> bytes) { return text += as_text(bytes), true; };
}

// What a container or an exec printed.
struct Output {
  std::string out;
  std::string err;

  LogFrames::Handler handler() {
    return [this](OutputStream stream, std::span<const std::byte> bytes) {
      (stream == OutputStream::standard_error ? err : out) += as_text(bytes);
    };
  }
};

std::string tar_of(std::string_view name, std::string_view bytes) {
  std::string tar;
  store::TarWriter writer([&](std::span<const std::byte> piece) { tar += as_text(piece); });
  writer.add(name, bytes);
  writer.finish();
  return tar;
}

InputSource typed(std::string text) {
  return [source = text_source(std::move(text))](const Context&, std::span<std::byte> space) { return source(space); };
}

struct Bench {
  Context ctx;
  Client& client;
  std::string root_fs;
  std::string registry;
  std::string hub;  // HOST:PORT of what docker-registry has not: search, and a login to refuse

  Digest image = Digest::of("");
  std::optional<Digest> pushed = {};
  std::string repository() const { return registry + "/engine-calls"; }
  std::string tagged() const { return repository() + ":1"; }
  std::string saved = {};
  std::string volume = {};      // anonymous
  std::string short_lived = {};
  std::string long_lived = {};
  std::string network = {};
  std::string exec = {};
};

// The body of a container that does not reach the network.
json body_of(const Bench& bench, const std::string& script) {
  return {{"Image", bench.tagged()},
          {"Cmd", {"/bin/sh", "-c", script}},
          {"Labels", {{"drover.test", "engine-calls"}}},
          {"HostConfig", {{"NetworkMode", "none"}}}};
}

struct Step {
  const char* endpoint;
  const char* function;
  std::function<void(Bench&)> call;
};

// The system, before there is anything in it.
std::vector<Step> system_steps() {
  return {
      {"GET /_ping", "ping", [](Bench& b) { expect(ping(b.ctx, b.client).os == "linux", "it is linux"); }},
      {"GET /version", "read_version",
       [](Bench& b) { expect(!read_version(b.ctx, b.client).min_api_version.empty(), "the oldest API is told"); }},
      {"GET /info", "read_info", [](Bench& b) { expect(!read_info(b.ctx, b.client).id.empty(), "the engine has an ID"); }},
      {"POST /auth", "check_login",
       [](Bench& b) {
         expect(!check_login(b.ctx, b.client, {.username = "u", .password = "p", .server_address = b.registry}).status.empty(),
                "a status");
         const auto refused = expect_failure<Error>(
             [&] { check_login(b.ctx, b.client, {.username = "u", .password = "wrong", .server_address = b.hub}); },
             "a wrong password");
         expect(refused.code() == ErrorCode::authentication, std::string("it is about the login: ") + refused.what());
       }},
  };
}

std::vector<Step> image_steps() {
  return {
      {"POST /images/create?fromSrc=-", "import_filesystem",
       [](Bench& b) {
         b.image = import_filesystem(
             b.ctx, b.client,
             {.source = file_source(b.root_fs), .repository = b.repository(), .tag = "base", .changes = {"ENV IMPORTED=yes"}});
       }},
      {"GET /images/{name}/json", "find_image",
       [](Bench& b) {
         const auto details = find_image(b.ctx, b.client, b.repository() + ":base");
         expect(details && details->id == b.image, "the import has its name");
         expect(details->config.env == std::vector<std::string>{"IMPORTED=yes"}, "its environment is that of the import");
         expect(details->last_tag_time.has_value(), "the engine noted when it was named");
         expect(!find_image(b.ctx, b.client, "drover.invalid/none:1"), "what is not there is nothing");
       }},
      {"POST /images/{name}/tag", "tag_image",
       [](Bench& b) { tag_image(b.ctx, b.client, b.image, Reference::parse(b.tagged())); }},
      {"GET /images/json", "list_images",
       [](Bench& b) {
         const auto images = list_images(b.ctx, b.client, {.filters = {{"reference", {b.tagged()}}}});
         expect(images.size() == 1 && images[0].id == b.image && images[0].size_bytes > 0, "the filter finds one");
       }},
      {"GET /images/{name}/history", "read_image_history",
       [](Bench& b) { expect(!read_image_history(b.ctx, b.client, b.tagged()).empty(), "there is a history"); }},
      {"POST /images/{name}/push", "push_image",
       [](Bench& b) {
         std::size_t lines = 0;
         b.pushed = push_image(b.ctx, b.client, {.reference = Reference::parse(b.tagged())}, [&](const TransferProgress&) {
                      ++lines;
                    }).digest;
         expect(b.pushed.has_value() && lines > 0, "the digest and the progress are told");
       }},
      {"GET /distribution/{name}/json", "find_in_registry",
       [](Bench& b) {
         const auto found = find_in_registry(b.ctx, b.client, Reference::parse(b.tagged()));
         expect(found && found->digest == b.pushed && found->size_bytes > 0, "the registry has what was pushed");
         expect(!find_in_registry(b.ctx, b.client, Reference::parse(b.repository() + ":none")), "and nothing else");
       }},
      {"GET /images/get", "save_images",
       [](Bench& b) {
         save_images(b.ctx, b.client, {b.tagged()}, into(b.saved));
         expect(b.saved.size() > 100'000, "the archive has some size");
       }},
      {"DELETE /images/{name}", "remove_image",
       [](Bench& b) {
         remove_image(b.ctx, b.client, b.repository() + ":base");
         expect(!remove_image(b.ctx, b.client, b.tagged()).removed.empty(), "the image went with its last name");
       }},
      {"POST /images/load", "load_archive",
       [](Bench& b) {
         const auto loaded = load_archive(b.ctx, b.client, {.source = text_source(b.saved)});
         expect(loaded == std::vector<std::string>{b.tagged()}, "its name is told");
         remove_image(b.ctx, b.client, b.tagged());
       }},
      {"POST /images/create", "pull_image",
       [](Bench& b) {
         expect(pull_image(b.ctx, b.client, {.reference = Reference::parse(b.tagged()), .platform = Platform::host()}) ==
                    b.pushed,
                "the digest is told");
         const auto details = find_image(b.ctx, b.client, b.tagged());
         expect(details && !details->repo_digests.empty(), "the engine knows it by its digest");
         b.image = details->id;
       }},
      {"POST /images/create?tag=DIGEST", "pull_manifest",
       [](Bench& b) {
         pull_manifest(
             b.ctx, b.client,
             {.reference = Reference::parse(b.tagged()), .digest = *b.pushed, .platform = Platform::host(), .registry_auth = {}});
       }},
      {"GET /images/search", "search_images",
       [](Bench& b) {
         const auto found = search_images(b.ctx, b.client, b.hub + "/tool", {.limit = 5});
         expect(found.size() == 1 && found[0].stars == 7, "what the registry says");
       }},
  };
}

std::vector<Step> volume_and_network_steps() {
  return {
      {"POST /volumes/create", "create_volume",
       [](Bench& b) {
         expect(create_volume(b.ctx, b.client, {.name = "engine-calls", .labels = {{"drover.test", "1"}}}).name == "engine-calls",
                "the name");
         b.volume = create_volume(b.ctx, b.client, {}).name;
       }},
      {"GET /events", "EventSubscription",
       [](Bench& b) {
         EventSubscription events(b.ctx, b.client, {.filters = {{"type", {"volume"}}}});
         const auto next = [&] { return events.next(b.ctx, std::chrono::minutes(1)); };
         const std::optional<EventNotice> first = next();
         expect(first && !first->event, "first the state is to be read");
         create_volume(b.ctx, b.client, {.name = "engine-calls-told"});
         remove_volume(b.ctx, b.client, "engine-calls-told");
         for (const char* action : {"create", "destroy"}) {
           const std::optional<EventNotice> notice = next();
           expect(notice && notice->event && notice->event->action == action && notice->event->actor_id == "engine-calls-told", std::string("told of: ") + action);
         }
       }},
      {"GET /volumes", "list_volumes",
       [](Bench& b) {
         const auto volumes = list_volumes(b.ctx, b.client, {{"label", {"drover.test=1"}}});
         expect(volumes.size() == 1 && !volumes[0].is_anonymous(), "the filter finds the named one");
       }},
      {"GET /volumes/{name}", "find_volume",
       [](Bench& b) {
         const auto volume = find_volume(b.ctx, b.client, b.volume);
         expect(volume && volume->is_anonymous() && volume->created, "the one without a name is known as such");
         expect(!find_volume(b.ctx, b.client, "none"), "what is not there is nothing");
       }},
      {"POST /networks/create", "create_network",
       [](Bench& b) {
         b.network =
             create_network(b.ctx, b.client, {.name = "engine-calls", .is_internal = true, .labels = {{"drover.test", "1"}}}).id;
       }},
      {"GET /networks", "list_networks",
       [](Bench& b) {
         const auto networks = list_networks(b.ctx, b.client, {{"label", {"drover.test"}}});
         expect(networks.size() == 1 && networks[0].id == b.network && !networks[0].ipam.pools.empty(), "the filter finds it");
       }},
      {"GET /networks/{id}", "find_network",
       [](Bench& b) {
         expect(find_network(b.ctx, b.client, "engine-calls")->id == b.network, "it is found by name");
         expect(!find_network(b.ctx, b.client, "engine-calls-none"), "what is not there is nothing");
       }},
  };
}

// A container that reads a line, prints to both streams and ends.
std::vector<Step> short_lived_steps() {
  return {
      {"POST /containers/create", "create_container",
       [](Bench& b) {
         json body = body_of(b, "read word; echo out $word; echo err $word >&2; touch /made; exit 3");
         body.update({{"OpenStdin", true}, {"StdinOnce", true}});
         b.short_lived = create_container(b.ctx, b.client, {.name = "engine-calls-short"}, body).id;
         const auto taken =
             expect_failure([&] { create_container(b.ctx, b.client, {.name = "engine-calls-short"}, body); }, "a name twice");
         expect(taken.is_conflict(), "it is a conflict");
         body["Image"] = "drover.invalid/none:1";
         expect(expect_failure([&] { create_container(b.ctx, b.client, {}, body); }, "no image").code() == ErrorCode::not_found,
                "it is not found");
       }},
      {"POST /containers/{id}/attach", "attach_container",
       [](Bench& b) {
         const Hijacked attached = attach_container(b.ctx, b.client, b.short_lived, {.standard_input = true});
         start_container(b.ctx, b.client, b.short_lived);
         Output output;
         converse(b.ctx, *attached.stream, *attached.format, typed("word\n"), output.handler());
         expect(output.out == "out word\n" && output.err == "err word\n", "both streams: " + output.out + output.err);
       }},
      {"POST /containers/{id}/wait", "wait_container",
       [](Bench& b) { expect(wait_container(b.ctx, b.client, b.short_lived).exit_code == 3, "the exit code"); }},
      {"GET /containers/{id}/logs", "read_container_logs",
       [](Bench& b) {
         Output output;
         read_container_logs(b.ctx, b.client, b.short_lived,
                             {.follow = true, .since = Timestamp(std::chrono::seconds(1)), .tail = 10}, output.handler());
         expect(output.out == "out word\n" && output.err == "err word\n", "both streams: " + output.out + output.err);
       }},
      {"GET /containers/{id}/json", "find_container",
       [](Bench& b) {
         const auto details = find_container(b.ctx, b.client, "engine-calls-short", {.with_sizes = true});
         expect(details && details->id == b.short_lived && details->state.exit_code == 3 && details->state.finished, "its end");
         expect(details->config.env == std::vector<std::string>{"IMPORTED=yes"}, "the image's environment");
         expect(details->size_root_fs_bytes.value_or(0) > 100'000, "its size");
         expect(!find_container(b.ctx, b.client, "none"), "what is not there is nothing");
       }},
      {"GET /containers/json", "list_containers",
       [](Bench& b) {
         const auto containers = list_containers(b.ctx, b.client, {.filters = {{"label", {"drover.test=engine-calls"}}}});
         expect(containers.size() == 1 && containers[0].state == "exited" && containers[0].name == "engine-calls-short",
                "one that has ended");
         expect(list_containers(b.ctx, b.client, {.running_only = true}).empty(), "none runs");
       }},
      {"GET /containers/{id}/changes", "list_container_changes",
       [](Bench& b) {
         const auto changes = list_container_changes(b.ctx, b.client, b.short_lived);
         const auto is_made = [](const FileChange& change) {
           return change.path == "/made" && change.kind == FileChange::Kind::added;
         };
         expect(std::any_of(changes.begin(), changes.end(), is_made), "the file that it made");
       }},
      {"PUT /containers/{id}/archive", "write_container_files",
       [](Bench& b) {
         write_container_files(b.ctx, b.client, b.short_lived, "/", text_source(tar_of("note", "a note")));
         const auto no_folder = expect_failure(
             [&] { write_container_files(b.ctx, b.client, b.short_lived, "/none", text_source(tar_of("note", ""))); },
             "no such folder");
         expect(no_folder.code() == ErrorCode::not_found, "it is not found");
       }},
      {"HEAD /containers/{id}/archive", "find_container_path",
       [](Bench& b) {
         const auto note = find_container_path(b.ctx, b.client, b.short_lived, "/note");
         expect(note && note->size_bytes == 6 && !note->is_directory(), "the size");
         expect(find_container_path(b.ctx, b.client, b.short_lived, "/bin")->is_directory(), "a folder is one");
         expect(!find_container_path(b.ctx, b.client, b.short_lived, "/none"), "what is not there is nothing");
       }},
      {"GET /containers/{id}/archive", "read_container_files",
       [](Bench& b) {
         std::string tar;
         expect(read_container_files(b.ctx, b.client, b.short_lived, "/note", into(tar)).name == "note", "the stat comes along");
         expect(tar.find("a note") != std::string::npos && tar.size() % 512 == 0, "the content");
       }},
      {"GET /containers/{id}/export", "export_container",
       [](Bench& b) {
         std::string tar;
         export_container(b.ctx, b.client, b.short_lived, into(tar));
         expect(tar.find("a note") != std::string::npos, "the note is in the root file system");
       }},
      {"POST /commit", "commit_container",
       [](Bench& b) {
         const Digest id = commit_container(b.ctx, b.client,
                                            {.container = b.short_lived,
                                             .repository = "engine-calls-commit",
                                             .tag = "1",
                                             .comment = "c",
                                             .changes = {"CMD true"}});
         expect(find_image(b.ctx, b.client, "engine-calls-commit:1")->id == id, "the image is there");
         remove_image(b.ctx, b.client, "engine-calls-commit:1", {.force = false, .prune_parents = true});
       }},
  };
}

// It says so each time that it begins.
void wait_until_ready(const Bench& bench, std::size_t times) {
  const Context bounded = bench.ctx.within(std::chrono::minutes(1));
  for (;;) {
    Output output;
    read_container_logs(bounded, bench.client, bench.long_lived, {}, output.handler());
    if (split(output.out, '\n').size() > times) return;
    bounded.clock->sleep_for(std::chrono::milliseconds(20), {});
  }
}

// A container that goes on until it is told, with a volume and a network.
std::vector<Step> long_lived_steps() {
  return {
      {"POST /containers/{id}/start", "start_container",
       [](Bench& b) {
         json body = body_of(b, "trap 'exit 5' TERM; trap 'echo hup' HUP; echo ready; while :; do sleep 0.1; done");
         body["HostConfig"] = {{"NetworkMode", "engine-calls"}, {"Binds", {"engine-calls:/data"}}};
         body["Healthcheck"] = {{"Test", {"CMD", "/bin/true"}}, {"Interval", 3'600'000'000'000}};
         b.long_lived = create_container(b.ctx, b.client, {.name = "engine-calls-long"}, body).id;
         expect(start_container(b.ctx, b.client, b.long_lived), "it did not run");
         expect(!start_container(b.ctx, b.client, b.long_lived), "it runs already");
         const auto details = find_container(b.ctx, b.client, b.long_lived);
         expect(details->state.is_running && details->state.health && details->state.health->status == "starting",
                "health is told");
         expect(details->network_settings.networks.at("engine-calls").network_id == b.network, "its network");
         expect(details->mounts.size() == 1 && details->mounts[0].name == "engine-calls", "its volume");
       }},
      {"GET /containers/{id}/top", "list_container_processes",
       [](Bench& b) {
         const auto table = list_container_processes(b.ctx, b.client, b.long_lived);
         expect(!table.rows.empty() && table.rows[0].size() == table.titles.size(), "a row for each process");
       }},
      {"GET /containers/{id}/stats?stream=0", "read_container_stats",
       [](Bench& b) {
         const auto stats = read_container_stats(b.ctx, b.client, b.long_lived);
         expect(stats.read && stats.cpu_total.count() > 0 && stats.online_cpus > 0, "processor time");
       }},
      {"GET /containers/{id}/stats", "follow_container_stats",
       [](Bench& b) {
         std::vector<ContainerStats> readings;
         follow_container_stats(b.ctx, b.client, b.long_lived,
                                [&](const ContainerStats& stats) { return readings.push_back(stats), readings.size() < 2; });
         expect(readings.size() == 2 && cpu_share(readings[0], readings[1]), "two readings, and what lies between");
       }},
      {"POST /containers/{id}/exec", "create_exec",
       [](Bench& b) {
         b.exec = create_exec(
             b.ctx, b.client, b.long_lived,
             {.command = {"/bin/sh", "-c", "read word; echo $word $NAME; exit 7"}, .env = {"NAME=x"}, .standard_input = true});
       }},
      {"POST /exec/{id}/start", "start_exec",
       [](Bench& b) {
         const Hijacked started = start_exec(b.ctx, b.client, b.exec);
         Output output;
         converse(b.ctx, *started.stream, *started.format, typed("word\n"), output.handler());
         expect(output.out == "word x\n", "what was typed and set: " + output.out);
       }},
      {"GET /exec/{id}/json", "find_exec",
       [](Bench& b) {
         const auto details = find_exec(b.ctx, b.client, b.exec);
         expect(details && details->container_id == b.long_lived && details->command == "/bin/sh", "its command");
         expect(!find_exec(b.ctx, b.client, std::string(64, '0')), "what is not there is nothing");
       }},
      {"POST /exec/{id}/start, GET /exec/{id}/json", "run_exec",
       [](Bench& b) {
         Output output;
         expect(run_exec(b.ctx, b.client, b.long_lived,
                         {.command = {"/bin/sh", "-c", "echo err >&2; cat; exit 9"}, .standard_input = true},
                         typed(std::string(300'000, 'x')), output.handler()) == 9,
                "the exit code");
         expect(output.out.size() == 300'000 && output.err == "err\n", "all of it, after the input's end");
         Output terminal;
         run_exec(b.ctx, b.client, b.long_lived, {.command = {"/bin/sh", "-c", "echo line"}, .has_tty = true}, {},
                  terminal.handler());
         expect(terminal.out == "line\r\n", "a terminal's line end");
       }},
      {"POST /exec/{id}/start (Detach)", "start_exec_detached",
       [](Bench& b) {
         b.exec =
             create_exec(b.ctx, b.client, b.long_lived,
                         {.command = {"/bin/sleep", "600"}, .has_tty = true, .standard_output = false, .standard_error = false});
         start_exec_detached(b.ctx, b.client, b.exec);
         expect(find_exec(b.ctx, b.client, b.exec)->is_running, "it runs");
       }},
      {"POST /exec/{id}/resize", "resize_exec",
       [](Bench& b) { resize_exec(b.ctx, b.client, b.exec, {.rows = 40, .columns = 100}); }},
      {"POST /containers/{id}/resize", "resize_container",
       [](Bench& b) {
         json body = body_of(b, "exec sleep 600");
         body["Tty"] = true;
         const std::string id = create_container(b.ctx, b.client, {}, body).id;
         start_container(b.ctx, b.client, id);
         resize_container(b.ctx, b.client, id, {.rows = 40, .columns = 100});
         remove_container(b.ctx, b.client, id, {.force = true});
       }},
      {"POST /networks/{id}/disconnect", "disconnect_network",
       [](Bench& b) {
         expect(find_network(b.ctx, b.client, b.network)->members.size() == 1, "it is a member");
         disconnect_network(b.ctx, b.client, b.network, b.long_lived);
         expect(find_container(b.ctx, b.client, b.long_lived)->network_settings.networks.empty(), "it has no network");
       }},
      {"POST /networks/{id}/connect", "connect_network",
       [](Bench& b) {
         connect_network(b.ctx, b.client, b.network, b.long_lived, {.aliases = {"other-name"}});
         const auto aliases = find_container(b.ctx, b.client, b.long_lived)->network_settings.networks.at("engine-calls").aliases;
         expect(std::find(aliases.begin(), aliases.end(), "other-name") != aliases.end(), "it has the alias");
       }},
      {"POST /containers/{id}/pause", "pause_container",
       [](Bench& b) {
         pause_container(b.ctx, b.client, b.long_lived);
         expect(find_container(b.ctx, b.client, b.long_lived)->state.is_paused, "it is paused");
       }},
      {"POST /containers/{id}/unpause", "unpause_container", [](Bench& b) { unpause_container(b.ctx, b.client, b.long_lived); }},
      {"POST /containers/{id}/rename", "rename_container",
       [](Bench& b) {
         rename_container(b.ctx, b.client, b.long_lived, "engine-calls-renamed");
         expect(find_container(b.ctx, b.client, "engine-calls-renamed")->id == b.long_lived, "it is found by its new name");
         expect(expect_failure([&] { rename_container(b.ctx, b.client, b.long_lived, "engine-calls-short"); }, "a name twice")
                    .is_conflict(),
                "a conflict");
       }},
      {"POST /containers/{id}/update", "update_container",
       [](Bench& b) {
         update_container(b.ctx, b.client, b.long_lived, {{"RestartPolicy", {{"Name", "on-failure"}, {"MaximumRetryCount", 4}}}});
         expect(find_container(b.ctx, b.client, b.long_lived)->host_config.restart_policy.maximum_retry_count == 4, "the policy");
         update_container(b.ctx, b.client, b.long_lived, {{"RestartPolicy", {{"Name", "no"}}}});
       }},
      {"POST /containers/{id}/kill", "kill_container",
       [](Bench& b) {
         kill_container(b.ctx, b.client, b.long_lived, "SIGHUP");
         expect(expect_failure([&] { kill_container(b.ctx, b.client, b.short_lived); }, "it does not run").is_conflict(),
                "a conflict");
       }},
      {"POST /containers/{id}/restart", "restart_container",
       [](Bench& b) {
         const auto before = find_container(b.ctx, b.client, b.long_lived)->state.started;
         restart_container(b.ctx, b.client, b.long_lived, {.timeout = std::chrono::seconds(60)});
         expect(find_container(b.ctx, b.client, b.long_lived)->state.started > before, "it was started again");
         wait_until_ready(b, 2);  // until then it would not hear of a stop
       }},
      {"POST /containers/{id}/stop", "stop_container",
       [](Bench& b) {
         expect(stop_container(b.ctx, b.client, b.long_lived, {.timeout = std::chrono::seconds(60)}), "it ran");
         expect(!stop_container(b.ctx, b.client, b.long_lived), "it does not run any more");
         expect(find_container(b.ctx, b.client, b.long_lived)->state.exit_code == 5, "it was asked, not killed");
       }},
  };
}

std::vector<Step> removal_steps() {
  return {
      {"GET /system/df", "read_disk_usage",
       [](Bench& b) {
         const DiskUsage usage = read_disk_usage(b.ctx, b.client);
         const auto is_ours = [&](const Volume& volume) {
           return volume.name == "engine-calls" && volume.size_bytes && volume.containers == 1;
         };
         expect(std::any_of(usage.volumes.items.begin(), usage.volumes.items.end(), is_ours),
                "the volume, its size and its user");
         expect(usage.containers.items.size() == 2 && usage.images.total_bytes.value_or(0) > 0, "containers and layers");
         const auto in_use = [&](const ImageSummary& image) { return image.id == b.image && image.containers == 2; };
         expect(std::any_of(usage.images.items.begin(), usage.images.items.end(), in_use), "the image and its two users");
       }},
      {"GET /system/df?type=build-cache", "list_build_cache", [](Bench& b) { list_build_cache(b.ctx, b.client); }},
      {"DELETE /volumes/{name}", "remove_volume",
       [](Bench& b) {
         expect(expect_failure([&] { remove_volume(b.ctx, b.client, "engine-calls"); }, "in use").is_conflict(),
                "a volume in use is a conflict");
         create_volume(b.ctx, b.client, {.name = "engine-calls-2"});
         remove_volume(b.ctx, b.client, "engine-calls-2");
       }},
      {"DELETE /networks/{id}", "remove_network",
       [](Bench& b) {
         const std::string id = create_network(b.ctx, b.client, {.name = "engine-calls-2", .is_internal = true}).id;
         remove_network(b.ctx, b.client, id);
         expect(!find_network(b.ctx, b.client, id), "it is gone");
       }},
      {"DELETE /containers/{id}", "remove_container",
       [](Bench& b) {
         expect(expect_failure([&] { remove_image(b.ctx, b.client, b.tagged()); }, "in use").is_conflict(),
                "an image in use is a conflict");
         remove_container(b.ctx, b.client, b.long_lived, {.volumes = true});
         expect(!find_container(b.ctx, b.client, b.long_lived), "it is gone");
         expect(find_volume(b.ctx, b.client, "engine-calls").has_value(), "its named volume stays");
       }},
      {"POST /containers/prune", "prune_containers",
       [](Bench& b) {
         expect(prune_containers(b.ctx, b.client, {{"label", {"drover.test"}}}).ids == std::vector<std::string>{b.short_lived},
                "the other one");
       }},
      {"POST /networks/prune", "prune_networks",
       [](Bench& b) {
         expect(prune_networks(b.ctx, b.client, {{"label", {"drover.test"}}}) == std::vector<std::string>{"engine-calls"},
                "the network");
       }},
      {"POST /volumes/prune", "prune_anonymous_volumes",
       [](Bench& b) {
         const auto pruned = prune_anonymous_volumes(b.ctx, b.client);
         expect(pruned.names == std::vector<std::string>{b.volume}, "the anonymous one alone");
         expect(find_volume(b.ctx, b.client, "engine-calls").has_value(), "the named one stays");
       }},
      {"POST /images/prune", "prune_images",
       [](Bench& b) {
         prune_images(b.ctx, b.client);
         expect(find_image(b.ctx, b.client, b.tagged()).has_value(), "what has a name stays");
         expect(!prune_images(b.ctx, b.client, {{"dangling", {"false"}}}).removed.empty(), "unless told otherwise");
       }},
      {"POST /build/prune", "prune_build_cache", [](Bench& b) { prune_build_cache(b.ctx, b.client, {.all = true}); }},
  };
}

std::vector<Step> all_steps() {
  std::vector<Step> steps;
  for (const auto& part :
       {system_steps(), image_steps(), volume_and_network_steps(), short_lived_steps(), long_lived_steps(), removal_steps()}) {
    steps.insert(steps.end(), part.begin(), part.end());
  }
  return steps;
}

// A registry of the old kind that can be searched, and that knows no login.
test::Reply answer_as_hub(const test::ServedRequest& request) {
  if (request.path == "/v1/search") {
    const json found = json::array({{{"name", "tool"}, {"description", "d"}, {"star_count", 7}, {"is_official", true}}});
    return {.body = json{{"num_results", 1}, {"query", "tool"}, {"results", found}}.dump()};
  }
  test::Reply reply{.status = 401, .body = R"({"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})"};
  reply.headers.set("WWW-Authenticate", "Basic realm=\"hub\"");
  return reply;
}

bool run(Bench& bench, const Step& step) {
  const std::string name = std::string(step.function) + " (" + step.endpoint + ")";
  try {
    step.call(bench);
    std::cout << "ok      " << name << std::endl;
  } catch (const Error& error) {
    const bool is_gate =
        error.code() == ErrorCode::unsupported && std::string_view(error.what()).find("needs API") != std::string_view::npos;
    std::cout << (is_gate ? "needs   " : "FAILED  ") << name << ": " << error.what() << std::endl;
    return is_gate;
  } catch (const std::exception& error) {
    std::cout << "FAILED  " << name << ": " << error.what() << std::endl;
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"--list"}) {
    for (const Step& step : all_steps()) std::cout << step.endpoint << '\t' << step.function << '\n';
    return 0;
  }
  const char* host = std::getenv("DOCKER_HOST");
  if (words.size() != 2 || host == nullptr) {
    std::cerr << "usage: DOCKER_HOST=unix:///… engine_calls ROOT_FS_TAR REGISTRY | engine_calls --list\n";
    return 2;
  }
  net::Transport transport;
  Client client(transport, find_endpoint({.host = host, .context = {}}, {}));
  test::LoopbackServer hub(answer_as_hub);
  hub.listen();
  Bench bench{
      .ctx = {}, .client = client, .root_fs = words[0], .registry = words[1], .hub = "127.0.0.1:" + std::to_string(hub.port())};
  bool is_good = true;
  try {
    const EngineVersion version = read_version(bench.ctx, client);
    std::cout << "engine " << version.version << ", API " << client.api_version(bench.ctx).to_string() << ", "
              << (read_info(bench.ctx, client).store == StoreKind::containerd ? "containerd" : "classic") << " store"
              << std::endl;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  for (const Step& step : all_steps()) is_good = run(bench, step) && is_good;
  return is_good ? 0 : 1;
}
