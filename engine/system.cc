#include "engine/system.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/engine_failure.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {

EngineVersion parse_version(const nlohmann::json& answer) {
  EngineVersion out;
  out.version = text_member(answer, "Version");
  Platform platform;
  platform.os = text_member(answer, "Os");
  platform.architecture = text_member(answer, "Arch");
  const Platform host = Platform::host();
  if (platform.os.empty()) platform.os = host.os;
  if (platform.architecture.empty()) platform.architecture = host.architecture;
  out.platform = normalise(platform);
  out.api_version = text_member(answer, "ApiVersion");
  out.min_api_version = text_member(answer, "MinAPIVersion");
  out.git_commit = text_member(answer, "GitCommit");
  out.kernel_version = text_member(answer, "KernelVersion");
  for (const nlohmann::json& component : items_member(answer, "Components")) {
    if (std::string name = text_member(component, "Name"); !name.empty())
      out.components[name] = text_member(component, "Version");
  }
  return out;
}

EngineInfo parse_info(const nlohmann::json& answer) {
  EngineInfo out;
  out.architecture = text_member(answer, "Architecture");
  out.root_folder = text_member(answer, "DockerRootDir");
  out.id = text_member(answer, "ID");
  out.name = text_member(answer, "Name");
  out.storage_driver = text_member(answer, "Driver");
  out.kernel_version = text_member(answer, "KernelVersion");
  out.operating_system = text_member(answer, "OperatingSystem");
  out.cgroup_driver = text_member(answer, "CgroupDriver");
  out.cgroup_version = text_member(answer, "CgroupVersion");
  out.swarm_state = text_member(member(answer, "Swarm"), "LocalNodeState");
  out.containerd_socket = text_member(member(answer, "Containerd"), "Address");
  out.warnings = texts_member(answer, "Warnings");
  out.security_options = texts_member(answer, "SecurityOptions");
  out.containers = number_member(answer, "Containers");
  out.containers_running = number_member(answer, "ContainersRunning");
  out.images = number_member(answer, "Images");
  out.cpus = number_member(answer, "NCPU");
  out.memory_bytes = number_member(answer, "MemTotal");
  out.is_live_restore = flag_member(answer, "LiveRestoreEnabled");
  const nlohmann::json& rows = member(answer, "DriverStatus");
  if (!rows.is_array()) return out;
  for (const nlohmann::json& row : rows) {
    if (row.is_array() && row.size() == 2 && row[0] == "driver-type" && row[1] == "io.containerd.snapshotter.v1") {
      out.store = StoreKind::containerd;
    }
  }
  return out;
}

EnginePing ping(const Context& ctx, Client& client) {
  const net::ResponseHead head = client.exchange(ctx, {.path = "/_ping"});
  const auto text = [&](std::string_view name) { return std::string(trim(head.headers.find(name).value_or(""))); };
  return {.api_version = text("Api-Version"),
          .os = text("Ostype"),
          .builder_version = text("Builder-Version"),
          .swarm = text("Swarm"),
          .is_experimental = text("Docker-Experimental") == "true"};
}

LoginResult check_login(const Context& ctx, Client& client, const RegistryLogin& login) {
  try {
    const nlohmann::json answer = client.post(ctx, "/auth", to_json(login));
    return {text_member(answer, "Status"), text_member(answer, "IdentityToken")};
  } catch (const EngineFailure& failure) {
    // 20.10 answers 500 and quotes the registry.
    const bool is_refused =
        failure.status == 401 || std::string_view(failure.what()).find("401 Unauthorized") != std::string_view::npos;
    if (!is_refused) throw;
    throw Error(ErrorCode::authentication,
                "the registry " + printable(login.server_address, 120) + " refuses the login: " + failure.what());
  }
}

EngineVersion read_version(const Context& ctx, Client& client) { return parse_version(client.get(ctx, "/version")); }

EngineInfo read_info(const Context& ctx, Client& client) { return parse_info(client.get(ctx, "/info")); }

}  // namespace drover::engine
