// Where the container engine is: docker's own precedence of flags, environment, contexts and config.
//
// --context or -H (both: usage error) > DOCKER_HOST > DOCKER_CONTEXT > config.json currentContext > unix:///var/run/docker.sock.
// Pure but for the files it reads; the environment comes in as a map, so that only cli/ calls getenv.
#pragma once

#include "engine/ssh_target.h"
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
  std::filesystem::path unix_socket;   // empty for TCP and ssh
  std::optional<SshTarget> ssh;
  net::Url url;                        // of the API's root: "http://localhost/" for a unix socket and ssh
  net::TlsOptions tls;
  // DOCKER_CUSTOM_HEADERS, or else config.json's HttpHeaders: the first replaces all of the second, as docker has it.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> api_version;                    // DOCKER_API_VERSION: pins, no negotiation
  std::string origin;                  // for messages: "unix:///var/run/docker.sock (DOCKER_HOST)"
};

// Where it is, told apart from other engines: "unix:///var/run/docker.sock", "ssh://user@host", "http://10.0.0.1:2375/".
std::string to_string(const Endpoint& endpoint);

// Throws usage for a bad host or both flags, not_found for an unknown context, unsupported for npipe:// and fd:// (with what to do).
Endpoint find_endpoint(const EndpointFlags& flags, const std::map<std::string, std::string>& environment);

}  // namespace drover::engine
