#include "engine/container_files.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/json_fields.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr std::string_view stat_header = "X-Docker-Container-Path-Stat";
// The engine reads or unpacks without a word meanwhile.
constexpr std::chrono::minutes archive_silence_max{10};

std::string archive_path(std::string_view container, std::string_view path) {
  return Query(object_path("containers", container, "archive")).set("path", path).path();
}

std::optional<PathStat> stat_of(const net::ResponseHead& head) {
  const auto header = head.headers.find(stat_header);
  return header ? parse_path_stat(*header) : std::nullopt;
}

}  // namespace

std::optional<PathStat> parse_path_stat(std::string_view header) {
  const std::optional<std::string> text = decode_base64(trim(header));
  if (!text) return std::nullopt;
  const nlohmann::json stat = nlohmann::json::parse(*text, nullptr, false);
  if (!stat.is_object()) return std::nullopt;
  return PathStat{.name = text_member(stat, "name"),
                  .size_bytes = number_member(stat, "size"),
                  .mode = static_cast<std::uint32_t>(number_member(stat, "mode")),
                  .modified = time_member(stat, "mtime"),
                  .link_target = text_member(stat, "linkTarget")};
}

std::vector<FileChange> parse_container_changes(const nlohmann::json& answer) {
  std::vector<FileChange> changes;
  if (!answer.is_array()) return changes;  // null when there are none
  for (const nlohmann::json& change : answer) {
    const std::int64_t kind = find_number_member(change, "Kind").value_or(-1);
    if (kind < 0 || kind > 2) continue;
    changes.push_back({static_cast<FileChange::Kind>(kind), text_member(change, "Path")});
  }
  return changes;
}

std::optional<PathStat> find_container_path(const Context& ctx, Client& client, std::string_view container,
                                            std::string_view path) {
  try {
    return stat_of(client.head(ctx, archive_path(container, path)));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

PathStat read_container_files(const Context& ctx, Client& client, std::string_view container, std::string_view path,
                              const Client::ByteSink& on_bytes) {
  const Client::Call call{.path = archive_path(container, path), .silence_max = archive_silence_max};
  return stat_of(client.exchange(ctx, call, on_bytes)).value_or(PathStat{});
}

void write_container_files(const Context& ctx, Client& client, std::string_view container, std::string_view folder,
                           const net::BodySource& tar, const WriteFilesOptions& options) {
  Query query(object_path("containers", container, "archive"));
  query.set("path", folder).flag("noOverwriteDirNonDir", !options.may_replace_kind).flag("copyUIDGID", options.belongs_to_user);
  client.exchange(ctx, {.method = "PUT",
                        .path = query.path(),
                        .source = tar,
                        .content_type = "application/x-tar",
                        .silence_max = archive_silence_max});
}

void export_container(const Context& ctx, Client& client, std::string_view container, const Client::ByteSink& on_bytes) {
  client.exchange(ctx, {.path = object_path("containers", container, "export"), .silence_max = archive_silence_max}, on_bytes);
}

std::vector<FileChange> list_container_changes(const Context& ctx, Client& client, std::string_view container) {
  return parse_container_changes(client.get(ctx, object_path("containers", container, "changes")));
}

}  // namespace drover::engine
