#include "engine/container_config.h"

#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

// Entrypoint and Cmd were plain texts in some old images.
std::vector<std::string> words_member(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) return {value.get<std::string>()};
  return texts_member(object, name);
}

std::optional<Healthcheck> parse_healthcheck(const nlohmann::json& check) {
  if (!check.is_object()) return std::nullopt;
  return Healthcheck{.test = texts_member(check, "Test"),
                     .interval = std::chrono::nanoseconds(number_member(check, "Interval")),
                     .timeout = std::chrono::nanoseconds(number_member(check, "Timeout")),
                     .start_period = std::chrono::nanoseconds(number_member(check, "StartPeriod")),
                     .start_interval = std::chrono::nanoseconds(number_member(check, "StartInterval")),
                     .retries = number_member(check, "Retries")};
}

MountRequest parse_mount_request(const nlohmann::json& mount) {
  const nlohmann::json& volume = member(mount, "VolumeOptions");
  const nlohmann::json& image = member(mount, "ImageOptions");
  return {.type = text_member(mount, "Type"),
          .source = text_member(mount, "Source"),
          .target = text_member(mount, "Target"),
          .is_read_only = flag_member(mount, "ReadOnly"),
          .subpath = text_member(volume.is_object() ? volume : image, "Subpath"),
          .propagation = text_member(member(mount, "BindOptions"), "Propagation")};
}

void parse_network_part(const nlohmann::json& host, HostConfig& out) {
  out.network_mode = text_member(host, "NetworkMode");
  out.port_bindings = parse_port_bindings(member(host, "PortBindings"));
  out.publishes_all_ports = flag_member(host, "PublishAllPorts");
  out.links = texts_member(host, "Links");
  out.dns = texts_member(host, "Dns");
  out.dns_options = texts_member(host, "DnsOptions");
  out.dns_search = texts_member(host, "DnsSearch");
  out.extra_hosts = texts_member(host, "ExtraHosts");
}

void parse_isolation_part(const nlohmann::json& host, HostConfig& out) {
  out.is_privileged = flag_member(host, "Privileged");
  out.is_rootfs_read_only = flag_member(host, "ReadonlyRootfs");
  out.cap_add = texts_member(host, "CapAdd");
  out.cap_drop = texts_member(host, "CapDrop");
  out.security_opt = texts_member(host, "SecurityOpt");
  out.group_add = texts_member(host, "GroupAdd");
  out.sysctls = map_member(host, "Sysctls");
  out.storage_opt = map_member(host, "StorageOpt");
  out.ipc_mode = text_member(host, "IpcMode");
  out.pid_mode = text_member(host, "PidMode");
  out.uts_mode = text_member(host, "UTSMode");
  out.userns_mode = text_member(host, "UsernsMode");
  out.cgroupns_mode = text_member(host, "CgroupnsMode");
  out.cgroup_parent = text_member(host, "CgroupParent");
}

void parse_limits(const nlohmann::json& host, HostConfig& out) {
  for (const nlohmann::json& limit : items_member(host, "Ulimits")) {
    out.ulimits.push_back({text_member(limit, "Name"), number_member(limit, "Soft"), number_member(limit, "Hard")});
  }
  for (const nlohmann::json& device : items_member(host, "Devices")) {
    out.devices.push_back(
        {text_member(device, "PathOnHost"), text_member(device, "PathInContainer"), text_member(device, "CgroupPermissions")});
  }
  out.memory_bytes = number_member(host, "Memory");
  out.memory_swap_bytes = number_member(host, "MemorySwap");
  out.memory_reservation_bytes = number_member(host, "MemoryReservation");
  out.shm_size_bytes = number_member(host, "ShmSize");
  out.nano_cpus = number_member(host, "NanoCpus");
  out.cpu_shares = number_member(host, "CpuShares");
  out.cpu_period_us = number_member(host, "CpuPeriod");
  out.cpu_quota_us = number_member(host, "CpuQuota");
  out.cpuset_cpus = text_member(host, "CpusetCpus");
  out.pids_limit = number_member(host, "PidsLimit");
  out.oom_score_adj = number_member(host, "OomScoreAdj");
}

}  // namespace

std::map<std::string, std::vector<PortBinding>> parse_port_bindings(const nlohmann::json& ports) {
  std::map<std::string, std::vector<PortBinding>> bindings;
  if (!ports.is_object()) return bindings;
  for (const auto& [port, hosts] : ports.items()) {
    std::vector<PortBinding>& of_port = bindings[port];
    if (!hosts.is_array()) continue;
    for (const nlohmann::json& host : hosts) of_port.push_back({text_member(host, "HostIp"), text_member(host, "HostPort")});
  }
  return bindings;
}

ContainerConfig parse_container_config(const nlohmann::json& config) {
  ContainerConfig out{.image = text_member(config, "Image"),
                      .hostname = text_member(config, "Hostname"),
                      .domainname = text_member(config, "Domainname"),
                      .user = text_member(config, "User"),
                      .working_dir = text_member(config, "WorkingDir"),
                      .entrypoint = words_member(config, "Entrypoint"),
                      .cmd = words_member(config, "Cmd"),
                      .shell = texts_member(config, "Shell"),
                      .env = texts_member(config, "Env"),
                      .labels = map_member(config, "Labels"),
                      .exposed_ports = keys_member(config, "ExposedPorts"),
                      .volumes = keys_member(config, "Volumes"),
                      .healthcheck = parse_healthcheck(member(config, "Healthcheck")),
                      .stop_signal = text_member(config, "StopSignal"),
                      .stop_timeout = {},
                      .has_tty = flag_member(config, "Tty"),
                      .is_stdin_open = flag_member(config, "OpenStdin"),
                      .is_stdin_once = flag_member(config, "StdinOnce")};
  if (const auto timeout = find_number_member(config, "StopTimeout")) out.stop_timeout = std::chrono::seconds(*timeout);
  return out;
}

HostConfig parse_host_config(const nlohmann::json& host_config) {
  HostConfig out;
  out.binds = texts_member(host_config, "Binds");
  for (const nlohmann::json& mount : items_member(host_config, "Mounts")) out.mounts.push_back(parse_mount_request(mount));
  out.volumes_from = texts_member(host_config, "VolumesFrom");
  out.tmpfs = map_member(host_config, "Tmpfs");
  const nlohmann::json& restart = member(host_config, "RestartPolicy");
  out.restart_policy = {text_member(restart, "Name"), number_member(restart, "MaximumRetryCount")};
  out.removes_itself = flag_member(host_config, "AutoRemove");
  const nlohmann::json& log = member(host_config, "LogConfig");
  out.log = {text_member(log, "Type"), map_member(log, "Config")};
  out.runtime = text_member(host_config, "Runtime");
  if (const nlohmann::json& init = member(host_config, "Init"); init.is_boolean()) out.init = init.get<bool>();
  parse_network_part(host_config, out);
  parse_isolation_part(host_config, out);
  parse_limits(host_config, out);
  return out;
}

}  // namespace drover::engine
