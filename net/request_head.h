// The text of a request's head, for the two that write one: libcurl's header lines, and connections that leave HTTP.
#pragma once

#include "net/transport.h"

#include <string>
#include <string_view>

namespace drover::net {

// A method or a header's name (RFC 9110 section 5.6.2).
bool is_token(std::string_view text);
// Throws invalid for a name that is none and for a value that would end its line.
void check_header(std::string_view name, std::string_view value);

// Request line, Host, the request's own headers, User-Agent, Content-Length of `request.body`, and the empty line. Throws invalid.
std::string request_head(const Request& request, std::string_view user_agent);

}  // namespace drover::net
