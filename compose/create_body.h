// The container that a service asks for, as the Engine API takes it: what docker compose sends to POST /containers/create. Pure.
#pragma once

#include "compose/project.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::compose {

// What the service itself does not say.
struct CreateContext {
  int number = 1;                                // of the service's containers, from 1
  int api_minor = 44;                            // of the engine's API version 1.x
  std::string image = {};                        // "" for the service's own, or <project>-<service> for one that is built
  std::optional<std::string> network_mode = {};  // "container:<id>" in place of "service:<name>"; likewise the next three
  std::optional<std::string> ipc = {};
  std::optional<std::string> pid = {};
  std::optional<std::vector<std::string>> volumes_from = {};
  std::vector<std::string> links = {};  // "<container>:<alias>", from `links` once their containers are known
  TextMap labels = {};                  // besides the service's own, which they override: see compose_labels
  TextMap proxy_environment = {};       // of the user's docker configuration; the service's own variables win
  TextMap anonymous_volumes = {};       // by target: volumes of an earlier container that are kept
  std::map<std::string, std::string> seccomp_profiles = {};  // JSON by path, for `security_opt: ["seccomp:./profile.json"]`
  std::set<std::string> changed_networks = {};               // keys: to be made again between create and start
  char name_separator = '-';                                 // '_' in compatibility mode
};

// A network that is to be connected after create (POST /networks/{id}/connect): because the engine's API is before 1.44, or because the
// address that is asked for there is one of the network that is yet to be made in its place (engines from 25.0 on refuse it at create).
struct LaterNetwork {
  std::string network;  // its name at the engine
  std::shared_ptr<const nlohmann::json> endpoint;
  // Create joins it all the same, without the address: an engine puts a container into the network that its mode names. It has to leave
  // first, since connecting again changes nothing.
  bool is_left_first = false;
};

struct CreateBody {
  std::string name;      // ?name=
  std::string platform;  // ?platform=, "" for none
  std::shared_ptr<const nlohmann::json> body;
  std::vector<LaterNetwork> later_networks;
};

// Members that are empty are left out. Lists whose order means nothing are sorted. Throws unsupported, naming the service, for
// what an engine of this API version cannot do, and invalid for a seccomp profile that `context` does not have and a secret for a
// read-only container.
CreateBody create_body(const Project& project, const Service& service, const CreateContext& context);

// "<project>-<service>-<number>", or container_name.
std::string container_name(const Project& project, const Service& service, int number, char separator = '-');

// The labels by which docker compose knows a container, of a release `version`, without com.docker.compose.image.
TextMap compose_labels(
    const Project& project, const Service& service, int number, const std::string& config_hash, const std::string& version);

}  // namespace drover::compose
