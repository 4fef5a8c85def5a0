#include "compose/create_body.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/create_mounts.h"
#include "compose/labels.h"
#include "compose/quantity.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace drover::compose {
namespace {

using Json = nlohmann::json;

constexpr int minor_of_several_endpoints = 44;  // also of MAC addresses of endpoints and of start_interval
constexpr int minor_of_gateway_priority = 48;
constexpr int minor_of_interface_names = 49;
constexpr std::string_view interface_name_option = "com.docker.network.endpoint.ifname";

Error cannot(const Service& service, std::string_view what, int minor) {
  return Error(ErrorCode::unsupported,
               "service " + service.name + ": " + std::string(what) + " needs an engine with API 1." + std::to_string(minor) +
                   " or later");
}

void set(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void set(Json& object, const char* key, std::int64_t value) {
  if (value != 0) object[key] = value;
}

void set(Json& object, const char* key, bool value) {
  if (value) object[key] = true;
}

void set(Json& object, const char* key, const std::vector<std::string>& value) {
  if (!value.empty()) object[key] = value;
}

void set(Json& object, const char* key, const TextMap& value) {
  if (!value.empty()) object[key] = value;
}

std::vector<std::string> variables(const Service& service, const CreateContext& context) {
  std::map<std::string, std::optional<std::string>> merged(context.proxy_environment.begin(), context.proxy_environment.end());
  for (const auto& [name, value] : service.environment) merged[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : merged) lines.push_back(value ? name + "=" + *value : name);
  return lines;
}

Json healthcheck(const Service& service, const CreateContext& context) {
  const Healthcheck& check = *service.healthcheck;
  Json json = Json::object();
  if (check.is_disabled) {
    json["Test"] = {"NONE"};
  } else {
    set(json, "Test", check.test);
  }
  const auto set_duration = [&](const char* key, const std::optional<std::chrono::nanoseconds>& value) {
    if (value) set(json, key, static_cast<std::int64_t>(value->count()));
  };
  set_duration("Interval", check.interval);
  set_duration("Timeout", check.timeout);
  set_duration("StartPeriod", check.start_period);
  if (check.start_interval) {
    if (context.api_minor < minor_of_several_endpoints)
      throw cannot(service, "healthcheck.start_interval", minor_of_several_endpoints);
    if (!check.start_period)
      throw Error(ErrorCode::invalid, "service " + service.name + ": healthcheck.start_interval needs healthcheck.start_period");
    set_duration("StartInterval", check.start_interval);
  }
  if (check.retries) set(json, "Retries", *check.retries);
  return json;
}

// As docker's own client writes them: NET_ADMIN is CAP_NET_ADMIN, sorted, each once.
std::vector<std::string> capabilities(const std::vector<std::string>& names) {
  std::set<std::string> full;
  for (const std::string& name : names) {
    std::string upper(trim(name));
    for (char& c : upper)
      if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
    full.insert(upper == "ALL" || upper.starts_with("CAP_") ? upper : "CAP_" + upper);
  }
  return {full.begin(), full.end()};
}

// Those of the project's containers, and external ones: "name[:alias]".
std::vector<std::string> all_links(const Service& service, const CreateContext& context) {
  std::vector<std::string> links = context.links;
  for (const std::string& link : service.external_links)
    links.push_back(link.find(':') == std::string::npos ? link + ":" + link : link);
  return links;
}

std::string port_key(const Port& port) {
  return std::to_string(port.target) + "/" + port.protocol;
}

Json exposed_ports(const Service& service) {
  Json ports = Json::object();
  for (const std::string& port : service.expose) ports[port] = Json::object();
  for (const Port& port : service.ports) ports[port_key(port)] = Json::object();
  return ports;
}

Json port_bindings(const Service& service) {
  Json bindings = Json::object();
  for (const Port& port : service.ports)
    bindings[port_key(port)].push_back({{"HostIp", port.host_ip}, {"HostPort", port.published}});
  return bindings;
}

// By priority, then name: the first is the one that create itself joins.
std::vector<const ServiceNetwork*> ordered_networks(const Service& service) {
  std::vector<const ServiceNetwork*> networks;
  for (const ServiceNetwork& network : service.networks) networks.push_back(&network);
  std::stable_sort(networks.begin(), networks.end(), [](const ServiceNetwork* a, const ServiceNetwork* b) {
    return a->priority > b->priority;
  });
  return networks;
}

std::string engine_name(const Project& project, const std::string& key) {
  for (const Network& network : project.networks)
    if (network.key == key) return network.name;
  return key;
}

Json endpoint(const Project& project, const Service& service, const ServiceNetwork& network, const CreateContext& context) {
  Json json = Json::object();
  std::vector<std::string> aliases = {container_name(project, service, context.number, context.name_separator), service.name};
  aliases.insert(aliases.end(), network.aliases.begin(), network.aliases.end());
  json["Aliases"] = aliases;
  set(json, "Links", all_links(service, context));
  Json addresses = Json::object();
  set(addresses, "IPv4Address", network.ipv4_address);
  set(addresses, "IPv6Address", network.ipv6_address);
  set(addresses, "LinkLocalIPs", network.link_local_ips);
  if (!addresses.empty()) json["IPAMConfig"] = addresses;
  TextMap options = network.driver_opts;
  if (!network.interface_name.empty()) {
    if (context.api_minor < minor_of_interface_names) throw cannot(service, "interface_name", minor_of_interface_names);
    options[std::string(interface_name_option)] = network.interface_name;
  }
  set(json, "DriverOpts", options);
  if (context.api_minor >= minor_of_several_endpoints) set(json, "MacAddress", network.mac_address);
  if (context.api_minor >= minor_of_gateway_priority) set(json, "GwPriority", network.gateway_priority);
  return json;
}

// It cannot have its address at create. One with a MAC address of its own is left to the engine: at connect that would be lost (26.1, 28.5).
bool is_joined_later(const Service& service, const ServiceNetwork& network, const CreateContext& context, bool is_first) {
  const bool has_address = !network.ipv4_address.empty() || !network.ipv6_address.empty();
  const bool has_mac = !network.mac_address.empty() || (is_first && !service.mac_address.empty());
  return has_address && !has_mac && context.changed_networks.contains(network.network);
}

// Joins the networks: all of them at create, or the first there and the others later.
void put_networks(const Project& project, const Service& service, const CreateContext& context, Json& body, CreateBody& result) {
  const std::vector<const ServiceNetwork*> networks = ordered_networks(service);
  const std::string mode = context.network_mode.value_or(service.network_mode);
  if (!mode.empty() || networks.empty()) {
    body["HostConfig"]["NetworkMode"] = mode.empty() ? "none" : mode;
    set(body, "MacAddress", service.mac_address);
    return;
  }
  body["HostConfig"]["NetworkMode"] = engine_name(project, networks.front()->network);
  Json endpoints = Json::object();
  for (const ServiceNetwork* network : networks) {
    const std::string name = engine_name(project, network->network);
    Json settings = endpoint(project, service, *network, context);
    const bool is_first = network == networks.front();
    if (is_first && context.api_minor >= minor_of_several_endpoints && network->mac_address.empty())
      set(settings, "MacAddress", service.mac_address);
    if (is_first && context.api_minor < minor_of_several_endpoints)
      set(body, "MacAddress", network->mac_address.empty() ? service.mac_address : network->mac_address);
    const bool is_later = is_joined_later(service, *network, context, is_first);
    if (is_later) result.later_networks.push_back({name, std::make_shared<const Json>(settings), is_first});
    if (is_later) settings.erase("IPAMConfig");
    if (is_first || (!is_later && context.api_minor >= minor_of_several_endpoints)) {
      endpoints[name] = std::move(settings);
    } else if (!is_later) {
      if (!network->mac_address.empty()) throw cannot(service, "a MAC address on a further network", minor_of_several_endpoints);
      result.later_networks.push_back({name, std::make_shared<const Json>(std::move(settings))});
    }
  }
  body["NetworkingConfig"]["EndpointsConfig"] = std::move(endpoints);
}

std::string restart_name(const std::string& condition) {
  if (condition == "none" || condition == "no") return "no";
  return condition == "any" ? "always" : condition;
}

// deploy.restart_policy wins over restart.
Json restart_policy(const Service& service) {
  Json policy = Json::object();
  if (service.deploy && service.deploy->has_restart_policy) {
    set(policy, "Name", restart_name(service.deploy->restart_condition));
    if (service.deploy->restart_max_attempts) set(policy, "MaximumRetryCount", *service.deploy->restart_max_attempts);
    return policy;
  }
  const std::size_t colon = service.restart.find(':');
  set(policy, "Name", restart_name(service.restart.substr(0, colon)));
  if (colon != std::string::npos) set(policy, "MaximumRetryCount", parse_integer(service.restart.substr(colon + 1)).value_or(0));
  return policy;
}

Json device_request(const DeviceRequest& request, std::vector<std::string> capabilities) {
  Json json = Json::object();
  set(json, "Driver", request.driver);
  set(json, "Count", request.count);
  set(json, "DeviceIDs", request.device_ids);
  if (!capabilities.empty()) json["Capabilities"] = Json::array({Json(capabilities)});
  set(json, "Options", request.options);
  return json;
}

// "vendor.com/class=name" (Container Device Interface).
bool is_cdi_name(const DeviceMapping& device) {
  return device.source == device.target && !device.source.starts_with('/') && device.source.find('/') != std::string::npos &&
         device.source.find('=') != std::string::npos;
}

void put_devices(const Service& service, Json& host) {
  Json devices = Json::array();
  std::vector<std::string> cdi_names;
  for (const DeviceMapping& device : service.devices) {
    if (is_cdi_name(device)) {
      cdi_names.push_back(device.source);
    } else {
      devices.push_back(
          {{"PathOnHost", device.source}, {"PathInContainer", device.target}, {"CgroupPermissions", device.permissions}});
    }
  }
  if (!devices.empty()) host["Devices"] = std::move(devices);
  Json requests = Json::array();
  if (service.deploy)
    for (const DeviceRequest& request : service.deploy->reservations.devices)
      requests.push_back(device_request(request, request.capabilities));
  if (!cdi_names.empty()) requests.push_back({{"Driver", "cdi"}, {"DeviceIDs", cdi_names}});
  for (const DeviceRequest& request : service.gpus) {
    std::vector<std::string> capabilities = request.capabilities;
    capabilities.emplace_back("gpu");
    requests.push_back(device_request(request, std::move(capabilities)));
  }
  if (!requests.empty()) host["DeviceRequests"] = std::move(requests);
  set(host, "DeviceCgroupRules", service.device_cgroup_rules);
}

Json blkio_list(const std::vector<BlkioRate>& rates, const char* key) {
  Json list = Json::array();
  for (const BlkioRate& rate : rates) list.push_back({{"Path", rate.path}, {key, rate.rate}});
  return list;
}

void put_blkio(const BlkioConfig& blkio, Json& host) {
  set(host, "BlkioWeight", blkio.weight);
  const std::pair<const char*, const std::vector<BlkioRate>*> lists[] = {{"BlkioWeightDevice", &blkio.weight_device},
                                                                         {"BlkioDeviceReadBps", &blkio.device_read_bps},
                                                                         {"BlkioDeviceReadIOps", &blkio.device_read_iops},
                                                                         {"BlkioDeviceWriteBps", &blkio.device_write_bps},
                                                                         {"BlkioDeviceWriteIOps", &blkio.device_write_iops}};
  for (const auto& [key, rates] : lists)
    if (!rates->empty()) host[key] = blkio_list(*rates, rates == &blkio.weight_device ? "Weight" : "Rate");
}

std::int64_t nano_cpus(double cpus) {
  return static_cast<std::int64_t>(static_cast<float>(cpus) * 1e9F);
}

// Limits of `deploy` win over those of the service.
void put_resources(const Service& service, Json& host) {
  const ResourceLimits limits = service.deploy ? service.deploy->limits : ResourceLimits{};
  const ResourceLimits reserved = service.deploy ? service.deploy->reservations : ResourceLimits{};
  const auto or_own = [](std::int64_t deployed, std::int64_t own) { return deployed != 0 ? deployed : own; };
  set(host, "CgroupParent", service.cgroup_parent);
  set(host, "Memory", or_own(limits.memory_bytes, service.mem_limit_bytes));
  set(host, "MemorySwap", service.memswap_limit_bytes);
  set(host, "MemorySwappiness", service.mem_swappiness);
  set(host, "MemoryReservation", or_own(reserved.memory_bytes, service.mem_reservation_bytes));
  host["OomKillDisable"] = service.is_oom_kill_disabled;
  set(host, "CpuCount", service.cpu_count);
  set(host, "CpuPeriod", service.cpu_period);
  set(host, "CpuQuota", service.cpu_quota);
  set(host, "CpuRealtimePeriod", service.cpu_rt_period);
  set(host, "CpuRealtimeRuntime", service.cpu_rt_runtime);
  set(host, "CpuShares", service.cpu_shares);
  set(host, "NanoCpus", limits.cpus != 0 ? nano_cpus(limits.cpus) : nano_cpus(service.cpus));
  set(host, "CpuPercent", static_cast<std::int64_t>(static_cast<float>(service.cpu_percent) * 100));
  set(host, "CpusetCpus", service.cpuset);
  set(host, "PidsLimit", limits.pids > 0 ? limits.pids : service.pids_limit);
  if (service.blkio_config) put_blkio(*service.blkio_config, host);
  Json ulimits = Json::array();
  for (const auto& [name, ulimit] : service.ulimits)
    ulimits.push_back({{"Name", name}, {"Soft", ulimit.soft}, {"Hard", ulimit.hard}});
  if (!ulimits.empty()) host["Ulimits"] = std::move(ulimits);
}

Error bad_security_option(const Service& service, const std::string& option) {
  return Error(ErrorCode::invalid,
               "service " + service.name + ": security_opt \"" + printable(option, 80) + "\" is not key=value");
}

void put_security(const Service& service, const CreateContext& context, Json& host) {
  std::vector<std::string> options;
  for (const std::string& option : service.security_opt) {
    if (option == "systempaths=unconfined") {
      host["MaskedPaths"] = Json::array();
      host["ReadonlyPaths"] = Json::array();
      continue;
    }
    std::size_t part = option.find('=');
    if (part == std::string::npos && option != "no-new-privileges") {
      part = option.find(':');
      if (part == std::string::npos) throw bad_security_option(service, option);
    }
    const std::string value = part == std::string::npos ? "" : option.substr(part + 1);
    if (option.substr(0, part) != "seccomp" || value == "unconfined" || value == "builtin") {
      options.push_back(option);
      continue;
    }
    const auto profile = context.seccomp_profiles.find(value);
    if (profile == context.seccomp_profiles.end())
      throw Error(ErrorCode::invalid, "service " + service.name + ": cannot open seccomp profile " + printable(value));
    options.push_back("seccomp=" + profile->second);
  }
  set(host, "SecurityOpt", options);
}

Json host_config(const Project& project, const Service& service, const CreateContext& context) {
  Json host = Json::object();
  put_mounts(project, service, {context.api_minor, context.anonymous_volumes}, host);
  put_resources(service, host);
  put_devices(service, host);
  put_security(service, context, host);
  set(host, "Annotations", service.annotations);
  set(host, "CapAdd", capabilities(service.cap_add));
  set(host, "CapDrop", capabilities(service.cap_drop));
  if (service.init) host["Init"] = *service.init;
  set(host, "IpcMode", context.ipc.value_or(service.ipc));
  set(host, "PidMode", context.pid.value_or(service.pid));
  set(host, "CgroupnsMode", service.cgroup);
  set(host, "ReadonlyRootfs", service.is_read_only);
  if (Json policy = restart_policy(service); !policy.empty()) host["RestartPolicy"] = std::move(policy);
  set(host, "ShmSize", service.shm_bytes);
  set(host, "Sysctls", service.sysctls);
  if (Json bindings = port_bindings(service); !bindings.empty()) host["PortBindings"] = std::move(bindings);
  set(host, "VolumesFrom", context.volumes_from.value_or(service.volumes_from));
  set(host, "Dns", service.dns);
  set(host, "DnsSearch", service.dns_search);
  set(host, "DnsOptions", service.dns_opt);
  std::vector<std::string> hosts;
  for (const std::string& entry : service.extra_hosts) hosts.push_back(std::string(entry).replace(entry.find('='), 1, ":"));
  set(host, "ExtraHosts", hosts);
  set(host, "StorageOpt", service.storage_opt);
  set(host, "UsernsMode", service.userns_mode);
  set(host, "UTSMode", service.uts);
  set(host, "Privileged", service.is_privileged);
  set(host, "Isolation", service.isolation);
  set(host, "Runtime", service.runtime);
  if (service.logging) {
    Json logging = Json::object();
    set(logging, "Type", service.logging->driver);
    set(logging, "Config", service.logging->options);
    if (!logging.empty()) host["LogConfig"] = std::move(logging);
  }
  set(host, "GroupAdd", service.group_add);
  set(host, "Links", all_links(service, context));
  set(host, "OomScoreAdj", service.oom_score_adj);
  return host;
}

}  // namespace

std::string container_name(const Project& project, const Service& service, int number, char separator) {
  if (!service.container_name.empty()) return service.container_name;
  return project.name + separator + service.name + separator + std::to_string(number);
}

CreateBody create_body(const Project& project, const Service& service, const CreateContext& context) {
  CreateBody result;
  result.name = container_name(project, service, context.number, context.name_separator);
  result.platform = service.platform.value_or("");
  Json body = Json::object();
  body["Image"] =
      !context.image.empty() ? context.image : service.image.value_or(project.name + context.name_separator + service.name);
  body["AttachStdout"] = true;
  body["AttachStderr"] = true;
  set(body, "Hostname", service.hostname);
  set(body, "Domainname", service.domainname);
  set(body, "User", service.user);
  set(body, "WorkingDir", service.working_dir);
  set(body, "Tty", service.has_tty);
  set(body, "OpenStdin", service.has_stdin);
  if (service.command) body["Cmd"] = *service.command;
  if (service.entrypoint) body["Entrypoint"] = *service.entrypoint;
  set(body, "Env", variables(service, context));
  TextMap labels = service.labels;
  for (const auto& [key, value] : context.labels) labels[key] = value;
  set(body, "Labels", labels);
  if (Json ports = exposed_ports(service); !ports.empty()) body["ExposedPorts"] = std::move(ports);
  if (service.healthcheck) body["Healthcheck"] = healthcheck(service, context);
  set(body, "StopSignal", service.stop_signal);
  if (service.stop_grace_period)
    body["StopTimeout"] = std::chrono::duration_cast<std::chrono::seconds>(*service.stop_grace_period).count();
  body["HostConfig"] = host_config(project, service, context);
  put_networks(project, service, context, body, result);
  result.body = std::make_shared<const Json>(std::move(body));
  return result;
}

TextMap compose_labels(
    const Project& project, const Service& service, int number, const std::string& config_hash, const std::string& version) {
  const auto join_paths = [](const std::vector<std::filesystem::path>& paths) {
    std::vector<std::string> texts;
    for (const std::filesystem::path& path : paths) texts.push_back(path.string());
    return join(texts, ",");
  };
  std::vector<std::string> dependencies;
  for (const Dependency& dependency : service.depends_on) {
    constexpr const char* conditions[] = {"service_started", "service_healthy", "service_completed_successfully"};
    dependencies.push_back(dependency.service + ":" + conditions[static_cast<int>(dependency.condition)] +
                           (dependency.is_restarted ? ":true" : ":false"));
  }
  TextMap labels;
  const auto put = [&](std::string_view name, std::string value) { labels[std::string(name)] = std::move(value); };
  put(config_hash_label, config_hash);
  put(number_label, std::to_string(number));
  put(dependencies_label, join(dependencies, ","));
  put(oneoff_label, "False");
  put(project_label, project.name);
  put(config_files_label, join_paths(project.files));
  put(working_directory_label, project.directory.string());
  put(service_label, service.name);
  put(version_label, version);
  if (!project.env_files.empty()) put(environment_file_label, join_paths(project.env_files));
  return labels;
}

}  // namespace drover::compose
