// `drover up`, decided: the steps that make what an engine has of a project into what its files say. Pure.
//
// Everything is created before anything stops. Then each service is swapped as soon as its own dependencies allow: stop the old
// container, start the new one, rename both; there is no barrier between services. Old containers are kept, stopped, until every
// new one has passed its gate; the removals come last, as the commit. What docker compose or an earlier run left half-done is
// taken up as it stands.
#pragma once

#include "compose/config_hash.h"
#include "compose/plan.h"
#include "compose/project.h"
#include "compose/project_state.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::compose {

enum class Recreate { diverged, always, never };

struct UpOptions {
  std::set<std::string> targets = {};                   // services named by the user; empty: all
  Recreate recreate = Recreate::diverged;               // of targets
  Recreate recreate_dependencies = Recreate::diverged;  // of the others
  bool remove_orphans = false;
  bool passes_over_orphans = false;                       // COMPOSE_IGNORE_ORPHANS: not a word of them
  bool renew_anonymous_volumes = false;
  bool starts = true;  // false: --no-start
  bool waits = false;  // --wait: until all are running or healthy, those that were left alone as well
  std::chrono::seconds gate_timeout{300};
  std::optional<std::chrono::seconds> stop_timeout = {};  // nothing: each container's own
  std::optional<HashEpoch> epoch = {};                    // to write; nothing: of the labels found, else 2.40
  std::string version = {};         // of docker compose for the labels; empty: that found, else of the epoch
  // A run of a short while ago did not get to its end: what it swapped has not passed its gate, so the way back leads to what it replaced.
  // Else an old container that is still there is left over from a run that ended, and only goes.
  bool continues_cut_off_run = false;
  bool allows_new_volumes = false;  // despite full ones of the same keys under another project's name

  TextMap proxy_environment = {};                            // of the user's docker configuration
  std::map<std::string, std::string> seccomp_profiles = {};  // JSON by path
  // Services to recreate or restart for what the config hash cannot see, and why: from drift.h.
  std::map<std::string, std::string> recreate_causes = {};
  std::map<std::string, std::string> restart_causes = {};
};

// Throws data_safety for a volume whose definition changed; refused for what would fail half-way: a container's name taken by
// another project's, a port of the host that somebody else publishes or that two of its containers would, an external network or
// volume or an image that is not there; what create_body throws. Nothing has been touched then.
Plan reconcile(const Project& project, const ProjectState& state, const UpOptions& options);

}  // namespace drover::compose
