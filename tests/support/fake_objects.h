// Containers, volumes and networks of a fake engine: who refers to whom, and what the real engines refuse because of it. Not thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

struct FakeContainer {
  std::string id;
  std::string name = {};
  std::string image = {};     // as given at create
  std::string image_id = {};
  std::string state = "running";
  std::map<std::string, std::string> labels = {};
  std::vector<std::string> volumes = {};
  std::vector<std::string> networks = {};
  std::string finished = "2020-01-01T00:00:00Z";
  bool restarts = false;
};

struct FakeVolume {
  std::string name = {};
  std::map<std::string, std::string> labels = {};
  std::string created = "2020-01-01T00:00:00Z";
  std::string tar = {};  // what an archive of it is
  std::string mountpoint = {};  // empty: nowhere
};

struct FakeNetwork {
  std::string id;
  std::string name = {};
  std::map<std::string, std::string> labels = {};
  std::string created = "2020-01-01T00:00:00Z";
};

class FakeObjects {
 public:
  struct Answer {
    int status = 200;
    std::string body = {};
  };

  std::map<std::string, FakeContainer> containers;  // by ID
  std::map<std::string, FakeVolume> volumes;
  std::map<std::string, FakeNetwork> networks;      // by ID
  std::vector<std::string> events;                  // JSON objects

  // Nothing for calls that are not about these.
  std::optional<Answer> answer(std::string_view method, std::string_view path, std::string_view body);
  bool is_image_used(std::string_view image_id) const;

 private:
  std::optional<Answer> answer_container(std::string_view method, std::string_view rest, std::string_view body);
  std::optional<Answer> answer_volume(std::string_view method, std::string_view name);
  std::optional<Answer> answer_network(std::string_view method, std::string_view id);
  Answer create_container(std::string_view body);
  Answer create_volume(std::string_view body);
  FakeVolume* mounted_by(const std::string& container);

  int created_ = 0;
};

}  // namespace drover::test
