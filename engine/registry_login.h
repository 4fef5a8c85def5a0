// Who asks a registry by way of the engine.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover::engine {

// A password, a token in its place, or a bearer token as it is. Never goes into a message or a log.
struct RegistryLogin {
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};
  std::string registry_token = {};
  std::string server_address = {};  // the containerd store sends a login to this host alone: the image's registry
};

// The document that POST /auth takes.
nlohmann::json to_json(const RegistryLogin& login);
// The value of X-Registry-Auth: that document in padded base64url. Other alphabets are passed over in silence by engines
// (moby#33434).
std::string to_registry_auth(const RegistryLogin& login);

}  // namespace drover::engine
