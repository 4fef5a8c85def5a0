// The rules for going where a server points to. Pure.
#pragma once

#include "net/url.h"

#include <string_view>

namespace drover::registry {

// Registries answer with one redirect, rarely with two.
inline constexpr int redirects_max = 5;

// 301, 302, 303, 307, 308.
bool is_redirect_status(int status);

// Where `location`, sent by `from`, leads. Throws refused: another scheme than http and https, user info, from https to http. The error
// never shows more of the target than its host.
net::Url redirect_target(const net::Url& from, std::string_view location);

}  // namespace drover::registry
