#include "engine/registry_login.h"

#include "base/text.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {

nlohmann::json to_json(const RegistryLogin& login) {
  nlohmann::json out = nlohmann::json::object();
  put_some(out, "username", login.username);
  put_some(out, "password", login.password);
  put_some(out, "identitytoken", login.identity_token);
  put_some(out, "registrytoken", login.registry_token);
  put_some(out, "serveraddress", login.server_address);
  return out;
}

std::string to_registry_auth(const RegistryLogin& login) { return encode_base64(to_request_text(to_json(login)), Base64::url); }

}  // namespace drover::engine
