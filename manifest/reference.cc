#include "manifest/reference.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace drover {

namespace {

constexpr std::string_view default_registry = "docker.io";
constexpr std::string_view old_default_registry = "index.docker.io";
constexpr std::string_view official_prefix = "library/";
constexpr std::string_view default_tag = "latest";
constexpr std::uint64_t port_max = 65535;

bool is_digest_like(std::string_view text) { return text.starts_with("sha256:") || text.starts_with("sha512:"); }

// "user:password@" as in a URL, or what may be one: all before the last '@' that no digest follows, if something of it could be secret.
std::string_view find_login(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::size_t at = text.rfind('@');
  while (at != std::string_view::npos && at > begin && is_digest_like(text.substr(at + 1))) at = text.rfind('@', at - 1);
  if (at == std::string_view::npos || at <= begin || is_digest_like(text.substr(at + 1))) return {};
  const std::string_view before = text.substr(begin, at - begin);
  const bool is_host_behind = text.find_first_of("./", at) != std::string_view::npos;
  return is_host_behind || before.find(':') != std::string_view::npos ? before : std::string_view();
}

// With the login left out: without a password in it, the user's name may be a token.
std::string shown(std::string_view text) {
  const std::string_view login = find_login(text);
  if (login.empty()) return std::string(text);
  const auto begin = static_cast<std::size_t>(login.data() - text.data());
  const std::size_t colon = login.find(':');
  const std::string user(colon == std::string_view::npos ? std::string_view() : login.substr(0, colon + 1));
  return std::string(text.substr(0, begin)) + user + "***" + std::string(text.substr(begin + login.size()));
}

[[noreturn]] void refuse_reference(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::invalid, "not an image name: \"" + printable(shown(text), 120) + "\": " + why);
}

bool has_upper(std::string_view text) { return std::any_of(text.begin(), text.end(), is_upper); }
bool is_name_char(char c) { return is_lower(c) || is_digit(c); }

// --- the host: a DNS name, an IPv4 address or an IPv6 address in brackets, and perhaps a port ------------------------------------

bool is_dns_label(std::string_view label) {
  return !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_dns_name(std::string_view name) {
  const auto labels = split(name, '.');
  return std::all_of(labels.begin(), labels.end(), is_dns_label);
}

bool is_bracketed_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
}

bool is_port(std::string_view port) {
  const auto number = parse_uint(port);
  return port.size() <= 5 && number && *number >= 1 && *number <= port_max;
}

void check_registry(std::string_view text, std::string_view registry) {
  const std::size_t bracket = registry.rfind(']');
  const std::size_t colon = registry.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = registry.substr(0, colon);
  if (host.starts_with('[') ? !is_bracketed_ipv6(host) : !is_dns_name(host)) {
    refuse_reference(text, "\"" + printable(host, 80) + "\" is not a host name, an IPv4 address or an IPv6 address in brackets");
  }
  if (colon != std::string_view::npos && !is_port(registry.substr(colon + 1))) {
    refuse_reference(text, "\"" + printable(registry.substr(colon + 1), 20) + "\" is not a port");
  }
}

// --- the repository: lower-case words joined by '.', '_', '__' or dashes; parts of them joined by '/' ----------------------------

bool is_path_part(std::string_view part) {
  std::size_t i = 0;
  while (true) {
    const std::size_t word = i;
    while (i < part.size() && is_name_char(part[i])) ++i;
    if (i == word) return false;
    if (i == part.size()) return true;
    const std::size_t mark = i;
    while (i < part.size() && !is_name_char(part[i])) ++i;
    const std::string_view separator = part.substr(mark, i - mark);
    const bool dashes = std::all_of(separator.begin(), separator.end(), [](char c) { return c == '-'; });
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
  }
}

void check_repository(std::string_view text, std::string_view repository) {
  if (repository.empty()) refuse_reference(text, "it has no repository");
  if (has_upper(repository)) refuse_reference(text, "the repository must be lower case");
  for (const std::string_view part : split(repository, '/')) {
    if (part.empty()) refuse_reference(text, "a part of its path is empty");
    if (!is_path_part(part)) {
      refuse_reference(text, "\"" + printable(part, 80) + "\" is not letters and digits joined by single dots, one or two underscores, or dashes");
    }
  }
}

void check_tag(std::string_view text, std::string_view tag) {
  if (tag.empty()) refuse_reference(text, "the tag is empty");
  if (tag.size() > tag_bytes_max) refuse_reference(text, "the tag is longer than " + std::to_string(tag_bytes_max) + " characters");
  const auto is_word = [](char c) { return is_alnum(c) || c == '_'; };
  if (!is_word(tag.front()) || !std::all_of(tag.begin(), tag.end(), [&](char c) { return is_word(c) || c == '.' || c == '-'; })) {
    refuse_reference(text, "a tag is letters, digits, _, . and -, and begins with none of the last two");
  }
}

