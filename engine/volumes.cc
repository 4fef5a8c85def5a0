#include "engine/volumes.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::engine {
namespace {

// Earlier engines prune named volumes too, and cannot be told otherwise.
constexpr ApiVersion anonymous_prune_api{1, 42};

}  // namespace

bool is_anonymous_name(std::string_view name) {
  constexpr std::size_t id_digits = 64;
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  return name.size() == id_digits && std::all_of(name.begin(), name.end(), is_hex);
}

bool Volume::is_anonymous() const {
  return labels.contains("com.docker.volume.anonymous") || (labels.empty() && is_anonymous_name(name));
}

std::optional<Volume> parse_volume(const nlohmann::json& volume) {
  Volume out{.name = text_member(volume, "Name")};
  if (out.name.empty()) return std::nullopt;
  out.driver = text_member(volume, "Driver");
  out.scope = text_member(volume, "Scope");
  out.mountpoint = text_member(volume, "Mountpoint");
  out.created = time_member(volume, "CreatedAt");
  out.labels = map_member(volume, "Labels");
  out.options = map_member(volume, "Options");
  // -1: not measured.
  const nlohmann::json& usage = member(volume, "UsageData");
  if (const auto size = find_number_member(usage, "Size"); size && *size >= 0) out.size_bytes = size;
  if (const auto count = find_number_member(usage, "RefCount"); count && *count >= 0) out.containers = count;
  return out;
}

std::vector<Volume> parse_volume_list(const nlohmann::json& answer) {
  std::vector<Volume> volumes;
  for (const nlohmann::json& entry : items_member(answer, "Volumes")) {
    if (auto volume = parse_volume(entry)) volumes.push_back(std::move(*volume));
  }
  return volumes;
}

std::vector<Volume> list_volumes(const Context& ctx, Client& client, const Filters& filters) {
  return parse_volume_list(client.get(ctx, Query("/volumes").filters(filters).path()));
}

std::optional<Volume> find_volume(const Context& ctx, Client& client, std::string_view name) {
  return parse_volume(client.find(ctx, object_path("volumes", name)));
}

Volume create_volume(const Context& ctx, Client& client, const VolumeRequest& request) {
  nlohmann::json body = nlohmann::json::object();
  if (!request.name.empty()) body["Name"] = request.name;
  if (!request.driver.empty()) body["Driver"] = request.driver;
  if (!request.options.empty()) body["DriverOpts"] = request.options;
  if (!request.labels.empty()) body["Labels"] = request.labels;
  auto volume = parse_volume(client.post(ctx, "/volumes/create", body));
  if (!volume) throw Error(ErrorCode::engine, "POST /volumes/create: the engine did not name the volume that it made");
  return std::move(*volume);
}

void remove_volume(const Context& ctx, Client& client, std::string_view name, const RemoveVolumeOptions& options) {
  client.remove(ctx, Query(object_path("volumes", name)).flag("force", options.force).path());
}

PrunedVolumes prune_anonymous_volumes(const Context& ctx, Client& client, const Filters& filters) {
  if (filters.contains("all")) {
    throw Error(ErrorCode::data_safety, "pruning volumes with the filter 'all' would remove named ones with their data");
  }
  client.require(ctx, anonymous_prune_api, "pruning anonymous volumes alone");
  const nlohmann::json answer = client.post(ctx, Query("/volumes/prune").filters(filters).path(), nullptr, long_work_silence_max);
  return {texts_member(answer, "VolumesDeleted"), number_member(answer, "SpaceReclaimed")};
}

}  // namespace drover::engine
