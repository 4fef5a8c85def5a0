// Where the container engine is: docker's own precedence of flags, environment, contexts and config.
//
// --context or -H (both: usage error) > DOCKER_HOST > DOCKER_CONTEXT > config.json currentContext > unix:///var/run/docker.sock.
// Pure but for the files it reads; the environment comes in as a map, so that only cli/ calls getenv.
#pragma once

#include "net/transport.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::engine {

struct EndpointFlags {
  std::optional<std::string> host;     // -H
  std::optional<std::string> context;  // --context
};

struct Endpoint {
  std::filesystem::path unix_socket;   // empty for TCP
  net::Url url;                        // of the API's root: "http://localhost/" for a unix socket
  net::TlsOptions tls;
  std::vector<std::pair<std::string, std::string>> headers;  // config.json HttpHeaders
  std::optional<std::string> api_version;                    // DOCKER_API_VERSION: pins, no negotiation
  std::string origin;                  // for messages: "unix:///var/run/docker.sock (DOCKER_HOST)"
};

// Throws usage for a bad host or both flags, not_found for an unknown context, unsupported for ssh:// and npipe:// (with what to do).
Endpoint find_endpoint(const EndpointFlags& flags, const std::map<std::string, std::string>& environment);

}  // namespace drover::engine
