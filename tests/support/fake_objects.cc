#include "tests/support/fake_objects.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::test {
namespace {

using nlohmann::json;
using Answer = FakeObjects::Answer;

Answer object_refusal(int status, const std::string& message) { return {status, json{{"message", message}}.dump()}; }

json mounts_of(const FakeContainer& container) {
  json mounts = json::array();
  for (const std::string& volume : container.volumes) mounts.push_back({{"Type", "volume"}, {"Name", volume}, {"Destination", "/" + volume}});
  return mounts;
}

json describe(const FakeContainer& container) {
  json networks = json::object();
  for (const std::string& network : container.networks) networks[network] = {{"NetworkID", ""}};
  return {{"Id", container.id},         {"Names", {"/" + container.name}},  {"Image", container.image},
          {"ImageID", container.image_id}, {"State", container.state},      {"Labels", container.labels},
          {"Created", 1577836800},      {"Mounts", mounts_of(container)},   {"NetworkSettings", {{"Networks", networks}}}};
}

json inspect(const FakeContainer& container) {
  return {{"Id", container.id},
          {"Name", "/" + container.name},
          {"Image", container.image_id},
          {"State", {{"Status", container.state}, {"Running", container.state == "running"}, {"FinishedAt", container.finished}}},
          {"HostConfig", {{"RestartPolicy", {{"Name", container.restarts ? "always" : "no"}}}}},
          {"Config", {{"Labels", container.labels}}},
          {"Mounts", mounts_of(container)}};
}

json describe(const FakeVolume& volume) {
  return {{"Name", volume.name},           {"Driver", "local"}, {"CreatedAt", volume.created}, {"Mountpoint", volume.mountpoint.empty() ? "/nowhere/" + volume.name : volume.mountpoint},
          {"Labels", volume.labels.empty() ? json(nullptr) : json(volume.labels)}, {"Options", nullptr}, {"Scope", "local"}};
}

json describe(const FakeNetwork& network) {
  return {{"Id", network.id}, {"Name", network.name}, {"Scope", "local"}, {"Created", network.created}, {"Labels", network.labels}, {"Containers", json::object()}};
}

template <typename Map>
std::string list(const Map& objects) {
  json out = json::array();
  for (const auto& [key, object] : objects) out.push_back(describe(object));
  return out.dump();
}

}  // namespace

bool FakeObjects::is_image_used(std::string_view image_id) const {
  return std::any_of(containers.begin(), containers.end(), [&](const auto& entry) { return entry.second.image_id == image_id; });
}

FakeVolume* FakeObjects::mounted_by(const std::string& container) {
  const auto found = containers.find(container);
  if (found == containers.end() || found->second.volumes.empty()) return nullptr;
  const auto volume = volumes.find(found->second.volumes.front());
  return volume == volumes.end() ? nullptr : &volume->second;
}

std::optional<Answer> FakeObjects::answer(std::string_view method, std::string_view path, std::string_view body) {
  if (method == "GET" && path == "/containers/json") return Answer{200, list(containers)};
  if (method == "GET" && path == "/networks") return Answer{200, list(networks)};
  if (method == "GET" && path == "/volumes") return Answer{200, R"({"Volumes":)" + list(volumes) + "}"};
  if (method == "GET" && path == "/events") {
    std::string lines;
    for (const std::string& event : events) lines += event + "\n";
    return Answer{200, lines};
  }
  if (method == "POST" && path == "/containers/create") return create_container(body);
  if (method == "POST" && path == "/volumes/create") return create_volume(body);
  if (path.starts_with("/containers/")) return answer_container(method, path.substr(12), body);
  if (path.starts_with("/volumes/")) return answer_volume(method, path.substr(9));
  if (path.starts_with("/networks/")) return answer_network(method, path.substr(10));
  return std::nullopt;
}

std::optional<Answer> FakeObjects::answer_container(std::string_view method, std::string_view rest, std::string_view body) {
  const std::string id(rest.substr(0, rest.find('/')));
  const auto found = containers.find(id);
  if (found == containers.end()) return object_refusal(404, "No such container: " + id);
  if (method == "GET" && rest.ends_with("/json")) return Answer{200, inspect(found->second).dump()};
  if (method == "DELETE" && found->second.state == "running") return object_refusal(409, "You cannot remove a running container " + id);
  if (method == "DELETE") {
    containers.erase(found);
    return Answer{204, ""};
  }
  if (!rest.ends_with("/archive")) return std::nullopt;
  FakeVolume* const volume = mounted_by(id);
  if (volume == nullptr) return object_refusal(404, "no volume is mounted");
  if (method == "PUT") volume->tar = body;
  return Answer{200, method == "GET" ? volume->tar : ""};
}

std::optional<Answer> FakeObjects::answer_volume(std::string_view method, std::string_view name) {
  const auto found = volumes.find(std::string(name));
  if (found == volumes.end()) return object_refusal(404, "get " + std::string(name) + ": no such volume");
  if (method == "GET") return Answer{200, describe(found->second).dump()};
  if (method != "DELETE") return std::nullopt;
  for (const auto& [id, container] : containers) {
    if (std::find(container.volumes.begin(), container.volumes.end(), name) == container.volumes.end()) continue;
    return object_refusal(409, "remove " + std::string(name) + ": volume is in use - [" + id + "]");
  }
  volumes.erase(found);
  return Answer{204, ""};
}

std::optional<Answer> FakeObjects::answer_network(std::string_view method, std::string_view id) {
  const auto found = networks.find(std::string(id));
  if (found == networks.end()) return object_refusal(404, "network " + std::string(id) + " not found");
  if (method == "GET") return Answer{200, describe(found->second).dump()};
  if (method != "DELETE") return std::nullopt;
  networks.erase(found);
  return Answer{204, ""};
}

Answer FakeObjects::create_container(std::string_view text) {
  const json body = json::parse(text);
  FakeContainer container{.id = "created" + std::to_string(++created_), .name = "created", .image = body.at("Image"), .image_id = body.at("Image"), .state = "created"};
  if (body.contains("Labels")) container.labels = body["Labels"].get<std::map<std::string, std::string>>();
  for (const json& mount : body["HostConfig"]["Mounts"]) container.volumes.push_back(mount.at("Source"));
  const std::string id = container.id;
  containers[id] = std::move(container);
  return {201, json{{"Id", id}}.dump()};
}

Answer FakeObjects::create_volume(std::string_view text) {
  const json body = json::parse(text);
  FakeVolume volume{.name = body.at("Name")};
  if (body.contains("Labels") && body["Labels"].is_object()) volume.labels = body["Labels"].get<std::map<std::string, std::string>>();
  const auto [entry, is_new] = volumes.emplace(volume.name, volume);
  return {201, describe(entry->second).dump()};
}

}  // namespace drover::test
