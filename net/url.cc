#include "net/url.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace drover::net {
namespace {

// Signed storage URLs seen so far stay below 4 KiB; common servers refuse request lines above 8 KiB to 16 KiB.
constexpr std::size_t url_bytes_max = 16 * 1024;
constexpr std::size_t host_bytes_max = 253;  // RFC 1035 section 2.3.4, as text

[[noreturn]] void refuse(std::string_view why) { throw Error(ErrorCode::invalid, "not a usable URL: " + std::string(why)); }

// Nothing that a terminal, a header line or another parser could read differently: printable ASCII without space and backslash.
bool is_plain(char c) { return c > 0x20 && c < 0x7f && c != '\\'; }

std::string parse_ipv6(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1) refuse("bad IPv6 address");
  if (inet_ntop(AF_INET6, bytes.data(), canonical.data(), canonical.size()) == nullptr) refuse("bad IPv6 address");
  return canonical.data();
}

bool looks_numeric(std::string_view label) {
  if (std::all_of(label.begin(), label.end(), is_digit)) return true;
  return label.size() >= 2 && label[0] == '0' && label[1] == 'x';
}

std::string parse_name(std::string_view text) {
  std::string host = to_lower(text);
  if (!host.empty() && host.back() == '.') host.pop_back();
  if (host.empty() || host.size() > host_bytes_max) refuse("bad host name");
  for (const std::string_view label : split(host, '.')) {
    if (label.empty()) refuse("bad host name");
    for (const char c : label) {
      if (!is_alnum(c) && c != '-' && c != '_') refuse("bad host name");
    }
  }
  // "127.1", "0x7f000001" and "2130706433" are addresses to a resolver and names to a reader: only four decimal numbers may pass.
  if (looks_numeric(split(host, '.').back())) {
    std::array<unsigned char, 4> bytes{};
    if (inet_pton(AF_INET, host.c_str(), bytes.data()) != 1) refuse("bad IPv4 address");
  }
  return host;
}

std::uint16_t parse_port(std::string_view text) {
  const std::optional<std::uint64_t> port = parse_uint(text);
  if (!port || text.size() > 5 || *port == 0 || *port > 65535) refuse("bad port");
  return static_cast<std::uint16_t>(*port);
}

void parse_authority(Url& url, std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) refuse("a user name or password does not belong into a URL");
  std::string_view port;
  bool has_port = false;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) refuse("bad IPv6 address");
    url.host = parse_ipv6(authority.substr(1, end - 1));
    const std::string_view rest = authority.substr(end + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':') refuse("bad port");
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    url.host = parse_name(authority.substr(0, colon));
    if (has_port) port = authority.substr(colon + 1);
  }
  url.port = has_port ? parse_port(port) : url.scheme == "https" ? 443 : 80;
}

// RFC 3986 section 5.2.4, of an absolute path.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = split(path.substr(1), '/');
  bool ends_in_folder = false;
  for (const std::string_view segment : segments) {
    ends_in_folder = segment == "." || segment == "..";
    if (segment == "." || (segment == ".." && kept.empty())) continue;
    if (segment == "..") {
      kept.pop_back();
    } else {
      kept.push_back(segment);
    }
  }
  std::string result;
  for (const std::string_view segment : kept) result.append("/").append(segment);
  if (ends_in_folder || result.empty()) result += '/';
  return result;
}

bool has_scheme(std::string_view reference) {
  const std::size_t end = reference.find_first_of(":/?#");
  return end != std::string_view::npos && end > 0 && reference[end] == ':';
}

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

bool is_default_port(const Url& url) { return url.port == (url.scheme == "https" ? 443 : 80); }

std::string prefix(const Url& url) {
  return url.scheme + "://" + url.authority();
}

}  // namespace

Url Url::parse(std::string_view text) {
  if (text.size() > url_bytes_max) refuse("too long");
  if (!std::all_of(text.begin(), text.end(), is_plain)) refuse("it has a space, a control character or a character outside of ASCII");

  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) refuse("no scheme");
  url.scheme = to_lower(text.substr(0, scheme_end));
  if (url.scheme != "http" && url.scheme != "https") refuse("only http and https are supported");

  std::string_view rest = text.substr(scheme_end + 3);
  const std::size_t fragment = rest.find('#');
  if (fragment != std::string_view::npos) {
    // "https://good#@evil/" is read as one host here and as the other elsewhere.
    if (rest.find('@', fragment) != std::string_view::npos) refuse("a user name or password does not belong into a URL");
    rest = rest.substr(0, fragment);
  }
  const std::size_t authority_end = rest.find_first_of("/?");
  parse_authority(url, rest.substr(0, authority_end));
  url.target = authority_end == std::string_view::npos ? "/" : std::string(rest.substr(authority_end));
  if (url.target.front() == '?') url.target.insert(0, "/");
  return url;
}

Url Url::resolve(std::string_view location) const {
  location = trim(location);
  if (location.empty()) refuse("empty");
  if (has_scheme(location) || location.starts_with("//")) {
    Url absolute = parse(has_scheme(location) ? std::string(location) : scheme + ":" + std::string(location));
    const std::size_t query = absolute.target.find('?');
    const std::string tail = query == std::string::npos ? std::string() : absolute.target.substr(query);
    absolute.target = remove_dot_segments(std::string_view(absolute.target).substr(0, query)) + tail;
    return absolute;
  }

  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (location.front() == '#') return *this;
  if (location.front() == '?') return parse(prefix(*this) + std::string(path) + std::string(location));
  const std::size_t tail_start = location.find_first_of("?#");
  std::string merged(location.substr(0, tail_start));
  if (merged.front() != '/') merged.insert(0, path.substr(0, path.rfind('/') + 1));
  const std::string_view tail = tail_start == std::string_view::npos ? std::string_view() : location.substr(tail_start);
  return parse(prefix(*this) + remove_dot_segments(merged) + std::string(tail));
}

std::string Url::to_string() const { return prefix(*this) + target; }

std::string Url::redacted() const { return prefix(*this) + target.substr(0, target.find('?')); }

std::string Url::origin() const { return scheme + "://" + bracketed(host) + ":" + std::to_string(port); }

std::string Url::authority() const { return bracketed(host) + (is_default_port(*this) ? std::string() : ":" + std::to_string(port)); }

}  // namespace drover::net
