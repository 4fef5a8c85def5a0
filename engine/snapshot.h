// What an engine holds at one moment, as far as deciding what nobody needs any more has to know. Values only; take_snapshot reads them.
#pragma once

#include "digest/digest.h"
#include "engine/inventory.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

using TimePoint = std::chrono::system_clock::time_point;

struct SnapshotImage {
  Digest id;
  std::vector<std::string> tags = {};          // familiar: "redis:7"
  std::vector<std::string> repo_digests = {};  // "redis@sha256:…"
  std::optional<Digest> parent = {};           // of the classic builder's images
  std::map<std::string, std::string> labels = {};
  std::vector<Digest> chain_ids = {};          // of its layers, lowest first; empty when the engine did not say
  std::vector<std::uint64_t> layer_bytes = {}; // unpacked, one a chain ID; empty where the engine was not asked
  std::uint64_t bytes = 0;                     // classic: all layers unpacked; containerd store: the packed blobs as well
  std::optional<TimePoint> arrived = {};       // when it was last named here; nothing when the engine did not say
  std::optional<TimePoint> built = {};
  std::vector<Digest> manifests = {};          // containerd store: of its platforms, as far as the engine tells
};

struct SnapshotContainer {
  std::string id;
  std::string name = {};
  std::string image_reference = {};            // as given at create
  std::optional<Digest> image_id = {};
  std::optional<Digest> image_manifest = {};   // containerd store, API 1.48
  std::map<std::string, std::string> labels = {};
  std::string state = {};                      // "running", "exited", ...
  std::vector<std::string> volumes = {};       // names of what it mounts
  std::vector<std::string> networks = {};      // names and IDs
  std::optional<TimePoint> created = {};
  std::optional<TimePoint> finished = {};      // when it last stopped; asked only of those that do not run
  bool restarts = false;                       // its policy lets the engine start it again
  std::uint64_t bytes = 0;                     // of its writable layer; 0 where the engine was not asked
};

struct SnapshotVolume {
  std::string name;
  std::string driver = "local";
  std::map<std::string, std::string> labels = {};
  std::map<std::string, std::string> options = {};
  std::optional<TimePoint> created = {};
  std::optional<std::uint64_t> bytes = {};     // nothing where the engine was not asked
};

struct SnapshotNetwork {
  std::string id;
  std::string name = {};
  std::string scope = "local";
  std::map<std::string, std::string> labels = {};
  std::optional<TimePoint> created = {};
  std::vector<std::string> containers = {};    // IDs of its endpoints
  bool is_ingress = false;
};

struct SnapshotBuildCache {
  std::string id;
  std::string description = {};
  std::vector<std::string> parents = {};
  std::uint64_t bytes = 0;
  bool is_in_use = false;
  bool is_shared = false;                      // with an image: removing it frees nothing
  std::optional<TimePoint> used = {};          // last, else created
};

// A mount or the end of one in the engine's memory of events (at most 256): whose volume it was, also after the container is gone.
struct SnapshotMount {
  std::string volume;
  TimePoint time = {};
  std::map<std::string, std::string> labels = {};  // of the container
};

struct Snapshot {
  StoreKind store = StoreKind::classic;
  std::string engine;                          // where it is: "unix:///var/run/docker.sock"
  std::vector<SnapshotImage> images = {};
  std::vector<SnapshotContainer> containers = {};  // in any state
  std::vector<SnapshotVolume> volumes = {};
  std::vector<SnapshotNetwork> networks = {};
  std::vector<SnapshotBuildCache> build_cache = {};
  std::vector<SnapshotMount> past_mounts = {};
};

// On containers that drover makes to read or write a volume; they are never started, and go when the work is done.
inline constexpr const char* helper_label = "io.github.drover.volume";

// Not running, paused, restarting or being removed.
bool is_stopped(const SnapshotContainer& container);

}  // namespace drover::engine
