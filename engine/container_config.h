// What a container is asked to be: the part of it that images set defaults for (Config), and the part that belongs to the host
// (HostConfig).
//
// Shapes of GET /containers/{id}/json, GET /images/{name}/json and POST /containers/create, API 1.24 to 1.52. Values.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// `test` is {"NONE"}, {"CMD", …} or {"CMD-SHELL", line}; empty: the image's. Zero times are the engine's defaults (30 s, 30 s, 0
// s, 5 s).
struct Healthcheck {
  std::vector<std::string> test = {};
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};  // API 1.44
  std::int64_t retries = 0;
};

// Of an image: the defaults. Of a container: those, overlaid by what create said.
struct ContainerConfig {
  std::string image = {};                     // as given at create
  std::string hostname = {};
  std::string domainname = {};
  std::string user = {};
  std::string working_dir = {};
  std::vector<std::string> entrypoint = {};
  std::vector<std::string> cmd = {};
  std::vector<std::string> shell = {};
  std::vector<std::string> env = {};          // "NAME=value", or "NAME" to unset
  std::map<std::string, std::string> labels = {};
  std::vector<std::string> exposed_ports = {};  // "80/tcp"
  std::vector<std::string> volumes = {};        // paths that get an anonymous volume
  std::optional<Healthcheck> healthcheck = {};
  std::string stop_signal = {};
  std::optional<std::chrono::seconds> stop_timeout = {};
  bool has_tty = false;                       // output is one plain stream, not frames
  bool is_stdin_open = false;
  bool is_stdin_once = false;
};

struct PortBinding {
  std::string host_ip = {};
  std::string host_port = {};  // "8080", "8000-9000"; empty: the engine chooses
};

struct RestartPolicy {
  std::string name = {};  // "no", "always", "unless-stopped", "on-failure"; empty is "no"
  std::int64_t maximum_retry_count = 0;

  bool restarts() const { return !name.empty() && name != "no"; }
};

struct LogConfig {
  std::string type = {};
  std::map<std::string, std::string> options = {};
};

// One entry of HostConfig.Mounts, as asked for.
struct MountRequest {
  std::string type = {};  // "bind", "volume", "tmpfs", "npipe", "cluster", "image" (API 1.48)
  std::string source = {};
  std::string target = {};
  bool is_read_only = false;
  std::string subpath = {};      // of a volume (API 1.45) or image
  std::string propagation = {};  // of a bind
};

struct Ulimit {
  std::string name = {};
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

struct DeviceMapping {
  std::string host_path = {};
  std::string container_path = {};
  std::string cgroup_permissions = {};
};

// Numbers are 0 and texts empty where the engine's default holds.
struct HostConfig {
  std::vector<std::string> binds = {};  // "source:target[:options]"
  std::vector<MountRequest> mounts = {};
  std::vector<std::string> volumes_from = {};
  std::map<std::string, std::string> tmpfs = {};
  std::string network_mode = {};        // "bridge", "host", "none", "container:ID", a network's name
  std::map<std::string, std::vector<PortBinding>> port_bindings = {};  // by "80/tcp"
  bool publishes_all_ports = false;
  std::vector<std::string> links = {};
  std::vector<std::string> dns = {};
  std::vector<std::string> dns_options = {};
  std::vector<std::string> dns_search = {};
  std::vector<std::string> extra_hosts = {};
  RestartPolicy restart_policy = {};
  bool removes_itself = false;          // AutoRemove
  LogConfig log = {};
  std::string runtime = {};
  std::optional<bool> init = {};
  bool is_privileged = false;
  bool is_rootfs_read_only = false;
  std::vector<std::string> cap_add = {};
  std::vector<std::string> cap_drop = {};
  std::vector<std::string> security_opt = {};
  std::vector<std::string> group_add = {};
  std::map<std::string, std::string> sysctls = {};
  std::map<std::string, std::string> storage_opt = {};
  std::string ipc_mode = {};
  std::string pid_mode = {};
  std::string uts_mode = {};
  std::string userns_mode = {};
  std::string cgroupns_mode = {};
  std::string cgroup_parent = {};
  std::vector<Ulimit> ulimits = {};
  std::vector<DeviceMapping> devices = {};
  std::int64_t memory_bytes = 0;
  std::int64_t memory_swap_bytes = 0;   // with memory; -1: without limit
  std::int64_t memory_reservation_bytes = 0;
  std::int64_t shm_size_bytes = 0;
  std::int64_t nano_cpus = 0;           // 1e9 is one CPU
  std::int64_t cpu_shares = 0;
  std::int64_t cpu_period_us = 0;
  std::int64_t cpu_quota_us = 0;
  std::string cpuset_cpus = {};
  std::int64_t pids_limit = 0;
  std::int64_t oom_score_adj = 0;
};

// Pure; absent and null members are fine.
ContainerConfig parse_container_config(const nlohmann::json& config);
HostConfig parse_host_config(const nlohmann::json& host_config);
// {"80/tcp": [{"HostIp": …, "HostPort": …}], "81/tcp": null}, as HostConfig.PortBindings and NetworkSettings.Ports have it.
std::map<std::string, std::vector<PortBinding>> parse_port_bindings(const nlohmann::json& ports);

}  // namespace drover::engine
