// An engine on a unix socket that only lists: the answers of /version, /info, /images and /containers, as given.
#pragma once

#include "engine/client.h"
#include "tests/support/loopback_server.h"
#include "tests/support/temp_dir.h"

#include <nlohmann/json.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace drover::test {

class ListedEngine {
 public:
  struct Image {
    std::string id;
    std::vector<std::string> tags;
    std::vector<std::string> digests;    // "redis@sha256:…"
    std::vector<std::string> manifests;  // that a containerd store names
    bool is_packed = false;              // nothing of them is unpacked
    std::vector<std::string> diff_ids = {};
  };
  struct Container {
    std::string project;
    std::string service;
    std::string image;     // as given at create
    std::string image_id;
    std::string state = "running";
    bool is_oneoff = false;
  };

  ListedEngine(std::string api, bool is_containerd) : api_(std::move(api)), is_containerd_(is_containerd), server_([this](const ServedRequest& r) { return answer(r); }) {
    server_.listen_unix(folder_ / "engine.sock");
  }

  engine::Endpoint endpoint() const {
    engine::Endpoint endpoint;
    endpoint.unix_socket = folder_ / "engine.sock";
    endpoint.url = net::Url::parse("http://localhost/");
    endpoint.origin = "unix://" + endpoint.unix_socket.string();
    return endpoint;
  }

  std::vector<Image> images;
  std::vector<Container> containers;

 private:
  using Json = nlohmann::json;

  Reply answer(const ServedRequest& request) const {
    Reply reply = route(request);
    reply.headers.set("Api-Version", api_);
    return reply;
  }

  Reply route(const ServedRequest& request) const {
    const std::string path = request.path.starts_with("/v1.") ? request.path.substr(request.path.find('/', 1)) : request.path;
    if (path == "/_ping") return {.body = "OK"};
    if (path == "/version") return {.body = Json{{"Version", "20.10"}, {"Os", "linux"}, {"Arch", "amd64"}, {"ApiVersion", api_}}.dump()};
    if (path == "/info") return {.body = info().dump()};
    if (path == "/images/json") return {.body = list_images().dump()};
    if (path == "/containers/json") return {.body = list_containers().dump()};
    for (const Image& image : images) {
      if (path == "/images/" + image.id + "/json" || (!image.tags.empty() && path == "/images/" + image.tags.front() + "/json")) {
        return {.body = inspect(image).dump()};
      }
    }
    return {.status = 404, .body = R"({"message":"no such thing"})"};
  }

  static Json inspect(const Image& image) {
    return {{"Id", image.id}, {"RepoTags", image.tags}, {"RepoDigests", image.digests}, {"RootFS", {{"Type", "layers"}, {"Layers", image.diff_ids}}}};
  }

  Json info() const {
    Json info = {{"Architecture", "x86_64"}, {"DriverStatus", Json::array()}};
    if (is_containerd_) info["DriverStatus"].push_back({"driver-type", "io.containerd.snapshotter.v1"});
    return info;
  }

  Json list_images() const {
    Json list = Json::array();
    for (const Image& image : images) {
      Json manifests = Json::array();
      for (const std::string& digest : image.manifests) {
        manifests.push_back({{"ID", digest}, {"Descriptor", {{"digest", digest}}}, {"Available", true}, {"Kind", "image"}});
        manifests.back()["Size"] = {{"Content", 1 << 20}};
        manifests.back()["ImageData"] = {{"Size", {{"Unpacked", image.is_packed ? 0 : 1 << 20}}}};
      }
      list.push_back({{"Id", image.id}, {"RepoTags", image.tags}, {"RepoDigests", image.digests}, {"Manifests", manifests}});
    }
    return list;
  }

  Json list_containers() const {
    Json list = Json::array();
    for (const Container& c : containers) {
      Json labels = {{"com.docker.compose.project", c.project}, {"com.docker.compose.service", c.service}, {"com.docker.compose.oneoff", c.is_oneoff ? "True" : "False"}};
      list.push_back({{"Id", "c" + std::to_string(list.size())}, {"Names", {"/" + c.service}}, {"Image", c.image}, {"ImageID", c.image_id}, {"State", c.state}, {"Labels", labels}});
    }
    return list;
  }

  std::string api_;
  bool is_containerd_;
  TempDir folder_{"engine"};
  LoopbackServer server_;
};

}  // namespace drover::test
