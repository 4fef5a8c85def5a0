// What kind of engine this is: GET /version and GET /info.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "manifest/platform.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::engine {

struct EngineVersion {
  std::string version;  // "20.10.24"
  Platform platform;    // normalised
};

struct EngineInfo {
  StoreKind store = StoreKind::classic;
  std::string architecture;  // as uname says: "x86_64", "armv7l"
  std::string root_folder;   // where the engine keeps its data, on its own machine: "/var/lib/docker"
};

EngineVersion read_version(const Context& ctx, Client& client);
EngineInfo read_info(const Context& ctx, Client& client);

// Pure; absent and null members are fine.
EngineVersion parse_version(const nlohmann::json& answer);
EngineInfo parse_info(const nlohmann::json& answer);

}  // namespace drover::engine
