// What of docker's own configuration file matters to the containers that are made.
#pragma once

#include "cli/settings.h"
#include "compose/service.h"

#include <string>
#include <string_view>

namespace drover::cli {

// The variables that docker's clients set in every container for `proxies` of $DOCKER_CONFIG/config.json: HTTP_PROXY, http_proxy
// and so on, from the entry of that engine ("unix:///var/run/docker.sock"), else from "default". Throws invalid for a file that
// is no JSON.
compose::TextMap read_proxy_environment(const Environment& environment, const std::string& engine);

// The same from the file's text. Pure.
compose::TextMap parse_proxies(std::string_view text, const std::string& engine);

}  // namespace drover::cli
