// What an engine has of a compose project. Values; read_project_state reads them.
#pragma once

#include "base/context.h"
#include "compose/project.h"
#include "engine/api_version.h"
#include "engine/client.h"
#include "engine/container_details.h"
#include "engine/networks.h"
#include "engine/volumes.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace drover::compose {

struct ImageFacts {
  std::string id;                        // as inspect tells it: goes into the label com.docker.compose.image
  std::string platform = {};             // "linux/arm64/v8"
  engine::ContainerConfig config = {};   // its defaults
  std::set<std::string> manifests = {};  // digests of its platforms' manifests that are here, where the engine tells (API 1.48)
};

// A port of the host that a container outside of the project publishes.
struct TakenPort {
  std::string container;  // its name
  std::string address;    // of the host
  std::uint64_t port = 0;
  std::string protocol;   // tcp, udp, sctp
};

struct ProjectState {
  engine::ApiVersion api = {};
  std::vector<engine::ContainerDetails> containers =
      {};                                         // with the project's label, in any state, one-offs as well; by name, then ID
  std::vector<engine::Network> networks = {};     // all of the engine; with members where the project has to make one again
  std::vector<engine::Volume> volumes = {};       // all of the engine; with sizes where find_twins finds some
  std::map<std::string, ImageFacts> images = {};  // by the reference as a service writes it; those that the engine has
  std::map<std::string, std::string> names_taken = {};  // by name: IDs of containers outside the project
  std::vector<TakenPort> ports_taken = {};              // by those of them that run
  // Other projects that have containers, and the directories that these were made for.
  std::map<std::string, std::set<std::string>> other_projects = {};
};

// Reads only: lists, and one inspect a container of the project and an image, several at once. What vanishes meanwhile is left
// out. Throws what the Client throws.
ProjectState read_project_state(const Context& ctx, engine::Client& client, const Project& project, std::size_t jobs = 8);

// The image that containers of a service are made of: its own, or "<project>-<service>" for one that is built.
std::string image_of(const Project& project, const Service& service);

}  // namespace drover::compose
