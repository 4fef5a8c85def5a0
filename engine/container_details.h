// One container as GET /containers/{id}/json tells it, API 1.24 to 1.52. Values.
#pragma once

#include "digest/digest.h"
#include "engine/container_config.h"
#include "engine/networks.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// A mount as it is, in lists and inspect alike.
struct Mount {
  std::string type = {};         // "volume", "bind", "tmpfs", ...
  std::string name = {};         // of a volume
  std::string source = {};       // path on the engine's machine; may be empty for a volume
  std::string target = {};       // path in the container
  std::string driver = {};
  std::string mode = {};
  std::string propagation = {};
  bool is_writable = false;
};

struct HealthProbe {
  std::optional<Timestamp> start = {};
  std::optional<Timestamp> end = {};
  std::int64_t exit_code = 0;
  std::string output = {};       // at most 4 KiB
};

struct Health {
  std::string status = {};       // "none", "starting", "healthy", "unhealthy"
  std::int64_t failing_streak = 0;
  std::vector<HealthProbe> log = {};  // the last five
};

struct ContainerState {
  std::string status = {};       // "created", "running", "paused", "restarting", "removing", "exited", "dead"
  bool is_running = false;       // also while paused or restarting
  bool is_paused = false;
  bool is_restarting = false;
  bool is_oom_killed = false;
  bool is_dead = false;
  std::int64_t pid = 0;          // on the engine's machine; 0 when it does not run
  std::int64_t exit_code = 0;
  std::string error = {};        // why it did not start
  std::optional<Timestamp> started = {};   // nothing: never
  std::optional<Timestamp> finished = {};
  std::optional<Health> health = {};       // nothing without a healthcheck
};

struct NetworkSettings {
  std::map<std::string, EndpointSettings> networks = {};               // by the network's name
  std::map<std::string, std::vector<PortBinding>> ports = {};          // by "80/tcp"; of a running container
};

struct ContainerDetails {
  std::string id;
  std::string name = {};         // without its slash
  std::optional<Timestamp> created = {};
  std::string path = {};         // what runs, and with which arguments
  std::vector<std::string> args = {};
  std::optional<Digest> image_id = {};
  std::optional<Digest> image_manifest = {};  // of the platform that runs: containerd store, API 1.48
  std::string platform = {};     // "linux"
  std::string driver = {};       // of its file system: "overlay2"
  std::int64_t restart_count = 0;
  ContainerState state = {};
  ContainerConfig config = {};
  HostConfig host_config = {};
  std::vector<Mount> mounts = {};
  NetworkSettings network_settings = {};
  std::optional<std::int64_t> size_rw_bytes = {};       // only when asked for
  std::optional<std::int64_t> size_root_fs_bytes = {};
  // The whole answer, for members that are not here and for comparing all of it. Shared and never changed: copies of these
  // details are many, and the type of a document is only declared in headers.
  std::shared_ptr<const nlohmann::json> raw = {};
};

// Pure; absent and null members are fine. Nothing without an ID.
std::optional<ContainerDetails> parse_container_details(const nlohmann::json& answer);
std::vector<Mount> parse_mounts(const nlohmann::json& mounts);
std::map<std::string, EndpointSettings> parse_endpoints(const nlohmann::json& networks);

}  // namespace drover::engine
