// The headers of registries' answers, read as they are really sent. Pure.
#pragma once

#include "net/transport.h"
#include "registry/client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::registry {

// Content-Type without case and parameters; empty when it is missing or malformed.
std::string content_type(const net::Headers& headers);

// The query, without '?', of the Link target with rel=next; empty when there is none. Only the query, because registries behind proxies
// send wrong hosts, schemes and path prefixes there (Artifactory up to 7.46), and because a page must never lead to another host.
std::string next_page_query(std::string_view link);

// "100;w=21600", or a bare number, of the ratelimit-limit and ratelimit-remaining headers. Nothing when neither is there.
std::optional<RateLimit> parse_rate_limit(std::string_view limit, std::string_view remaining, std::string_view source);

}  // namespace drover::registry
