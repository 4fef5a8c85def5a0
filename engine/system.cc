#include "engine/system.h"

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
  return out;
}

EngineInfo parse_info(const nlohmann::json& answer) {
  EngineInfo out;
  out.architecture = text_member(answer, "Architecture");
  out.root_folder = text_member(answer, "DockerRootDir");
  const nlohmann::json& rows = member(answer, "DriverStatus");
  if (!rows.is_array()) return out;
  for (const nlohmann::json& row : rows) {
    if (row.is_array() && row.size() == 2 && row[0] == "driver-type" && row[1] == "io.containerd.snapshotter.v1") {
      out.store = StoreKind::containerd;
    }
  }
  return out;
}

EngineVersion read_version(const Context& ctx, Client& client) { return parse_version(client.get(ctx, "/version")); }

EngineInfo read_info(const Context& ctx, Client& client) { return parse_info(client.get(ctx, "/info")); }

}  // namespace drover::engine
