// A service of a project with every key typed: what a container of it is to be. Values are those of the canonical model
// (variables replaced, short forms long, paths absolute, env files read); names are those of the Compose spec unless a unit makes
// them clearer.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::compose {

using TextMap = std::map<std::string, std::string>;

struct SourceLocation {
  std::filesystem::path file;
  int line = 0;    // from 1
  int column = 0;  // from 1

  // "compose.yml:3:7"
  std::string to_string() const;
};

struct Dependency {
  enum class Condition { started, healthy, completed_successfully };

  std::string service;
  Condition condition = Condition::started;
  bool is_restarted = false;  // this service restarts after the other was recreated
  bool is_required = true;
};

// What a service says about one network that it joins.
struct ServiceNetwork {
  std::string network;  // key in the project's networks
  std::vector<std::string> aliases;
  TextMap driver_opts;
  std::string ipv4_address;
  std::string ipv6_address;
  std::vector<std::string> link_local_ips;
  std::string mac_address;
  std::string interface_name;
  std::int64_t priority = 0;          // higher ones are joined first
  std::int64_t gateway_priority = 0;  // the highest has the default gateway
};

struct Port {
  std::string host_ip;
  std::string published;  // "" for one that the engine chooses, "8000-8010" to choose from
  std::int64_t target = 0;
  std::string protocol;
  std::string mode;
};

struct Mount {
  std::string type;    // bind, volume, tmpfs, image, cluster, npipe
  std::string source;  // path, key in the project's volumes, image; "" for an anonymous volume
  std::string target;
  bool is_read_only = false;
  std::string consistency;
  // bind
  bool has_bind_options = false;
  std::optional<bool> creates_host_path;  // nothing: not written
  std::string selinux;                    // z, Z
  std::string propagation;
  std::string recursive;
  // volume and image
  TextMap labels;
  bool is_copied = true;  // false: nocopy
  std::string subpath;
  // tmpfs
  std::int64_t tmpfs_bytes = 0;
  std::int64_t tmpfs_mode = 0;
};

// A config or a secret as a service uses it.
struct FileReference {
  std::string source;  // key in the project's configs or secrets
  std::string target;  // "" for /<source>
  std::string uid;
  std::string gid;
  std::optional<std::uint32_t> mode;
};

struct Healthcheck {
  std::vector<std::string> test;  // as the engine takes it: CMD, CMD-SHELL or NONE first
  std::optional<std::chrono::nanoseconds> interval;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> start_period;
  std::optional<std::chrono::nanoseconds> start_interval;
  std::optional<std::int64_t> retries;
  bool is_disabled = false;
};

struct Hook {
  std::optional<std::vector<std::string>> command;
  std::string user;
  std::string working_dir;
  bool is_privileged = false;
  std::map<std::string, std::optional<std::string>> environment;
};

struct Ulimit {
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

struct DeviceMapping {
  std::string source;
  std::string target;
  std::string permissions;
};

struct DeviceRequest {
  std::string driver;
  std::int64_t count = 0;  // -1 for all
  std::vector<std::string> device_ids;
  std::vector<std::string> capabilities;
  TextMap options;
};

struct Logging {
  std::string driver;
  TextMap options;
};

struct BlkioRate {
  std::string path;
  std::int64_t rate = 0;  // bytes or operations a second; a weight for weight_device
};

struct BlkioConfig {
  std::int64_t weight = 0;
  std::vector<BlkioRate> weight_device;
  std::vector<BlkioRate> device_read_bps;
  std::vector<BlkioRate> device_read_iops;
  std::vector<BlkioRate> device_write_bps;
  std::vector<BlkioRate> device_write_iops;
};

struct ResourceLimits {
  double cpus = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t pids = 0;
  std::vector<DeviceRequest> devices;  // of reservations
};

struct Deploy {
  std::optional<std::int64_t> replicas;
  TextMap labels;
  std::string update_order;  // "", start-first, stop-first
  ResourceLimits limits;
  ResourceLimits reservations;
  bool has_restart_policy = false;
  std::string restart_condition;  // "", none, on-failure, any
  std::optional<std::int64_t> restart_max_attempts;
};

struct Service {
  std::string name;
  std::optional<std::string> image;  // as written after interpolation
  std::optional<std::string> platform;
  std::string pull_policy;  // "", "always", "missing", "never", "build", ...
  bool has_build = false;
  std::vector<std::string> profiles;
  std::vector<Dependency> depends_on;  // by name, with those that links, namespaces and volumes_from imply
  SourceLocation location;

