// Volumes of an engine: list, inspect, create, remove, prune. Thread rule and errors are the Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/query.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

// 64 hex digits, as engines name volumes that were made without a name.
bool is_anonymous_name(std::string_view name);

struct Volume {
  std::string name;
  std::string driver = {};
  std::string scope = {};
  std::string mountpoint = {};               // on the engine's machine
  std::optional<Timestamp> created = {};
  std::map<std::string, std::string> labels = {};
  std::map<std::string, std::string> options = {};
  // From GET /system/df alone, which walks every volume's files.
  std::optional<std::int64_t> size_bytes = {};
  std::optional<std::int64_t> containers = {};  // that refer to it, in any state

  // Made without a name: label com.docker.volume.anonymous (API 1.42), or 64 hex digits and no label (before).
  bool is_anonymous() const;
};

struct VolumeRequest {
  std::string name = {};  // empty: the engine makes an anonymous one
  std::string driver = {};
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> labels = {};
};

// GET /volumes.
std::vector<Volume> list_volumes(const Context& ctx, Client& client, const Filters& filters = {});
// GET /volumes/{name}; nothing when there is none.
std::optional<Volume> find_volume(const Context& ctx, Client& client, std::string_view name);
// POST /volumes/create. One of that name that is there already is the answer, whatever its labels and options are.
Volume create_volume(const Context& ctx, Client& client, const VolumeRequest& request);

struct RemoveVolumeOptions {
  bool force = false;  // of the volume driver's failures; a volume in use stays (409) all the same
};

// DELETE /volumes/{name}; a conflict (EngineFailure::is_conflict) while any container refers to it.
void remove_volume(const Context& ctx, Client& client, std::string_view name, const RemoveVolumeOptions& options = {});

struct PrunedVolumes {
  std::vector<std::string> names = {};
  std::int64_t reclaimed_bytes = 0;
};

// POST /volumes/prune, API 1.42 at least: below it takes named volumes with their data as well, so those engines are refused;
// and so is the filter `all`, which asks for the same (data_safety).
PrunedVolumes prune_anonymous_volumes(const Context& ctx, Client& client, const Filters& filters = {});

// Pure; absent and null members are fine.
std::vector<Volume> parse_volume_list(const nlohmann::json& answer);
std::optional<Volume> parse_volume(const nlohmann::json& volume);

}  // namespace drover::engine
