// For those who name a service where images are named, as docker compose pull has it.
#pragma once

#include "base/error.h"
#include "cli/session.h"
#include "compose/project.h"
#include "manifest/reference.h"

#include <string>

namespace drover::cli {

// "web is also a service of the compose project: name its image, acme/web:1, …"; empty when there is no such service. Pure.
std::string service_hint(const compose::Project& project, const std::string& name);

// The failure of an image of the line; where the registry has said that there is none, or none for this user, and the word is also the name of
// a service, with that. Reads the compose files then.
Error with_service_hint(Session& session, const Reference& reference, const Error& error);

}  // namespace drover::cli
