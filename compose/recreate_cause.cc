#include "base/text.h"
#include "compose/divergence.h"
#include "compose/labels.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace drover::compose {
namespace {

using Json = nlohmann::json;
using engine::ContainerDetails;

constexpr std::size_t named_paths_max = 3;

// Who fills in a member that the model leaves open; then nothing is said of what is there.
enum class Default { none, image, engine };

// A member of the create body and the key of the compose file that it comes from.
struct Row {
  const char* member;
  std::string_view key;
  Default filled = Default::none;
};

constexpr Row config_rows[] = {{"Cmd", "command", Default::image},
                               {"Entrypoint", "entrypoint", Default::image},
                               {"User", "user", Default::image},
                               {"WorkingDir", "working_dir", Default::image},
                               {"Hostname", "hostname", Default::engine},
                               {"Domainname", "domainname"},
                               {"Tty", "tty"},
                               {"OpenStdin", "stdin_open"},
                               {"Healthcheck", "healthcheck", Default::image},
                               {"StopSignal", "stop_signal", Default::image},
                               {"StopTimeout", "stop_grace_period", Default::image}};

constexpr Row host_rows[] = {{"Binds", "volumes"},
                             {"Mounts", "volumes"},
                             {"Tmpfs", "tmpfs"},
                             {"PortBindings", "ports"},
                             {"NetworkMode", "networks", Default::engine},
                             {"RestartPolicy", "restart", Default::engine},
                             {"Privileged", "privileged"},
                             {"ReadonlyRootfs", "read_only"},
                             {"CapAdd", "cap_add"},
                             {"CapDrop", "cap_drop"},
                             {"SecurityOpt", "security_opt", Default::engine},
                             {"GroupAdd", "group_add"},
                             {"Dns", "dns"},
                             {"DnsOptions", "dns_opt"},
                             {"DnsSearch", "dns_search"},
                             {"ExtraHosts", "extra_hosts"},
                             {"Init", "init", Default::engine},
                             {"IpcMode", "ipc", Default::engine},
                             {"PidMode", "pid"},
                             {"UTSMode", "uts"},
                             {"UsernsMode", "userns_mode"},
                             {"CgroupnsMode", "cgroup", Default::engine},
                             {"CgroupParent", "cgroup_parent"},
                             {"VolumesFrom", "volumes_from"},
                             {"Links", "links"},
                             {"LogConfig", "logging", Default::engine},
                             {"Runtime", "runtime", Default::engine},
                             {"ShmSize", "shm_size", Default::engine},
                             {"Sysctls", "sysctls"},
                             {"Ulimits", "ulimits", Default::engine},
                             {"Devices", "devices"},
                             {"DeviceRequests", "gpus"},
                             {"Memory", "mem_limit"},
                             {"MemorySwap", "memswap_limit", Default::engine},
                             {"MemoryReservation", "mem_reservation"},
                             {"NanoCpus", "cpus"},
                             {"CpuShares", "cpu_shares"},
                             {"CpusetCpus", "cpuset"},
                             {"PidsLimit", "pids_limit", Default::engine},
                             {"OomScoreAdj", "oom_score_adj"}};

bool is_nothing(const Json& value) {
  if (value.is_null() || value == "" || value == false) return true;
  if (value.is_number()) return value == 0;
  return value.is_structured() && std::all_of(value.begin(), value.end(), is_nothing);
}

// Without what says nothing; lists sorted, since their order means nothing or is covered by the hash.
Json settled(const Json& value) {
  if (!value.is_structured()) return value;
  Json result = value.is_array() ? Json::array() : Json::object();
  if (value.is_array()) {
    for (const Json& item : value) result.push_back(settled(item));
    std::sort(result.begin(), result.end());
  } else {
    for (const auto& [key, member] : value.items())
      if (!is_nothing(member)) result[key] = settled(member);
  }
  return result;
}

const Json& member_of(const Json& object, const char* name) {
  static const Json nothing;
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member == object.end() ? nothing : *member;
}

void compare(std::vector<std::string>& paths, const Json& was, const Json& will, std::span<const Row> rows) {
  for (const Row& row : rows) {
    const Json& old_value = member_of(was, row.member);
    const Json& new_value = member_of(will, row.member);
    if (is_nothing(new_value) && (is_nothing(old_value) || row.filled != Default::none)) continue;
    const bool is_same = is_nothing(new_value) == is_nothing(old_value) && settled(old_value) == settled(new_value);
    if (!is_same && (paths.empty() || paths.back() != row.key)) paths.emplace_back(row.key);
  }
}

// "NAME=value" lines by name.
TextMap variables(const std::vector<std::string>& lines) {
  TextMap variables;
  for (const std::string& line : lines) {
    const std::size_t equals = line.find('=');
    variables[line.substr(0, equals)] = equals == std::string::npos ? "" : line.substr(equals + 1);
  }
  return variables;
}

// Keys whose values differ; what the image sets and the model leaves open is the image's affair.
void compare(
    std::vector<std::string>& paths, const std::string& key, const TextMap& was, const TextMap& will, const TextMap& of_image) {
  for (const auto& [name, value] : will) {
    const auto old = was.find(name);
    if (old == was.end() || old->second != value) paths.push_back(key + "." + name);
  }
  for (const auto& [name, value] : was) {
    const auto given = of_image.find(name);
    if (!will.contains(name) && (given == of_image.end() || given->second != value)) paths.push_back(key + "." + name);
  }
}

TextMap without_compose(TextMap labels) {
  std::erase_if(labels, [](const auto& label) { return label.first.starts_with("com.docker.compose."); });
  return labels;
}

void compare_networks(std::vector<std::string>& paths, const ContainerDetails& container, const Json& body) {
  const Json& endpoints = member_of(member_of(body, "NetworkingConfig"), "EndpointsConfig");
  if (!endpoints.is_object()) return;
  for (const auto& [name, asked] : endpoints.items()) {
    const auto found = container.network_settings.networks.find(name);
    if (found == container.network_settings.networks.end()) {
      paths.push_back("networks");
      return;
    }
    const engine::EndpointSettings will = engine::parse_endpoint_settings(asked);
    const engine::EndpointSettings& was = found->second;
    const bool has_aliases = std::all_of(will.aliases.begin(), will.aliases.end(), [&](const std::string& alias) {
      return std::find(was.aliases.begin(), was.aliases.end(), alias) != was.aliases.end();
    });
    if (has_aliases && was.ipam.ipv4_address == will.ipam.ipv4_address && was.ipam.ipv6_address == will.ipam.ipv6_address)
      continue;
    paths.push_back("networks." + name);
  }
}

std::vector<std::string>
differing_paths(const Situation& situation, const Service& service, const ContainerDetails& container, const Json& body) {
  std::vector<std::string> paths;
  if (!container.raw) return paths;
  const Json& was = *container.raw;
  const auto facts = situation.state.images.find(image_of(*situation.project, service));
  const engine::ContainerConfig image = facts == situation.state.images.end() ? engine::ContainerConfig() : facts->second.config;
  compare(paths,
          "environment",
          variables(container.config.env),
          variables(body.value("Env", std::vector<std::string>())),
          variables(image.env));
  compare(paths, member_of(was, "Config"), body, config_rows);
  compare(paths, member_of(was, "HostConfig"), member_of(body, "HostConfig"), host_rows);
  compare_networks(paths, container, body);
  compare(
      paths, "labels", without_compose(container.config.labels), without_compose(body.value("Labels", TextMap())), image.labels);
  return paths;
}

std::string
hash_cause(const Situation& situation, const Service& service, const ContainerDetails& container, const CreateBody& body) {
  const std::string path = "services." + service.name + ".";
  const std::string image = image_of(*situation.project, service);
  if (!container.config.image.empty() && container.config.image != image)
    return path + "image: " + container.config.image + " -> " + image;
  std::vector<std::string> paths = differing_paths(situation, service, container, *body.body);
  if (paths.empty()) return "services." + service.name + ": config hash";
  const std::size_t more = paths.size() > named_paths_max ? paths.size() - named_paths_max : 0;
  paths.resize(paths.size() - more);
  return path + join(paths, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace

std::string recreate_cause(const Situation& situation,
                           const Service& service,
                           const ContainerDetails& container,
                           const Judged& judged,
                           const CreateBody& body) {
  switch (judged.divergence) {
  case Divergence::none:
    return {};
  case Divergence::dead:
    return "the old container is dead";
  case Divergence::image: {
    const std::string image = image_of(*situation.project, service);
    const auto facts = situation.state.images.find(image);
    return "image " + image + " is now " +
           (facts == situation.state.images.end() ? "another"
                                                  : facts->second.id.substr(0, std::string_view("sha256:").size() + 12));
  }
  case Divergence::hash:
    return hash_cause(situation, service, container, body);
  case Divergence::network:
    return "services." + service.name + ".networks: not in " + judged.what;
  case Divergence::volume:
    return "services." + service.name + ".volumes: " + judged.what + " is not mounted";
  }
  return {};
}

}  // namespace drover::compose
