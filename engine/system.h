// What kind of engine this is, and whether a registry takes a login: ping, version, info, auth. Thread rule and errors are the
// Client's.
//
// What else belongs to the system has a header of its own: disk_usage.h, events.h.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "engine/registry_login.h"
#include "manifest/platform.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drover::engine {

struct EngineVersion {
  std::string version;  // "20.10.24"
  Platform platform;    // normalised
  std::string api_version = {};      // the newest it speaks
  std::string min_api_version = {};  // the oldest
  std::string git_commit = {};
  std::string kernel_version = {};
  std::map<std::string, std::string> components = {};  // {"containerd", "1.6.20"}, ...
};

struct EngineInfo {
  StoreKind store = StoreKind::classic;
  std::string architecture;  // as uname says: "x86_64", "armv7l"
  std::string root_folder;   // where the engine keeps its data, on its own machine: "/var/lib/docker"
  std::string id = {};       // of this engine, kept over restarts
  std::string name = {};     // of its machine
  std::string storage_driver = {};   // "overlay2", "overlayfs"
  std::string kernel_version = {};
  std::string operating_system = {};
  std::string cgroup_driver = {};
  std::string cgroup_version = {};
  std::string swarm_state = {};      // "inactive", "active", ...
  std::string containerd_socket = {};  // API 1.46
  std::vector<std::string> warnings = {};
  std::vector<std::string> security_options = {};
  std::int64_t containers = 0;
  std::int64_t containers_running = 0;
  std::int64_t images = 0;
  std::int64_t cpus = 0;
  std::int64_t memory_bytes = 0;
  bool is_live_restore = false;      // containers outlive the engine's restart
};

// What GET /_ping tells in its headers. An engine that answers is up.
struct EnginePing {
  std::string api_version = {};
  std::string os = {};               // "linux"
  std::string builder_version = {};  // "2": BuildKit
  std::string swarm = {};            // "inactive", "active/manager", ...; API 1.42
  bool is_experimental = false;
};

EnginePing ping(const Context& ctx, Client& client);

EngineVersion read_version(const Context& ctx, Client& client);
EngineInfo read_info(const Context& ctx, Client& client);

struct LoginResult {
  std::string status = {};
  std::string identity_token = {};  // to use in place of the password from now on; may be empty
};

// POST /auth: the engine tries the login at its registry. Throws authentication when the registry refuses it.
LoginResult check_login(const Context& ctx, Client& client, const RegistryLogin& login);

// Pure; absent and null members are fine.
EngineVersion parse_version(const nlohmann::json& answer);
EngineInfo parse_info(const nlohmann::json& answer);

}  // namespace drover::engine
