#include "compose/difference.h"

#include "base/text.h"
#include "compose/difference_networks.h"
#include "engine/volumes.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace drover::compose {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using Named = std::map<std::string, std::string>;

constexpr std::size_t shown_bytes_max = 120;

// A member, or null for what is absent: the engine leaves out, writes null or writes an empty value as it likes.
const Json& member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

Texts texts(const Json& list) {
  Texts result;
  if (list.is_array())
    for (const Json& item : list) result.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return result;
}

Named named(const Json& object) {
  Named result;
  if (object.is_object())
    for (const auto& [key, value] : object.items()) result[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return result;
}

Texts sorted(Texts list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

std::string shown(const Texts& list) {
  return printable(join(list, ", "), shown_bytes_max);
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "A=1" overlaid by "A=2"; "A" alone takes it away.
Named variables(const Texts& defaults, const Texts& own) {
  Named result;
  for (const Texts* list : {&defaults, &own}) {
    for (const std::string& line : *list) {
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos) {
        result.erase(line);
      } else {
        result[line.substr(0, equals)] = line.substr(equals + 1);
      }
    }
  }
  return result;
}

// "data:/data:rw,z" as mount_texts has it: releases of docker compose differ in which of the two forms they use for the same mount. Labels
// for SELinux are only in the one form.
std::string mount_of_bind(const std::string& bind) {
  const std::size_t target = bind.find(':');
  if (target == std::string::npos) return "volume::" + bind + ":rw";
  const std::size_t mode = bind.find(':', target + 1);
  const std::string source = bind.substr(0, target);
  std::string text = (source.starts_with('/') ? "bind:" : "volume:") + source + ":" + bind.substr(target + 1, mode - target - 1);
  const std::vector<std::string_view> options = mode == std::string::npos ? std::vector<std::string_view>{} : split(std::string_view(bind).substr(mode + 1), ',');
  const bool is_read_only = std::find(options.begin(), options.end(), "ro") != options.end();
  text += is_read_only ? ":ro" : ":rw";
  for (const std::string_view option : options)
    if (option != "ro" && option != "rw" && option != "z" && option != "Z") text += "," + std::string(option);
  return text;
}

Named without_compose_labels(Named labels) {
  std::erase_if(labels, [](const auto& label) { return label.first.starts_with("com.docker.compose."); });
  return labels;
}

class Comparison {
 public:
  Comparison(const Json& expected, const engine::ContainerConfig& image, const engine::ContainerDetails& actual)
      : body_(expected), host_(member(expected, "HostConfig")), image_(image), details_(actual), config_(member(*actual.raw, "Config")),
        actual_host_(member(*actual.raw, "HostConfig")) {}

  std::vector<Difference> run() {
    compare_process();
    compare_health();
    compare_ports();
    compare_mounts();
    compare_host_lists();
    compare_security();
    compare_limits();
    return std::move(differences_);
  }

 private:
  void note(std::string path, const std::string& expected, const std::string& actual) {
    differences_.push_back({std::move(path), printable(expected, shown_bytes_max), printable(actual, shown_bytes_max)});
  }

  void compare(const char* path, const std::string& expected, const std::string& actual) {
    if (expected != actual) note(path, expected, actual);
  }

  void compare_set(const char* path, Texts expected, Texts actual) {
    expected = sorted(std::move(expected));
    actual = sorted(std::move(actual));
    if (expected != actual) note(path, shown(expected), shown(actual));
  }

  void compare_list(const char* path, const Texts& expected, const Texts& actual) {
    if (expected != actual) note(path, shown(expected), shown(actual));
  }

  // Passwords and tokens are among arguments as among variables.
  void compare_secret_list(const char* path, const Texts& expected, const Texts& actual) {
    if (expected == actual) return;
    const auto tell = [](const Texts& list, const char* text) { return std::string(list.empty() ? "" : text); };
    note(path, tell(expected, "set"), tell(actual, expected.empty() ? "set" : "another value"));
  }

  void compare_named(const std::string& path, const Named& expected, const Named& actual, bool are_secret = false) {
    const auto tell = [&](const std::string& value) { return are_secret ? std::string("set") : value; };
    for (const auto& [name, value] : expected) {
      const auto found = actual.find(name);
      if (found == actual.end()) {
        note(path + "." + name, tell(value), "");
      } else if (found->second != value) {
        note(path + "." + name, tell(value), are_secret ? "another value" : found->second);
      }
    }
    for (const auto& [name, value] : actual)
      if (!expected.contains(name)) note(path + "." + name, "", tell(value));
  }

  // Of HostConfig, only where the model says something.
  void compare_given(const char* path, const char* key) {
    if (!member(host_, key).is_null()) compare(path, text_of(member(host_, key)), text_of(member(actual_host_, key)));
  }

  // Of HostConfig: 0, "", false and absence are the same.
  void compare_value(const char* path, const char* key) {
    const auto plain = [](const Json& value) {
      const std::string text = text_of(value);
      return text == "0" || text == "false" ? std::string() : text;
    };
    compare(path, plain(member(host_, key)), plain(member(actual_host_, key)));
  }

  void compare_process() {
    compare_named("environment", variables(image_.env, texts(member(body_, "Env"))), variables({}, texts(member(config_, "Env"))), true);
    Named labels(image_.labels.begin(), image_.labels.end());
    for (const auto& [name, value] : named(member(body_, "Labels"))) labels[name] = value;
    compare_named("labels", without_compose_labels(std::move(labels)), without_compose_labels(named(member(config_, "Labels"))), true);
    compare_command();
    const auto own_or = [&](const char* key, const std::string& fallback) {
      const std::string own = text_of(member(body_, key));
      return own.empty() ? fallback : own;
    };
    compare("user", own_or("User", image_.user), text_of(member(config_, "User")));
    compare("working_dir", own_or("WorkingDir", image_.working_dir), text_of(member(config_, "WorkingDir")));
    if (!member(body_, "Hostname").is_null()) compare("hostname", text_of(member(body_, "Hostname")), text_of(member(config_, "Hostname")));
    compare("domainname", text_of(member(body_, "Domainname")), text_of(member(config_, "Domainname")));
    compare("tty", own_or("Tty", "false"), member(config_, "Tty").is_null() ? "false" : text_of(member(config_, "Tty")));
    compare("stdin_open", own_or("OpenStdin", "false"), member(config_, "OpenStdin").is_null() ? "false" : text_of(member(config_, "OpenStdin")));
    const auto signal = [](const std::string& text) { return text.empty() ? std::string("SIGTERM") : text; };
    compare("stop_signal", signal(own_or("StopSignal", image_.stop_signal)), signal(text_of(member(config_, "StopSignal"))));
    if (!member(body_, "StopTimeout").is_null()) compare("stop_grace_period", text_of(member(body_, "StopTimeout")), text_of(member(config_, "StopTimeout")));
  }

  // An entrypoint of one's own drops the image's command (the engine's merge of both configurations).
  void compare_command() {
    const Json& own_entrypoint = member(body_, "Entrypoint");
    Texts entrypoint = own_entrypoint.is_null() ? image_.entrypoint : texts(own_entrypoint);
    Texts command = texts(member(body_, "Cmd"));
    if (command.empty() && texts(own_entrypoint).empty()) command = image_.cmd;
    compare_secret_list("entrypoint", entrypoint, texts(member(config_, "Entrypoint")));
    compare_secret_list("command", command, texts(member(config_, "Cmd")));
  }

  void compare_health() {
    const Json& own = member(body_, "Healthcheck");
    const engine::Healthcheck defaults = image_.healthcheck.value_or(engine::Healthcheck{});
    const Json& actual = member(config_, "Healthcheck");
    const Texts test = texts(member(own, "Test")).empty() ? defaults.test : texts(member(own, "Test"));
    compare_secret_list("healthcheck.test", test, texts(member(actual, "Test")));
    if (!test.empty() && test.front() == "NONE") return;
    const auto number = [](const Json& value) { return value.is_number() ? value.get<std::int64_t>() : std::int64_t{0}; };
    const auto check = [&](const char* path, const char* key, std::int64_t fallback) {
      const std::int64_t own_value = number(member(own, key));
      compare(path, std::to_string(own_value != 0 ? own_value : fallback), std::to_string(number(member(actual, key))));
    };
    check("healthcheck.interval", "Interval", defaults.interval.count());
    check("healthcheck.timeout", "Timeout", defaults.timeout.count());
    check("healthcheck.start_period", "StartPeriod", defaults.start_period.count());
    check("healthcheck.start_interval", "StartInterval", defaults.start_interval.count());
    check("healthcheck.retries", "Retries", defaults.retries);
  }

  static Texts bindings(const Json& ports) {
    Texts result;
    if (!ports.is_object()) return result;
    for (const auto& [port, list] : ports.items()) {
      for (const Json& binding : list.is_array() ? list : Json::array()) {
        const std::string ip = text_of(member(binding, "HostIp"));
        result.push_back((ip.empty() ? "" : ip + ":") + text_of(member(binding, "HostPort")) + ":" + port);
      }
    }
    return result;
  }

  void compare_ports() {
    compare_set("ports", bindings(member(host_, "PortBindings")), bindings(member(actual_host_, "PortBindings")));
    Texts exposed = image_.exposed_ports;
    for (const auto& [port, nothing] : named(member(body_, "ExposedPorts"))) exposed.push_back(port.find('/') == std::string::npos ? port + "/tcp" : port);
    Texts actual;
    for (const auto& [port, nothing] : named(member(config_, "ExposedPorts"))) actual.push_back(port);
    for (const auto& [port, nothing] : named(member(host_, "PortBindings"))) exposed.push_back(port);
    // A range is one word in a body and many at the engine.
    const bool has_range = std::any_of(exposed.begin(), exposed.end(), [](const std::string& port) { return port.find('-') != std::string::npos; });
    if (!has_range) compare_set("expose", std::move(exposed), std::move(actual));
  }

  // "volume:data:/data:rw". Anonymous volumes have no name here, and none is looked for where the image declares one: whether a container
  // got its own or goes on with an earlier one's depends on how it was made.
  Texts mount_texts(const Json& mounts) const {
    Texts result;
    for (const Json& mount : mounts.is_array() ? mounts : Json::array()) {
      const std::string type = text_of(member(mount, "Type")), target = text_of(member(mount, "Target"));
      std::string source = text_of(member(mount, "Source"));
      if (type == "volume" && engine::is_anonymous_name(source)) source.clear();
      if (source.empty() && std::find(image_.volumes.begin(), image_.volumes.end(), target) != image_.volumes.end()) continue;
      const bool is_read_only = member(mount, "ReadOnly") == Json(true);
      result.push_back(type + ":" + source + ":" + target + (is_read_only ? ":ro" : ":rw"));
    }
    return result;
  }

  void compare_mounts() {
    Texts expected = mount_texts(member(host_, "Mounts")), actual = mount_texts(member(actual_host_, "Mounts"));
    for (const std::string& bind : texts(member(host_, "Binds"))) expected.push_back(mount_of_bind(bind));
    for (const std::string& bind : texts(member(actual_host_, "Binds"))) actual.push_back(mount_of_bind(bind));
    compare_set("volumes", std::move(expected), std::move(actual));
    compare_named("tmpfs", named(member(host_, "Tmpfs")), named(member(actual_host_, "Tmpfs")));
  }

  void compare_host_lists() {
    compare_list("dns", texts(member(host_, "Dns")), texts(member(actual_host_, "Dns")));
    compare_list("dns_search", texts(member(host_, "DnsSearch")), texts(member(actual_host_, "DnsSearch")));
    compare_set("dns_opt", texts(member(host_, "DnsOptions")), texts(member(actual_host_, "DnsOptions")));
    compare_set("extra_hosts", texts(member(host_, "ExtraHosts")), texts(member(actual_host_, "ExtraHosts")));
    compare_set("group_add", texts(member(host_, "GroupAdd")), texts(member(actual_host_, "GroupAdd")));
    compare_set("volumes_from", texts(member(host_, "VolumesFrom")), texts(member(actual_host_, "VolumesFrom")));
    compare_named("sysctls", named(member(host_, "Sysctls")), named(member(actual_host_, "Sysctls")));
    compare_restart();
    compare_logging();
  }

  void compare_restart() {
    const auto policy = [](const Json& host) {
      const Json& value = member(host, "RestartPolicy");
      const std::string name = text_of(member(value, "Name"));
      const std::string count = text_of(member(value, "MaximumRetryCount"));
      return (name.empty() ? "no" : name) + (count.empty() || count == "0" ? "" : ":" + count);
    };
    compare("restart", policy(host_), policy(actual_host_));
  }

  void compare_logging() {
    const Json& own = member(host_, "LogConfig");
    if (own.is_null()) return;
    const Json& actual = member(actual_host_, "LogConfig");
    if (!member(own, "Type").is_null()) compare("logging.driver", text_of(member(own, "Type")), text_of(member(actual, "Type")));
    if (!member(own, "Config").is_null()) compare_named("logging.options", named(member(own, "Config")), named(member(actual, "Config")), true);
  }

  static Texts full_capabilities(const Json& list) {
    Texts names = texts(list);
    for (std::string& name : names)
      if (name != "ALL" && !name.starts_with("CAP_")) name = "CAP_" + name;
    return names;
  }

  void compare_security() {
    compare_set("cap_add", full_capabilities(member(host_, "CapAdd")), full_capabilities(member(actual_host_, "CapAdd")));
    compare_set("cap_drop", full_capabilities(member(host_, "CapDrop")), full_capabilities(member(actual_host_, "CapDrop")));
    const Texts options = sorted(texts(member(host_, "SecurityOpt")));
    Texts actual_options = texts(member(actual_host_, "SecurityOpt"));
    // The engine adds it to containers that are privileged or share the host's processes.
    std::erase_if(actual_options, [&](const std::string& option) { return option == "label=disable" && !std::binary_search(options.begin(), options.end(), option); });
    compare_set("security_opt", options, std::move(actual_options));
    compare_value("privileged", "Privileged");
    compare_value("read_only", "ReadonlyRootfs");
    for (const auto& [path, key] : std::initializer_list<std::pair<const char*, const char*>>{
             {"init", "Init"}, {"ipc", "IpcMode"}, {"pid", "PidMode"}, {"uts", "UTSMode"}, {"userns_mode", "UsernsMode"}, {"cgroup", "CgroupnsMode"},
             {"cgroup_parent", "CgroupParent"}, {"runtime", "Runtime"}, {"isolation", "Isolation"}, {"network_mode", "NetworkMode"}}) {
      compare_given(path, key);
    }
  }

  void compare_limits() {
    for (const auto& [path, key] : std::initializer_list<std::pair<const char*, const char*>>{
             {"mem_limit", "Memory"}, {"mem_reservation", "MemoryReservation"}, {"cpus", "NanoCpus"}, {"cpu_shares", "CpuShares"}, {"cpu_period", "CpuPeriod"},
             {"cpu_quota", "CpuQuota"}, {"cpuset", "CpusetCpus"}, {"oom_score_adj", "OomScoreAdj"}, {"oom_kill_disable", "OomKillDisable"},
             {"pids_limit", "PidsLimit"}, {"blkio_config.weight", "BlkioWeight"}}) {
      compare_value(path, key);
    }
    // Without a word of ours the engine allows as much swap as memory; without a limit of memory it allows any.
    compare_given("memswap_limit", "MemorySwap");
    compare_given("mem_swappiness", "MemorySwappiness");
    compare_given("shm_size", "ShmSize");
    const auto ulimits = [](const Json& list) {
      Texts result;
      for (const Json& limit : list.is_array() ? list : Json::array())
        result.push_back(text_of(member(limit, "Name")) + "=" + text_of(member(limit, "Soft")) + ":" + text_of(member(limit, "Hard")));
      return result;
    };
    if (!member(host_, "Ulimits").is_null()) compare_set("ulimits", ulimits(member(host_, "Ulimits")), ulimits(member(actual_host_, "Ulimits")));
    const auto devices = [](const Json& list) {
      Texts result;
      for (const Json& device : list.is_array() ? list : Json::array())
        result.push_back(text_of(member(device, "PathOnHost")) + ":" + text_of(member(device, "PathInContainer")) + ":" + text_of(member(device, "CgroupPermissions")));
      return result;
    };
    compare_set("devices", devices(member(host_, "Devices")), devices(member(actual_host_, "Devices")));
    compare_set("device_cgroup_rules", texts(member(host_, "DeviceCgroupRules")), texts(member(actual_host_, "DeviceCgroupRules")));
  }

  const Json& body_;
  const Json& host_;
  const engine::ContainerConfig& image_;
  const engine::ContainerDetails& details_;
  const Json& config_;
  const Json& actual_host_;
  std::vector<Difference> differences_;
};

}  // namespace

std::vector<Difference> find_differences(const CreateBody& expected, const engine::ContainerConfig& image, const engine::ContainerDetails& actual,
                                         const std::vector<engine::Network>& networks) {
  std::vector<Difference> differences = Comparison(*expected.body, image, actual).run();
  for (Difference& difference : find_network_differences(expected, actual, networks)) differences.push_back(std::move(difference));
  std::sort(differences.begin(), differences.end(), [](const Difference& a, const Difference& b) { return a.path < b.path; });
  return differences;
}

std::string to_text(const Difference& difference) {
  if (difference.actual.empty()) return difference.path + ": " + difference.expected + " is missing";
  if (difference.expected.empty()) return difference.path + ": " + difference.actual + " should not be there";
  return difference.path + ": " + difference.actual + " instead of " + difference.expected;
}

}  // namespace drover::compose
