#include "engine/containers.h"

#include "base/error.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::engine {
namespace {

constexpr ApiVersion container_prune_api{1, 25};
constexpr ApiVersion wait_condition_api{1, 30};
constexpr ApiVersion stop_signal_api{1, 42};

// Links add names with two slashes; the container's own has one.
std::string own_name(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const auto own = std::find_if(names.begin(), names.end(), [](const std::string& name) { return name.rfind('/') == 0; });
  std::string name = own == names.end() ? names.front() : *own;
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

std::vector<PublishedPort> parse_ports(const nlohmann::json& container) {
  std::vector<PublishedPort> ports;
  for (const nlohmann::json& port : items_member(container, "Ports")) {
    ports.push_back({.ip = text_member(port, "IP"),
                     .private_port = number_member(port, "PrivatePort"),
                     .public_port = number_member(port, "PublicPort"),
                     .type = text_member(port, "Type")});
  }
  return ports;
}

std::optional<ContainerSummary> parse_summary(const nlohmann::json& entry) {
  ContainerSummary out{.id = text_member(entry, "Id")};
  if (out.id.empty()) return std::nullopt;
  out.names = texts_member(entry, "Names");
  out.name = own_name(out.names);
  out.image_reference = text_member(entry, "Image");
  out.image_id = digest_member(entry, "ImageID");
  out.image_manifest = digest_member(member(entry, "ImageManifestDescriptor"), "digest");
  out.command = text_member(entry, "Command");
  out.created = time_member(entry, "Created");
  out.state = text_member(entry, "State");
  out.status = text_member(entry, "Status");
  out.labels = map_member(entry, "Labels");
  out.ports = parse_ports(entry);
  out.mounts = parse_mounts(member(entry, "Mounts"));
  out.network_mode = text_member(member(entry, "HostConfig"), "NetworkMode");
  out.networks = parse_endpoints(member(member(entry, "NetworkSettings"), "Networks"));
  out.size_rw_bytes = find_number_member(entry, "SizeRw");
  out.size_root_fs_bytes = find_number_member(entry, "SizeRootFs");
  return out;
}

// Sizes are counted while one waits.
std::chrono::milliseconds patience(bool with_sizes) { return with_sizes ? long_work_silence_max : std::chrono::minutes(1); }

bool change(const Context& ctx, Client& client, std::string path,
            std::chrono::milliseconds silence_max = std::chrono::minutes(1)) {
  return client.exchange(ctx, {.method = "POST", .path = std::move(path), .silence_max = silence_max}).status != 304;
}

// The engine answers when the container has stopped: after its time to do so, which may be the container's own and long.
std::chrono::milliseconds stop_patience(const StopOptions& options) {
  constexpr std::chrono::minutes margin{2};
  constexpr std::chrono::hours of_container{1};
  if (!options.timeout) return of_container;
  return *options.timeout < std::chrono::seconds(0) ? std::chrono::milliseconds(0) : *options.timeout + margin;
}

std::string stop_path(const Context& ctx, Client& client, std::string_view container, const StopOptions& options,
                      std::string_view action) {
  Query query(object_path("containers", container, action));
  if (options.timeout) query.number("t", options.timeout->count());
  if (!options.signal.empty()) client.require(ctx, stop_signal_api, "a signal to stop with");
  return query.text("signal", options.signal).path();
}

}  // namespace

std::string_view to_string(WaitCondition condition) {
  switch (condition) {
    case WaitCondition::not_running: return "not-running";
    case WaitCondition::next_exit: return "next-exit";
    case WaitCondition::removed: return "removed";
  }
  return "not-running";
}

std::vector<ContainerSummary> parse_container_list(const nlohmann::json& answer) {
  std::vector<ContainerSummary> containers;
  if (!answer.is_array()) return containers;
  for (const nlohmann::json& entry : answer) {
    if (auto container = parse_summary(entry)) containers.push_back(std::move(*container));
  }
  return containers;
}

std::vector<ContainerSummary> list_containers(const Context& ctx, Client& client, const ContainerListOptions& options) {
  Query query("/containers/json");
  query.flag("all", !options.running_only).flag("size", options.with_sizes).filters(options.filters);
  if (options.limit > 0) query.number("limit", options.limit);
  return parse_container_list(client.get(ctx, query.path(), patience(options.with_sizes)));
}

std::optional<ContainerDetails> find_container(const Context& ctx, Client& client, std::string_view container,
                                               const InspectOptions& options) {
  const Query query = Query(object_path("containers", container, "json")).flag("size", options.with_sizes);
  return parse_container_details(client.find(ctx, query.path(), patience(options.with_sizes)));
}

std::vector<FeatureGate> find_create_gates(const CreateRequest& request, const nlohmann::json& body) {
  std::vector<FeatureGate> gates;
  const auto need = [&](bool is_used, ApiVersion version, const char* what) {
    if (is_used) gates.push_back({version, what});
  };
  need(!request.platform.empty(), {1, 41}, "a container's platform");
  need(number_member(member(body, "Healthcheck"), "StartInterval") != 0, {1, 44}, "a health check's start interval");
  const auto endpoints = items_member(member(body, "NetworkingConfig"), "EndpointsConfig");
  need(endpoints.size() > 1, {1, 44}, "a container in several networks from the start");
  const auto any_endpoint = [&](const auto& has) { return std::any_of(endpoints.begin(), endpoints.end(), has); };
  need(any_endpoint([](const nlohmann::json& e) { return !text_member(e, "MacAddress").empty(); }), {1, 44},
       "a MAC address for one network");
  need(any_endpoint([](const nlohmann::json& e) { return number_member(e, "GwPriority") != 0; }), {1, 48}, "a gateway priority");
  const nlohmann::json& host = member(body, "HostConfig");
  const auto mounts = items_member(host, "Mounts");
  const auto any_mount = [&](const auto& has) { return std::any_of(mounts.begin(), mounts.end(), has); };
  need(any_mount([](const nlohmann::json& m) { return !text_member(member(m, "VolumeOptions"), "Subpath").empty(); }), {1, 45},
       "a part of a volume");
  need(any_mount([](const nlohmann::json& m) { return text_member(m, "Type") == "image"; }), {1, 48}, "an image as a mount");
  need(!text_member(host, "CgroupnsMode").empty(), {1, 41}, "a choice of the cgroup namespace");
  return gates;
}

CreatedContainer create_container(const Context& ctx, Client& client, const CreateRequest& request, const nlohmann::json& body) {
  for (const FeatureGate& gate : find_create_gates(request, body)) client.require(ctx, gate.version, gate.what);
  const nlohmann::json answer =
      client.post(ctx, Query("/containers/create").text("name", request.name).text("platform", request.platform).path(), body,
                  long_work_silence_max);  // it may copy what the image has into new volumes
  CreatedContainer created{text_member(answer, "Id"), texts_member(answer, "Warnings")};
  if (created.id.empty()) {
    throw Error(ErrorCode::engine, "POST /containers/create: the engine did not name the container that it made");
  }
  return created;
}

bool start_container(const Context& ctx, Client& client, std::string_view container) {
  return change(ctx, client, object_path("containers", container, "start"), long_work_silence_max);  // it may unpack layers first
}

bool stop_container(const Context& ctx, Client& client, std::string_view container, const StopOptions& options) {
  return change(ctx, client, stop_path(ctx, client, container, options, "stop"), stop_patience(options));
}

void restart_container(const Context& ctx, Client& client, std::string_view container, const StopOptions& options) {
  change(ctx, client, stop_path(ctx, client, container, options, "restart"), stop_patience(options));
}

void kill_container(const Context& ctx, Client& client, std::string_view container, std::string_view signal) {
  change(ctx, client, Query(object_path("containers", container, "kill")).text("signal", signal).path());
}

void pause_container(const Context& ctx, Client& client, std::string_view container) {
  change(ctx, client, object_path("containers", container, "pause"));
}

void unpause_container(const Context& ctx, Client& client, std::string_view container) {
  change(ctx, client, object_path("containers", container, "unpause"));
}

void rename_container(const Context& ctx, Client& client, std::string_view container, std::string_view new_name) {
  change(ctx, client, Query(object_path("containers", container, "rename")).set("name", new_name).path());
}

std::vector<std::string> update_container(const Context& ctx, Client& client, std::string_view container,
                                          const nlohmann::json& body) {
  return texts_member(client.post(ctx, object_path("containers", container, "update"), body), "Warnings");
}

WaitResult wait_container(const Context& ctx, Client& client, std::string_view container, WaitCondition condition,
                          const std::function<void()>& on_waiting) {
  Query query(object_path("containers", container, "wait"));
  if (condition != WaitCondition::not_running) {
    client.require(ctx, wait_condition_api, "waiting for something else than a stop");
    query.set("condition", to_string(condition));
  }
  Client::Call call{.method = "POST", .path = query.path(), .silence_max = std::chrono::milliseconds(0)};
  if (client.api_version(ctx) >= wait_condition_api && !client.is_podman(ctx)) call.head_max = std::chrono::minutes(1);  // sent at once
  if (on_waiting) call.on_head = [&](const net::ResponseHead&) { on_waiting(); };
  const nlohmann::json answer = client.exchange_json(ctx, call);
  const auto code = find_number_member(answer, "StatusCode");
  if (!code) {
    throw Error(ErrorCode::engine, "POST /containers/" + std::string(container) + "/wait: the answer ended without an exit code");
  }
  return {*code, text_member(member(answer, "Error"), "Message")};
}

void remove_container(const Context& ctx, Client& client, std::string_view container, const RemoveContainerOptions& options) {
  client.remove(ctx, Query(object_path("containers", container)).flag("v", options.volumes).flag("force", options.force).path());
}

PrunedContainers prune_containers(const Context& ctx, Client& client, const Filters& filters) {
  client.require(ctx, container_prune_api, "pruning containers");
  const nlohmann::json answer =
      client.post(ctx, Query("/containers/prune").filters(filters).path(), nullptr, long_work_silence_max);
  return {texts_member(answer, "ContainersDeleted"), number_member(answer, "SpaceReclaimed")};
}

}  // namespace drover::engine
