// The Link header (RFC 8288) as far as paging needs it (OCI distribution-spec v1.1, listing tags).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover::net {

// The target of the first link whose relation is "next", as written: absolute or relative to the request's URL. Accepts several links
// in one value, relations without quotes and lists of relations; nothing when there is none or its brackets are missing.
std::optional<std::string> find_next_link(std::string_view link);

}  // namespace drover::net
