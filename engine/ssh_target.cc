#include "engine/ssh_target.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace drover::engine {
namespace {

[[noreturn]] void refuse(std::string_view why) {
  throw Error(ErrorCode::usage, "bad ssh address: " + std::string(why) + "; use ssh://[user@]host[:port][/path/to/docker.sock]");
}

bool consists_of(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_alnum(c) || marks.find(c) != std::string_view::npos; });
}

// Nothing that begins like an option, and nothing that ssh would expand (% and $ in forwarded paths and user names).
std::string parse_user(std::string_view text) {
  if (text.find(':') != std::string_view::npos) refuse("a password does not belong into it; use a key");
  if (text.empty() || text.front() == '-' || !consists_of(text, "._-@+\\")) refuse("not a user name");
  return std::string(text);
}

std::string parse_host(std::string_view text) {
  if (text.empty() || text.front() == '-' || !consists_of(text, "._-:")) refuse("not a host name");
  return std::string(text);
}

std::uint16_t parse_port(std::string_view text) {
  const std::optional<std::uint64_t> port = parse_uint(text);
  if (!port || *port == 0 || *port > 65535) refuse("not a port");
  return static_cast<std::uint16_t>(*port);
}

void parse_host_and_port(SshTarget& target, std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) refuse("not a host name");
    target.host = parse_host(text.substr(1, end - 1));
    port = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    target.host = parse_host(text.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (port.empty()) return;
  if (port.front() != ':') refuse("not a port");
  target.port = parse_port(port.substr(1));
}

}  // namespace

std::string SshTarget::to_string() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (user.empty() ? "" : user + "@") + shown + (port ? ":" + std::to_string(*port) : "");
}

SshTarget parse_ssh_target(std::string_view address) {
  SshTarget target;
  if (address.find_first_of("?#") != std::string_view::npos) refuse("it has a query or a fragment");
  const std::size_t slash = address.find('/');
  const std::string_view authority = address.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view("/") : address.substr(slash);
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) target.user = parse_user(authority.substr(0, at));
  parse_host_and_port(target, authority.substr(at == std::string_view::npos ? 0 : at + 1));
  if (path == "/") return target;
  if (!consists_of(path, "._-+@~/")) refuse("the socket's path has a character that ssh would read in its own way");
  target.socket = path;
  return target;
}

}  // namespace drover::engine
