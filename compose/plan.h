// What is to be done to an engine so that it runs a project as its files say: steps of one Engine API call each, with a cause.
//
// A value, made by pure functions (reconcile.h, companions.h, rollback.h), printed before anything is done, compared as text in tests, and
// walked by stack/apply_plan.h, which decides nothing.
#pragma once

#include "compose/create_body.h"
#include "compose/service.h"
#include "engine/containers.h"
#include "engine/networks.h"
#include "engine/volumes.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace drover::compose {

// A container that is there already, or one that a step of the plan creates.
struct ContainerTarget {
  std::string id = {};  // empty: created by `step`
  int step = 0;         // of the plan, from 1
};

// IDs of the containers that steps created, by step.
using CreatedIds = std::map<int, std::string>;

struct CreateNetwork { engine::NetworkRequest request; };
struct RemoveNetwork {
  std::string id;
  engine::NetworkRequest request;  // that would make it again
};
struct ConnectNetwork {
  std::string network;  // its name
  ContainerTarget container;
  engine::EndpointSettings settings;
};
struct DisconnectNetwork {
  std::string network;
  ContainerTarget container;
  engine::EndpointSettings settings;  // that it had
};
struct CreateVolume { engine::VolumeRequest request; };
struct RemoveVolume { std::string name; };

struct CreateContainer {
  std::string name;  // that it gets first
  // What is sent. A container that shares another's namespace or volumes names it by its ID, in the body and in the hash: hence a function
  // of the IDs so far. It throws what create_body throws; the planner has called it once with made-up IDs.
  std::function<CreateBody(const CreatedIds&)> body;
};
// A config or secret with content, put into a container that does not run yet.
struct WriteFile {
  ContainerTarget container;
  std::string path;  // absolute
  std::string content;
  std::uint32_t mode = 0444;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
};
struct StartContainer { ContainerTarget container; };
struct StopContainer {
  ContainerTarget container;
  std::optional<std::chrono::seconds> timeout = {};  // nothing: the container's own
  bool was_running = true;                           // so a way back starts it again
};
struct RestartContainer {
  ContainerTarget container;
  std::optional<std::chrono::seconds> timeout = {};
};
struct RenameContainer {
  ContainerTarget container;
  std::string from;
  std::string to;
};
struct RemoveContainer {
  ContainerTarget container;
  bool with_anonymous_volumes = false;
  bool force = false;  // it may run: only for one that this run created
};
// post_start and pre_stop: a process beside the container's own; another exit code than 0 fails.
struct RunHook {
  ContainerTarget container;
  Hook hook;
};
// Waits, by the engine's events, until the container is so.
struct Await {
  enum class Until {
    healthy,    // fails when it exits, or has no health check
    completed,  // exits with 0; fails with another code
    gate,       // what a new container has to pass: see Gate
  };
  ContainerTarget container;
  Until until = Until::gate;
  bool is_required = true;         // false: failing is a warning
  bool was_bad_before = false;     // what it replaces was unhealthy, or exited with an error: failing is a warning
  bool may_complete = false;       // no restart policy: exiting with 0 passes
  std::chrono::seconds timeout{0};
  std::chrono::milliseconds settle{2000};  // without a health check: so long it has to run without exiting
};

using Action = std::variant<CreateNetwork, RemoveNetwork, ConnectNetwork, DisconnectNetwork, CreateVolume, RemoveVolume, CreateContainer, WriteFile,
                            StartContainer, StopContainer, RestartContainer, RenameContainer, RemoveContainer, RunHook, Await>;

struct Step {
  int id = 0;                        // its place in the plan, from 1
  Action action = {};
  std::string resource = {};         // "container web-1", "network cow_default", "volume cow_data"
  std::string cause = {};            // "services.web.image: v1 -> v2"
  std::vector<int> depends_on = {};  // smaller ids
  std::string group = {};            // the service's name; empty for networks and volumes
  bool is_destructive = false;       // takes something away that no later step can bring back
  bool is_commit = false;            // after all gates: from the first of these on there is no way back
  // An earlier run, or docker compose, did it and was cut off before the end: not done again, but undone on the way back.
  bool is_done = false;
  std::string done_id = {};          // of the container that it created, then
  bool is_settled = false;           // done by a run that came to its end: what it made has proved itself, and is not undone
};

// create, remove, connect, disconnect, start, stop, restart, rename, write, run, wait: words of the answer, never changed.
std::string_view operation_of(const Action& action);
// What comes behind the word: "until healthy", "to shop-web-1", of a hook's command the first word; empty where the resource says it all.
std::string detail_of(const Action& action);

// What becomes of a service.
struct ServiceChange {
  std::string service;
  std::string action;  // "create", "recreate", "start", "restart", "scale", "remove", "none"
};

struct Plan {
  std::string project;
  std::vector<Step> steps;
  std::vector<std::string> notes = {};         // what is kept, and why; warnings
  std::vector<ServiceChange> services = {};    // by name
};

// Nothing would be done: every step, if there is one, is done already.
bool is_empty(const Plan& plan);
// A line a step, "#4 container web-1, stop, replaced by #2 (after #1-3)", then the notes.
std::string to_text(const Plan& plan);
// {"steps":[{"id","operation","resource","cause","dependsOn":[],"group","destructive"}],"notes":[]}; a step may have "detail" and, when it is
// done already, "done": true.
nlohmann::ordered_json to_json(const Plan& plan);

// What became of a step. The executor makes these; the way back and the answer are made of them.
struct StepOutcome {
  enum class State {
    not_run,
    done,
    failed,    // tried, with an error; perhaps it was done all the same
    warned,    // a wait that failed without counting
  };
  int id = 0;
  State state = State::not_run;
  double seconds = 0;
  std::string error = {};
  std::string created_id = {};  // by CreateContainer
};
std::string_view to_string(StepOutcome::State state);  // "not-run", "done", ...

}  // namespace drover::compose
