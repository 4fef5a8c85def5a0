// Descriptors and platforms out of JSON.
#pragma once

#include "manifest/descriptor.h"
#include "manifest/json_document.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace drover {

// `where` names it in messages: "manifest.layers[2]". Throws invalid.
Descriptor parse_descriptor(const nlohmann::json& value, std::string where);

// The members architecture, os, variant, os.version and os.features, which descriptors and image configurations share; normalised.
// Nothing where neither OS nor architecture is said.
std::optional<Platform> find_platform(const JsonObject& object);

// Throws invalid, naming the member.
Digest parse_digest(const nlohmann::json& value, const std::string& name);

}  // namespace drover
