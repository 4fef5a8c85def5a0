// Files that a running container sees, or has read, as they no longer are: what no config hash can tell.
#pragma once

#include "base/context.h"
#include "compose/project.h"
#include "compose/project_state.h"
#include "engine/client.h"

#include <string>
#include <vector>

namespace drover::stack {

struct StaleFile {
  std::string service;
  std::string container;      // its name
  std::string path;           // in the container
  std::string why;            // for people: "/srv/a.conf is another file since it was mounted"
  bool is_written = false;    // it was copied into the container: a restart does not help, a new container does
};

// Looks at the running containers of the project's services:
// - single files that are bind-mounted: a container keeps the inode, so one that was replaced on the host (as git and editors do) stays the
//   old one inside. Needs the container's processes to be visible from here; else, as with a remote engine, a note says so;
// - files of configs and secrets that were written to after the container's start;
// - configs and secrets with content, against what is in the container.
// Reads only. By service, then container. Throws what the Client throws, but for a container that is gone by then.
struct StaleFiles {
  std::vector<StaleFile> files;
  std::vector<std::string> notes;
};
StaleFiles find_stale_files(const Context& ctx, engine::Client& client, const compose::Project& project, const compose::ProjectState& state);

}  // namespace drover::stack