// --- taking the text apart -------------------------------------------------------------------------------------------------------

struct Parts {
  std::string_view name;
  std::optional<std::string_view> tag;
  std::optional<std::string_view> digest;
};

// "host:5000/a/b:tag@sha256:…": the digest is behind the first '@', the tag behind the last ':' that no '/' follows.
Parts split_parts(std::string_view text) {
  Parts parts{text, std::nullopt, std::nullopt};
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    parts.digest = text.substr(at + 1);
    parts.name = text.substr(0, at);
  }
  const std::size_t slash = parts.name.rfind('/');
  const std::size_t colon = parts.name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    parts.tag = parts.name.substr(colon + 1);
    parts.name = parts.name.substr(0, colon);
  }
  return parts;
}

bool is_image_id(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

struct Name {
  std::string registry;
  std::string repository;
};

// docker's rule for which first part is a registry.
Name split_registry(std::string_view name) {
  const std::size_t slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  const bool is_registry = slash != std::string_view::npos &&
                           (first == "localhost" || first.find_first_of(".:") != std::string_view::npos || has_upper(first));
  Name result{std::string(is_registry ? first : default_registry), std::string(is_registry ? name.substr(slash + 1) : name)};
  if (result.registry == old_default_registry) result.registry = default_registry;
  if (result.registry == default_registry && !result.repository.empty() && result.repository.find('/') == std::string::npos) {
    result.repository.insert(0, official_prefix);
  }
  return result;
}

void refuse_other_notations(std::string_view text) {
  if (text.empty()) refuse_reference(text, "it is empty");
  if (is_image_id(text)) refuse_reference(text, "64 hexadecimal digits are an image ID, not a name");
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    refuse_reference(text, "a name has no scheme; leave out \"" + printable(text.substr(0, scheme + 3), 40) + "\"");
  }
  // Before any part of it is looked at, and said.
  if (!find_login(text).empty()) refuse_reference(text, "what follows @ is no digest, and a name holds no login: use docker login");
}

}  // namespace

Reference Reference::parse(std::string_view text) {
  refuse_other_notations(text);
  const Parts parts = split_parts(text);
  Name name = split_registry(parts.name);
  check_registry(text, name.registry);
  check_repository(text, name.repository);
  if (name.registry.size() + 1 + name.repository.size() > reference_name_bytes_max) {
    refuse_reference(text, "registry and repository are longer than " + std::to_string(reference_name_bytes_max) + " characters");
  }
  Reference reference;
  reference.registry_ = std::move(name.registry);
  reference.repository_ = std::move(name.repository);
  if (parts.tag) {
    check_tag(text, *parts.tag);
    reference.tag_ = std::string(*parts.tag);
  }
  if (parts.digest) {
    reference.digest_ = Digest::try_parse(*parts.digest);
    if (!reference.digest_) refuse_reference(text, "what follows @ is not sha256: and 64 lower-case hex digits, or sha512: and 128");
  }
  if (!parts.tag && !parts.digest) reference.tag_ = default_tag;
  return reference;
}

namespace {

std::string with_tag_and_digest(std::string name, const Reference& reference) {
  if (reference.tag()) name += ':' + *reference.tag();
  if (reference.digest()) name += '@' + reference.digest()->to_string();
  return name;
}

}  // namespace

std::string Reference::to_string() const { return with_tag_and_digest(name(), *this); }

std::string Reference::familiar() const { return with_tag_and_digest(familiar_name(), *this); }

std::string Reference::manifest_name() const { return digest_ ? digest_->to_string() : tag_.value_or(std::string(default_tag)); }

std::string Reference::familiar_name() const {
  if (registry_ != default_registry) return name();
  const bool official = repository_.starts_with(official_prefix) && repository_.find('/', official_prefix.size()) == std::string::npos;
  return official ? repository_.substr(official_prefix.size()) : repository_;
}

Reference Reference::with_digest(const Digest& digest) const {
  Reference other = *this;
  other.digest_ = digest;
  return other;
}

Reference Reference::without_digest() const {
  Reference other = *this;
  other.digest_.reset();
  if (!other.tag_) other.tag_ = default_tag;
  return other;
}

Reference Reference::at(std::string registry, std::string repository) const {
  Reference other = *this;
  other.registry_ = std::move(registry);
  other.repository_ = std::move(repository);
  return other;
}

}  // namespace drover
