// The headers of registries' answers, read as they are really sent. Pure.
#pragma once

#include "registry/client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::registry {

// "Application/JSON; charset=utf-8" -> "application/json".
std::string bare_media_type(std::string_view content_type);
// A registry's word for "some bytes": the document itself has to say what it is.
bool is_generic_media_type(std::string_view bare_type);

// The query, without '?', of the Link target with rel=next; empty when there is none. Only the query, because registries behind proxies
// send wrong hosts, schemes and path prefixes there (Artifactory up to 7.46), and because a page must never lead to another host.
std::string next_page_query(std::string_view link);

// "100;w=21600", or a bare number, of the ratelimit-limit and ratelimit-remaining headers. Nothing when neither is there.
std::optional<RateLimit> parse_rate_limit(std::string_view limit, std::string_view remaining, std::string_view source);

}  // namespace drover::registry
