#include "engine/container_details.h"

#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

std::optional<Health> parse_health(const nlohmann::json& health) {
  if (!health.is_object()) return std::nullopt;
  Health out{.status = text_member(health, "Status"), .failing_streak = number_member(health, "FailingStreak"), .log = {}};
  for (const nlohmann::json& probe : items_member(health, "Log")) {
    out.log.push_back({.start = time_member(probe, "Start"),
                       .end = time_member(probe, "End"),
                       .exit_code = number_member(probe, "ExitCode"),
                       .output = text_member(probe, "Output")});
  }
  return out;
}

ContainerState parse_state(const nlohmann::json& state) {
  return {.status = text_member(state, "Status"),
          .is_running = flag_member(state, "Running"),
          .is_paused = flag_member(state, "Paused"),
          .is_restarting = flag_member(state, "Restarting"),
          .is_oom_killed = flag_member(state, "OOMKilled"),
          .is_dead = flag_member(state, "Dead"),
          .pid = number_member(state, "Pid"),
          .exit_code = number_member(state, "ExitCode"),
          .error = text_member(state, "Error"),
          .started = time_member(state, "StartedAt"),
          .finished = time_member(state, "FinishedAt"),
          .health = parse_health(member(state, "Health"))};
}

}  // namespace

std::vector<Mount> parse_mounts(const nlohmann::json& mounts) {
  std::vector<Mount> out;
  if (!mounts.is_array()) return out;
  for (const nlohmann::json& mount : mounts) {
    out.push_back({.type = text_member(mount, "Type"),
                   .name = text_member(mount, "Name"),
                   .source = text_member(mount, "Source"),
                   .target = text_member(mount, "Destination"),
                   .driver = text_member(mount, "Driver"),
                   .mode = text_member(mount, "Mode"),
                   .propagation = text_member(mount, "Propagation"),
                   .is_writable = flag_member(mount, "RW")});
  }
  return out;
}

std::map<std::string, EndpointSettings> parse_endpoints(const nlohmann::json& networks) {
  std::map<std::string, EndpointSettings> out;
  if (!networks.is_object()) return out;
  for (const auto& [name, endpoint] : networks.items()) out.emplace(name, parse_endpoint_settings(endpoint));
  return out;
}

std::optional<ContainerDetails> parse_container_details(const nlohmann::json& answer) {
  ContainerDetails out{.id = text_member(answer, "Id")};
  if (out.id.empty()) return std::nullopt;
  out.name = text_member(answer, "Name");
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  out.created = time_member(answer, "Created");
  out.path = text_member(answer, "Path");
  out.args = texts_member(answer, "Args");
  out.image_id = digest_member(answer, "Image");
  out.image_manifest = digest_member(member(answer, "ImageManifestDescriptor"), "digest");
  out.platform = text_member(answer, "Platform");
  out.driver = text_member(answer, "Driver");
  out.restart_count = number_member(answer, "RestartCount");
  out.state = parse_state(member(answer, "State"));
  out.config = parse_container_config(member(answer, "Config"));
  out.host_config = parse_host_config(member(answer, "HostConfig"));
  out.mounts = parse_mounts(member(answer, "Mounts"));
  const nlohmann::json& network = member(answer, "NetworkSettings");
  out.network_settings = {parse_endpoints(member(network, "Networks")), parse_port_bindings(member(network, "Ports"))};
  out.size_rw_bytes = find_number_member(answer, "SizeRw");
  out.size_root_fs_bytes = find_number_member(answer, "SizeRootFs");
  out.raw = std::make_shared<const nlohmann::json>(answer);
  return out;
}

}  // namespace drover::engine
