#include "compose/service.h"

#include "compose/bound_model.h"
#include "compose/quantity.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

// Readers of one member each, for a JSON whose types bind_model has set; a missing member leaves the value as it is.

void read(const Json& from, const char* key, std::string& to) {
  if (const auto found = from.find(key); found != from.end()) to = found->get<std::string>();
}

void read(const Json& from, const char* key, bool& to) {
  if (const auto found = from.find(key); found != from.end()) to = found->get<bool>();
}

void read(const Json& from, const char* key, double& to) {
  if (const auto found = from.find(key); found != from.end()) to = found->get<double>();
}

// Sizes are text.
void read(const Json& from, const char* key, std::int64_t& to) {
  const auto found = from.find(key);
  if (found == from.end()) return;
  to = found->is_string() ? parse_integer(found->get<std::string>()).value_or(0) : found->get<std::int64_t>();
}

void read(const Json& from, const char* key, std::vector<std::string>& to) {
  if (const auto found = from.find(key); found != from.end()) to = found->get<std::vector<std::string>>();
}

void read(const Json& from, const char* key, TextMap& to) {
  const auto found = from.find(key);
  if (found == from.end()) return;
  for (auto member = found->begin(); member != found->end(); ++member) to[member.key()] = member->get<std::string>();
}

void read(const Json& from, const char* key, std::map<std::string, std::optional<std::string>>& to) {
  const auto found = from.find(key);
  if (found == from.end()) return;
  for (auto member = found->begin(); member != found->end(); ++member)
    to[member.key()] = member->is_null() ? std::nullopt : std::optional(member->get<std::string>());
}

template <typename Value> void read(const Json& from, const char* key, std::optional<Value>& to) {
  const auto found = from.find(key);
  if (found != from.end() && !found->is_null()) to = found->get<Value>();
}

void read(const Json& from, const char* key, std::optional<std::chrono::nanoseconds>& to) {
  if (const auto found = from.find(key); found != from.end()) to = parse_duration(found->get<std::string>());
}

template <typename Value>
void read_each(const Json& from, const char* key, std::vector<Value>& to, Value (*read_one)(const Json&)) {
  if (const auto found = from.find(key); found != from.end())
    for (const Json& item : *found) to.push_back(read_one(item));
}

template <typename Value>
void read_one(const Json& from, const char* key, std::optional<Value>& to, Value (*reader)(const Json&)) {
  if (const auto found = from.find(key); found != from.end()) to = reader(*found);
}

