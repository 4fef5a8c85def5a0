// `drover down`, `stop`, `start` and `restart`, decided: steps that change what is there of a project without making it anew.
// Pure.
//
// They go by the containers' labels; the project tells who depends on whom, hooks, and which services there are at all. Where
// there is no compose file, project_from_labels makes one that knows as much as docker compose knows then.
#pragma once

#include "compose/plan.h"
#include "compose/project.h"
#include "compose/project_state.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace drover::compose {

// Services, with what they depend on, from the labels of containers. Networks and volumes are found by label in any case.
Project project_from_labels(const std::string& name, const ProjectState& state);

// All of these throw usage for a service that neither the project nor a container knows. An empty set is all services.

struct StopOptions {
  std::set<std::string> services = {};
  std::optional<std::chrono::seconds> timeout = {};  // then it is killed; nothing: each container's own
};

// In reverse order of dependency; pre_stop hooks before. Orphans and one-off containers are left alone.
Plan plan_stop(const Project& project, const ProjectState& state, const StopOptions& options);

struct StartOptions {
  std::set<std::string> services = {};
  bool waits = false;  // until all of them are running or healthy
  std::chrono::seconds wait_timeout{300};
};

// In order of dependency and with its conditions, what the services depend on as well; post_start hooks after. Throws refused for
// a service that has no container.
Plan plan_start(const Project& project, const ProjectState& state, const StartOptions& options);

struct RestartOptions {
  std::set<std::string> services = {};
  bool with_dependents = true;  // that depend on one of them with `restart: true`
  std::optional<std::chrono::seconds> timeout = {};
};

// In the order of those dependencies that say `restart: true`; the others play no part. What is stopped is started.
Plan plan_restart(const Project& project, const ProjectState& state, const RestartOptions& options);

struct DownOptions {
  std::set<std::string> services = {};  // of which the containers go; networks go when nothing is left in them
  std::optional<std::chrono::seconds> timeout = {};
  bool remove_orphans = false;
  bool remove_volumes = false;                           // the project's named volumes, and anonymous ones of removed containers
  std::map<std::string, std::string> volume_users = {};  // containers outside the project, by a volume that they mount
};

// Stops in reverse order of dependency, removes containers, then networks, then, if asked, volumes. What is external, labelled
// for another project or still used by somebody stays, with a note; so do services of profiles that are not on. Images are never
// touched.
Plan plan_down(const Project& project, const ProjectState& state, const DownOptions& options);

}  // namespace drover::compose
