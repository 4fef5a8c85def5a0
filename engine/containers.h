// Containers of an engine: list, inspect, create, everything that changes their state, remove, prune.
//
// A container is named by its ID, a unique beginning of it, or its name. Thread rule and errors are the Client's: every call
// throws EngineFailure (not_found; engine, with is_conflict() for a name that is taken or a state that does not fit), network or
// interrupted. What containers print and count is in container_output.h, their files are in container_files.h, processes beside
// theirs in exec.h.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/container_details.h"
#include "engine/query.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

struct PublishedPort {
  std::string ip = {};              // of the host; empty: only exposed
  std::int64_t private_port = 0;
  std::int64_t public_port = 0;     // 0: only exposed
  std::string type = {};            // "tcp", "udp", "sctp"
};

struct ContainerSummary {
  std::string id;
  std::string name = {};            // its own, without slash; links to it are in `names`
  std::vector<std::string> names = {};   // as the engine writes them: "/web", "/other/alias"
  std::string image_reference = {}; // as given at create; an ID when that name has moved to another image
  std::optional<Digest> image_id = {};
  std::optional<Digest> image_manifest = {};  // containerd store, API 1.48
  std::string command = {};
  std::optional<Timestamp> created = {};
  std::string state = {};           // "created", "running", "paused", "restarting", "removing", "exited", "dead"
  std::string status = {};          // for people: "Up 3 hours (healthy)"
  std::map<std::string, std::string> labels = {};
  std::vector<PublishedPort> ports = {};
  std::vector<Mount> mounts = {};
  std::string network_mode = {};
  std::map<std::string, EndpointSettings> networks = {};  // by name
  std::optional<std::int64_t> size_rw_bytes = {};         // only when asked for
  std::optional<std::int64_t> size_root_fs_bytes = {};
};

struct ContainerListOptions {
  bool running_only = false;
  bool with_sizes = false;        // the engine walks every container's files: seconds each
  std::int64_t limit = 0;         // the latest so many, in any state; 0: all
  Filters filters = {};           // label, name, id, status, network, volume, ancestor, ...
};

// GET /containers/json: in any state, unless told otherwise.
std::vector<ContainerSummary> list_containers(const Context& ctx, Client& client, const ContainerListOptions& options = {});

struct InspectOptions {
  bool with_sizes = false;
};

// GET /containers/{id}/json; nothing when there is none.
std::optional<ContainerDetails> find_container(const Context& ctx, Client& client, std::string_view container,
                                               const InspectOptions& options = {});

struct CreateRequest {
  std::string name = {};      // empty: the engine chooses
  std::string platform = {};  // "linux/arm64"; API 1.41; empty: the engine chooses
};

struct CreatedContainer {
  std::string id;
  std::vector<std::string> warnings = {};
};

// POST /containers/create. `body` is the API's document: a Config whose members HostConfig and NetworkingConfig stand beside the
// others. Throws unsupported, before anything is sent, when it has a part that this engine would pass over in silence
// (find_create_gates); not_found when the image is not there; a conflict when the name is taken.
CreatedContainer create_container(const Context& ctx, Client& client, const CreateRequest& request, const nlohmann::json& body);

// What of a request needs which API. Pure.
struct FeatureGate {
  ApiVersion version;
  std::string what;  // "a health check's start interval"
};
std::vector<FeatureGate> find_create_gates(const CreateRequest& request, const nlohmann::json& body);

// POST /containers/{id}/start; false when it ran already.
bool start_container(const Context& ctx, Client& client, std::string_view container);

struct StopOptions {
  std::optional<std::chrono::seconds> timeout = {};  // then it is killed; -1: never; nothing: the container's own, else 10 s
  std::string signal = {};                           // API 1.42; empty: the container's own, else SIGTERM
};

// POST /containers/{id}/stop; returns when it has stopped; false when it did not run.
bool stop_container(const Context& ctx, Client& client, std::string_view container, const StopOptions& options = {});
// POST /containers/{id}/restart; also of one that does not run.
void restart_container(const Context& ctx, Client& client, std::string_view container, const StopOptions& options = {});
// POST /containers/{id}/kill; a conflict when it does not run. An empty signal is SIGKILL.
void kill_container(const Context& ctx, Client& client, std::string_view container, std::string_view signal = {});
// POST /containers/{id}/pause and unpause.
void pause_container(const Context& ctx, Client& client, std::string_view container);
void unpause_container(const Context& ctx, Client& client, std::string_view container);
// POST /containers/{id}/rename; a conflict when the name is taken.
void rename_container(const Context& ctx, Client& client, std::string_view container, std::string_view new_name);
// POST /containers/{id}/update: limits and RestartPolicy as HostConfig writes them. Returns the engine's warnings.
std::vector<std::string> update_container(const Context& ctx, Client& client, std::string_view container,
                                          const nlohmann::json& body);

enum class WaitCondition { not_running, next_exit, removed };  // API 1.30

struct WaitResult {
  std::int64_t exit_code = 0;
  std::string error = {};  // of the waiting, not of the container
};

// POST /containers/{id}/wait: blocks until then, as long as it takes; ctx.stop ends it. `on_waiting`, if given, is called once
// the engine has taken note: what happens after that is not missed, so a container can be started from there.
WaitResult wait_container(const Context& ctx, Client& client, std::string_view container,
                          WaitCondition condition = WaitCondition::not_running, const std::function<void()>& on_waiting = {});

struct RemoveContainerOptions {
  bool volumes = false;  // its anonymous volumes as well
  bool force = false;    // kills it first
};

// DELETE /containers/{id}; a conflict when it runs.
void remove_container(const Context& ctx, Client& client, std::string_view container, const RemoveContainerOptions& options = {});

struct PrunedContainers {
  std::vector<std::string> ids = {};
  std::int64_t reclaimed_bytes = 0;
};

// POST /containers/prune, API 1.25: every container that does not run, those never started included.
PrunedContainers prune_containers(const Context& ctx, Client& client, const Filters& filters = {});

// Pure; absent and null members are fine. Entries without an ID are left out.
std::vector<ContainerSummary> parse_container_list(const nlohmann::json& answer);
std::string_view to_string(WaitCondition condition);

}  // namespace drover::engine