  std::string container_name;
  std::int64_t scale = 1;
  std::optional<std::vector<std::string>> command;                // empty: the image's is cleared
  std::optional<std::vector<std::string>> entrypoint;             // likewise
  std::map<std::string, std::optional<std::string>> environment;  // nothing: unset in the container
  TextMap labels;
  TextMap annotations;
  std::string hostname;
  std::string domainname;
  std::string user;
  std::string working_dir;
  bool has_tty = false;
  bool has_stdin = false;
  std::optional<bool> attach;
  std::optional<bool> init;

  std::vector<ServiceNetwork> networks;  // by name
  std::string network_mode;
  std::vector<Port> ports;
  std::vector<std::string> expose;
  std::vector<std::string> links;
  std::vector<std::string> external_links;
  std::vector<std::string> extra_hosts;  // "host=address"
  std::vector<std::string> dns;
  std::vector<std::string> dns_opt;
  std::vector<std::string> dns_search;
  std::string mac_address;

  std::vector<Mount> volumes;
  std::vector<std::string> volumes_from;
  std::vector<std::string> tmpfs;
  std::vector<FileReference> configs;
  std::vector<FileReference> secrets;
  TextMap storage_opt;
  bool is_read_only = false;

  std::string restart;  // "", no, always, on-failure[:N], unless-stopped
  std::optional<Healthcheck> healthcheck;
  std::string stop_signal;
  std::optional<std::chrono::nanoseconds> stop_grace_period;
  std::vector<Hook> pre_start;
  std::vector<Hook> post_start;
  std::vector<Hook> pre_stop;
  std::optional<Logging> logging;
  std::optional<Deploy> deploy;

  bool is_privileged = false;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  std::vector<std::string> security_opt;
  std::vector<std::string> group_add;
  std::string userns_mode;
  std::string pid;
  std::string ipc;
  std::string uts;
  std::string cgroup;
  std::string cgroup_parent;
  std::string isolation;
  std::string runtime;
  TextMap sysctls;
  std::map<std::string, Ulimit> ulimits;
  std::vector<DeviceMapping> devices;
  std::vector<std::string> device_cgroup_rules;
  std::vector<DeviceRequest> gpus;

  std::optional<BlkioConfig> blkio_config;
  double cpus = 0;
  double cpu_percent = 0;
  std::int64_t cpu_count = 0;
  std::int64_t cpu_period = 0;
  std::int64_t cpu_quota = 0;
  std::int64_t cpu_rt_period = 0;
  std::int64_t cpu_rt_runtime = 0;
  std::int64_t cpu_shares = 0;
  std::string cpuset;
  std::int64_t mem_limit_bytes = 0;
  std::int64_t mem_reservation_bytes = 0;
  std::int64_t memswap_limit_bytes = 0;
  std::int64_t mem_swappiness = 0;
  std::int64_t shm_bytes = 0;
  std::int64_t pids_limit = 0;
  std::int64_t oom_score_adj = 0;
  bool is_oom_kill_disabled = false;

  // All of it as docker compose binds it, in its order: for hashes and for telling what differs. Shared, for it never changes.
  std::shared_ptr<const nlohmann::ordered_json> config;
};

// From a service as bind_model made it; location is left empty.
Service read_service(const std::string& name, std::shared_ptr<const nlohmann::ordered_json> config);

}  // namespace drover::compose
