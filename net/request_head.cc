#include "net/request_head.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace drover::net {

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return is_alnum(c) || marks.find(c) != marks.npos; });
}

void check_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) throw Error(ErrorCode::invalid, "not a header name: " + printable(name, 60));
  const auto breaks_line = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (std::any_of(value.begin(), value.end(), breaks_line)) {
    throw Error(ErrorCode::invalid, "the value of header " + std::string(name) + " has a line break");
  }
}

std::string request_head(const Request& request, std::string_view user_agent) {
  if (!is_token(request.method)) throw Error(ErrorCode::invalid, "not a request method: " + printable(request.method, 40));
  std::string head = request.method + " " + request.url.target + " HTTP/1.1\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    check_header(name, value);
    head.append(name).append(": ").append(value).append("\r\n");
  };
  const std::string authority = request.url.to_string();
  const std::size_t host = authority.find("//") + 2;
  if (!request.headers.find("host")) add("Host", std::string_view(authority).substr(host, authority.find('/', host) - host));
  for (const auto& [name, value] : request.headers.list()) add(name, value);
  if (!request.headers.find("user-agent")) add("User-Agent", user_agent);
  add("Content-Length", std::to_string(request.body.size()));
  return head + "\r\n";
}

}  // namespace drover::net
