// Whole images in and out of an engine by its own means: pull, push, save, load of a ready archive, import of a file system.
//
// For loads that send only what the engine lacks see load.h. Each of these reports progress as the engine tells it and throws
// what the engine says inside a good answer. Thread rule and errors are the Client's.
#pragma once

#include "base/context.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "engine/registry_login.h"
#include "manifest/platform.h"
#include "manifest/reference.h"
#include "net/transport.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

// One line of the engine's report.
struct TransferProgress {
  std::string id = {};      // a layer's short ID, a tag, or nothing
  std::string status = {};  // "Downloading", "Pull complete", "Loaded image: redis:7"
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;  // 0: not told
};
using TransferProgressHandler = std::function<void(const TransferProgress&)>;

struct ImagePull {
  Reference reference;                   // by digest, where it has one
  std::optional<Platform> platform = {};  // API 1.32; nothing: the engine's own
  std::string registry_auth = {};        // to_registry_auth(); empty: none
  std::chrono::milliseconds silence_max{600'000};
};

// POST /images/create. Returns the digest that the engine names at the end.
std::optional<Digest> pull_image(const Context& ctx, Client& client, const ImagePull& pull,
                                 const TransferProgressHandler& on_progress = {});

struct ImagePush {
  Reference reference;                    // its tag
  std::optional<Platform> platform = {};  // API 1.46; nothing: all that are there
  std::string registry_auth = {};
  std::chrono::milliseconds silence_max{600'000};
};

struct PushedImage {
  std::string tag = {};
  std::optional<Digest> digest = {};
  std::int64_t size_bytes = 0;  // of the manifest
};

// POST /images/{name}/push.
PushedImage push_image(const Context& ctx, Client& client, const ImagePush& push,
                       const TransferProgressHandler& on_progress = {});

struct SaveOptions {
  std::optional<Platform> platform = {};  // API 1.48
};

// GET /images/get: the images as one tar, a docker-archive (from 25.0 on an OCI layout as well).
void save_images(const Context& ctx, Client& client, const std::vector<std::string>& names, const Client::ByteSink& on_bytes,
                 const SaveOptions& options = {});

struct ArchiveLoad {
  net::BodySource source;
  std::optional<Platform> platform = {};  // API 1.48: the engine checks that it is whole
  std::chrono::milliseconds silence_max{600'000};
};

// POST /images/load. Returns what the engine says it loaded: names, or IDs of nameless images.
std::vector<std::string> load_archive(const Context& ctx, Client& client, const ArchiveLoad& load,
                                      const TransferProgressHandler& on_progress = {});

struct FilesystemImport {
  net::BodySource source;               // a tar of a root file system
  std::string repository = {};          // empty: no name
  std::string tag = {};
  std::string message = {};
  std::vector<std::string> changes = {};  // Dockerfile lines
  std::optional<Platform> platform = {};
};

// POST /images/create?fromSrc=-: an image of one layer; its ID.
Digest import_filesystem(const Context& ctx, Client& client, const FilesystemImport& import);

// Pure; absent and null members are fine.
TransferProgress parse_transfer_progress(const nlohmann::json& object);
// Nothing for lines of a push that do not name the result.
std::optional<PushedImage> find_pushed_image(const nlohmann::json& object);

}  // namespace drover::engine