std::vector<Dependency> read_dependencies(const Json& from) {
  std::vector<Dependency> dependencies;
  const auto found = from.find("depends_on");
  if (found == from.end()) return dependencies;
  for (auto member = found->begin(); member != found->end(); ++member) {
    Dependency dependency;
    dependency.service = member.key();
    const std::string condition = member->value("condition", "");
    if (condition == "service_healthy") dependency.condition = Dependency::Condition::healthy;
    if (condition == "service_completed_successfully") dependency.condition = Dependency::Condition::completed_successfully;
    read(*member, "restart", dependency.is_restarted);
    read(*member, "required", dependency.is_required);
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

std::vector<ServiceNetwork> read_networks(const Json& from) {
  std::vector<ServiceNetwork> networks;
  const auto found = from.find("networks");
  if (found == from.end()) return networks;
  for (auto member = found->begin(); member != found->end(); ++member) {
    ServiceNetwork network;
    network.network = member.key();
    const Json& settings = *member;
    read(settings, "aliases", network.aliases);
    read(settings, "driver_opts", network.driver_opts);
    read(settings, "ipv4_address", network.ipv4_address);
    read(settings, "ipv6_address", network.ipv6_address);
    read(settings, "link_local_ips", network.link_local_ips);
    read(settings, "mac_address", network.mac_address);
    read(settings, "interface_name", network.interface_name);
    read(settings, "priority", network.priority);
    read(settings, "gw_priority", network.gateway_priority);
    networks.push_back(std::move(network));
  }
  return networks;
}

Port read_port(const Json& from) {
  Port port;
  read(from, "host_ip", port.host_ip);
  read(from, "published", port.published);
  read(from, "target", port.target);
  read(from, "protocol", port.protocol);
  read(from, "mode", port.mode);
  return port;
}

Mount read_mount(const Json& from) {
  Mount mount;
  read(from, "type", mount.type);
  read(from, "source", mount.source);
  read(from, "target", mount.target);
  read(from, "read_only", mount.is_read_only);
  read(from, "consistency", mount.consistency);
  if (const auto bind = from.find("bind"); bind != from.end()) {
    mount.has_bind_options = true;
    if (bind->contains("create_host_path")) mount.creates_host_path = true;
    if (bind->contains(refused_host_path_key)) mount.creates_host_path = false;
    read(*bind, "selinux", mount.selinux);
    read(*bind, "propagation", mount.propagation);
    read(*bind, "recursive", mount.recursive);
  }
  if (const auto volume = from.find("volume"); volume != from.end()) {
    read(*volume, "labels", mount.labels);
    mount.is_copied = !volume->value("nocopy", false);
    read(*volume, "subpath", mount.subpath);
  }
  if (const auto image = from.find("image"); image != from.end()) read(*image, "subpath", mount.subpath);
  if (const auto tmpfs = from.find("tmpfs"); tmpfs != from.end()) {
    read(*tmpfs, "size", mount.tmpfs_bytes);
    read(*tmpfs, "mode", mount.tmpfs_mode);
  }
  return mount;
}

FileReference read_file_reference(const Json& from) {
  FileReference reference;
  read(from, "source", reference.source);
  read(from, "target", reference.target);
  read(from, "uid", reference.uid);
  read(from, "gid", reference.gid);
  std::string mode;
  read(from, "mode", mode);
  if (mode.empty()) return reference;
  std::uint32_t value = 0;
  for (const char digit : mode) value = value * 8 + static_cast<std::uint32_t>(digit - '0');
  reference.mode = value;
  return reference;
}

Healthcheck read_healthcheck(const Json& from) {
  Healthcheck check;
  read(from, "test", check.test);
  read(from, "interval", check.interval);
  read(from, "timeout", check.timeout);
  read(from, "start_period", check.start_period);
  read(from, "start_interval", check.start_interval);
  read(from, "retries", check.retries);
  read(from, "disable", check.is_disabled);
  return check;
}

Hook read_hook(const Json& from) {
  Hook hook;
  read(from, "command", hook.command);
  read(from, "user", hook.user);
  read(from, "working_dir", hook.working_dir);
  read(from, "privileged", hook.is_privileged);
  read(from, "environment", hook.environment);
  return hook;
}

std::map<std::string, Ulimit> read_ulimits(const Json& from) {
  std::map<std::string, Ulimit> ulimits;
  const auto found = from.find("ulimits");
  if (found == from.end()) return ulimits;
  for (auto member = found->begin(); member != found->end(); ++member) {
    Ulimit& ulimit = ulimits[member.key()];
    if (member->is_number()) {
      ulimit.soft = ulimit.hard = member->get<std::int64_t>();
    } else {
      read(*member, "soft", ulimit.soft);
      read(*member, "hard", ulimit.hard);
    }
  }
  return ulimits;
}

DeviceMapping read_device(const Json& from) {
  DeviceMapping device;
  read(from, "source", device.source);
  read(from, "target", device.target);
  read(from, "permissions", device.permissions);
  return device;
}

DeviceRequest read_device_request(const Json& from) {
  DeviceRequest request;
  read(from, "driver", request.driver);
  read(from, "count", request.count);
  read(from, "device_ids", request.device_ids);
  read(from, "capabilities", request.capabilities);
  read(from, "options", request.options);
  return request;
}

Logging read_logging(const Json& from) {
  Logging logging;
  read(from, "driver", logging.driver);
  read(from, "options", logging.options);
  return logging;
}

BlkioRate read_blkio_rate(const Json& from) {
  BlkioRate rate;
  read(from, "Path", rate.path);
  read(from, "Weight", rate.rate);
  read(from, "Rate", rate.rate);
  return rate;
}

BlkioConfig read_blkio(const Json& from) {
  BlkioConfig blkio;
  read(from, "weight", blkio.weight);
  read_each(from, "weight_device", blkio.weight_device, read_blkio_rate);
  read_each(from, "device_read_bps", blkio.device_read_bps, read_blkio_rate);
  read_each(from, "device_read_iops", blkio.device_read_iops, read_blkio_rate);
  read_each(from, "device_write_bps", blkio.device_write_bps, read_blkio_rate);
  read_each(from, "device_write_iops", blkio.device_write_iops, read_blkio_rate);
  return blkio;
}

ResourceLimits read_limits(const Json& resources, const char* key) {
  ResourceLimits limits;
  const auto found = resources.find(key);
  if (found == resources.end()) return limits;
  read(*found, "cpus", limits.cpus);
  read(*found, "memory", limits.memory_bytes);
  read(*found, "pids", limits.pids);
  read_each(*found, "devices", limits.devices, read_device_request);
  return limits;
}

Deploy read_deploy(const Json& from) {
  Deploy deploy;
  read(from, "replicas", deploy.replicas);
  read(from, "labels", deploy.labels);
  if (const auto update = from.find("update_config"); update != from.end()) read(*update, "order", deploy.update_order);
  deploy.limits = read_limits(from.at("resources"), "limits");
  deploy.reservations = read_limits(from.at("resources"), "reservations");
  if (const auto policy = from.find("restart_policy"); policy != from.end()) {
    deploy.has_restart_policy = true;
    read(*policy, "condition", deploy.restart_condition);
    read(*policy, "max_attempts", deploy.restart_max_attempts);
  }
  return deploy;
}

void read_identity(const Json& from, Service& service) {
  read(from, "image", service.image);
  read(from, "platform", service.platform);
  read(from, "pull_policy", service.pull_policy);
  service.has_build = from.contains("build");
  read(from, "profiles", service.profiles);
  service.depends_on = read_dependencies(from);
  read(from, "container_name", service.container_name);
  read_one(from, "deploy", service.deploy, read_deploy);
  if (service.deploy && service.deploy->replicas) service.scale = *service.deploy->replicas;
  read(from, "scale", service.scale);
  read(from, "command", service.command);
  read(from, "entrypoint", service.entrypoint);
  read(from, "environment", service.environment);
  read(from, "labels", service.labels);
  read(from, "annotations", service.annotations);
  read(from, "hostname", service.hostname);
  read(from, "domainname", service.domainname);
  read(from, "user", service.user);
  read(from, "working_dir", service.working_dir);
  read(from, "tty", service.has_tty);
  read(from, "stdin_open", service.has_stdin);
  read(from, "attach", service.attach);
  read(from, "init", service.init);
}

void read_connections(const Json& from, Service& service) {
  service.networks = read_networks(from);
  read(from, "network_mode", service.network_mode);
  read_each(from, "ports", service.ports, read_port);
  read(from, "expose", service.expose);
  read(from, "links", service.links);
  read(from, "external_links", service.external_links);
  read(from, "extra_hosts", service.extra_hosts);
  read(from, "dns", service.dns);
  read(from, "dns_opt", service.dns_opt);
  read(from, "dns_search", service.dns_search);
  read(from, "mac_address", service.mac_address);
}

void read_storage(const Json& from, Service& service) {
  read_each(from, "volumes", service.volumes, read_mount);
  read(from, "volumes_from", service.volumes_from);
  read(from, "tmpfs", service.tmpfs);
  read_each(from, "configs", service.configs, read_file_reference);
  read_each(from, "secrets", service.secrets, read_file_reference);
  read(from, "storage_opt", service.storage_opt);
  read(from, "read_only", service.is_read_only);
}

void read_life(const Json& from, Service& service) {
  read(from, "restart", service.restart);
  read_one(from, "healthcheck", service.healthcheck, read_healthcheck);
  read(from, "stop_signal", service.stop_signal);
  read(from, "stop_grace_period", service.stop_grace_period);
  read_each(from, "pre_start", service.pre_start, read_hook);
  read_each(from, "post_start", service.post_start, read_hook);
  read_each(from, "pre_stop", service.pre_stop, read_hook);
  read_one(from, "logging", service.logging, read_logging);
}

void read_isolation(const Json& from, Service& service) {
  read(from, "privileged", service.is_privileged);
  read(from, "cap_add", service.cap_add);
  read(from, "cap_drop", service.cap_drop);
  read(from, "security_opt", service.security_opt);
  read(from, "group_add", service.group_add);
  read(from, "userns_mode", service.userns_mode);
  read(from, "pid", service.pid);
  read(from, "ipc", service.ipc);
  read(from, "uts", service.uts);
  read(from, "cgroup", service.cgroup);
  read(from, "cgroup_parent", service.cgroup_parent);
  read(from, "isolation", service.isolation);
  read(from, "runtime", service.runtime);
  read(from, "sysctls", service.sysctls);
  service.ulimits = read_ulimits(from);
  read_each(from, "devices", service.devices, read_device);
  read(from, "device_cgroup_rules", service.device_cgroup_rules);
  read_each(from, "gpus", service.gpus, read_device_request);
}

void read_resources(const Json& from, Service& service) {
  read_one(from, "blkio_config", service.blkio_config, read_blkio);
  read(from, "cpus", service.cpus);
  read(from, "cpu_percent", service.cpu_percent);
  read(from, "cpu_count", service.cpu_count);
  read(from, "cpu_period", service.cpu_period);
  read(from, "cpu_quota", service.cpu_quota);
  read(from, "cpu_rt_period", service.cpu_rt_period);
  read(from, "cpu_rt_runtime", service.cpu_rt_runtime);
  read(from, "cpu_shares", service.cpu_shares);
  read(from, "cpuset", service.cpuset);
  read(from, "mem_limit", service.mem_limit_bytes);
  read(from, "mem_reservation", service.mem_reservation_bytes);
  read(from, "memswap_limit", service.memswap_limit_bytes);
  read(from, "mem_swappiness", service.mem_swappiness);
  read(from, "shm_size", service.shm_bytes);
  read(from, "pids_limit", service.pids_limit);
  read(from, "oom_score_adj", service.oom_score_adj);
  read(from, "oom_kill_disable", service.is_oom_kill_disabled);
}

}  // namespace

std::string SourceLocation::to_string() const {
  return file.string() + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Service read_service(const std::string& name, std::shared_ptr<const Json> config) {
  Service service;
  service.name = name;
  read_identity(*config, service);
  read_connections(*config, service);
  read_storage(*config, service);
  read_life(*config, service);
  read_isolation(*config, service);
  read_resources(*config, service);
  service.config = std::move(config);
  return service;
}

}  // namespace drover::compose
