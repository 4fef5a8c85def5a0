// Files of a container, running or not: in and out as tar archives, what a path is, what changed, all of them.
//
// Archives travel in pieces and are never whole in memory. Thread rule and errors are the Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/timestamp.h"
#include "net/transport.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

struct PathStat {
  std::string name;                    // the last part of the path
  std::int64_t size_bytes = 0;
  std::uint32_t mode = 0;              // Go's os.FileMode: permissions below, kinds in the upper bits
  std::optional<Timestamp> modified = {};
  std::string link_target = {};        // of a symbolic link

  bool is_directory() const { return (mode & 0x80000000U) != 0; }
  bool is_link() const { return (mode & 0x08000000U) != 0; }
};

// HEAD /containers/{id}/archive; nothing when the container or the path in it does not exist.
std::optional<PathStat> find_container_path(const Context& ctx, Client& client, std::string_view container,
                                            std::string_view path);
// GET /containers/{id}/archive: the file or folder as a plain tar, its entries below the path's last part. A volume's content is
// read by its mount point. What the engine cannot read any more half-way through ends the answer early: network.
PathStat read_container_files(const Context& ctx, Client& client, std::string_view container, std::string_view path,
                              const Client::ByteSink& on_bytes);

struct WriteFilesOptions {
  bool may_replace_kind = true;  // a folder by a file and the other way round
  bool belongs_to_user = false;  // the user that the container's configuration names owns all (copyUIDGID); else as the archive says
};

// PUT /containers/{id}/archive: unpacks a tar (plain, gzip, bzip2, xz) into `folder`, which must exist. not_found for container
// or folder; EngineFailure with status 403 when the volume or root file system is read-only.
void write_container_files(const Context& ctx, Client& client, std::string_view container, std::string_view folder,
                           const net::BodySource& tar, const WriteFilesOptions& options = {});
// GET /containers/{id}/export: the whole root file system as a plain tar, without volumes.
void export_container(const Context& ctx, Client& client, std::string_view container, const Client::ByteSink& on_bytes);

struct FileChange {
  enum class Kind { modified, added, removed };
  Kind kind = Kind::modified;
  std::string path;
};

// GET /containers/{id}/changes: against the image.
std::vector<FileChange> list_container_changes(const Context& ctx, Client& client, std::string_view container);

// Pure. The header X-Docker-Container-Path-Stat: base64 of JSON; nothing when it is not that.
std::optional<PathStat> parse_path_stat(std::string_view header);
std::vector<FileChange> parse_container_changes(const nlohmann::json& answer);

}  // namespace drover::engine
