// docker's daemon.json: registry-mirrors and insecure-registries.
#include "registry/mirror_files.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace drover::registry {
namespace {

using nlohmann::json;

constexpr std::string_view mirrors_member = "registry-mirrors";
constexpr std::string_view insecure_member = "insecure-registries";

// The parser does not say where a value stands; the text does, well enough for people.
std::string place(const std::filesystem::path& file, std::string_view text, std::size_t at) {
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), '\n');
  return printable(file.string()) + ":" + std::to_string(lines + 1);
}

std::string place_of(const std::filesystem::path& file, std::string_view text, const std::string& value, std::string_view member) {
  const std::size_t at = text.find("\"" + value + "\"");
  return place(file, text, at != std::string_view::npos ? at : text.find("\"" + std::string(member) + "\""));
}

json parse_object(std::string_view text, const std::filesystem::path& file) {
  try {
    json document = json::parse(text);
    if (document.is_object()) return document;
  } catch (const json::parse_error& error) {
    throw Error(ErrorCode::invalid, place(file, text, error.byte) + ": not JSON");
  }
  throw Error(ErrorCode::invalid, place(file, text, 0) + ": not a JSON object");
}

std::vector<std::string> strings(const json& document, std::string_view member, std::string_view text, const std::filesystem::path& file) {
  const auto found = document.find(member);
  if (found == document.end() || found->is_null()) return {};
  const bool is_good = found->is_array() && found->size() <= mirrors_max &&
                       std::all_of(found->begin(), found->end(), [](const json& value) { return value.is_string(); });
  if (!is_good) {
    throw Error(ErrorCode::invalid, place_of(file, text, std::string(member), member) + ": " + std::string(member) + " is not a list of at most " +
                                        std::to_string(mirrors_max) + " texts");
  }
  return found->get<std::vector<std::string>>();
}

MirrorRule::Entry parse_mirror(const std::string& mirror, std::string origin) {
  net::Url url;
  try {
    url = net::Url::parse(mirror);
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid, origin + ": registry-mirrors: " + error.what());
  }
  std::string path = url.target;
  while (path.ends_with('/')) path.pop_back();
  if (path.find_first_of("?%") != std::string::npos) throw Error(ErrorCode::invalid, origin + ": registry-mirrors: a mirror has no query");
  if (!path.ends_with("/v2")) path += "/v2";
  return {.site = {.registry = registry_name(url),
                   .scheme = url.scheme == "https" ? Site::Scheme::https : Site::Scheme::http,
                   .api = std::move(path),
                   .origin = std::move(origin)}};
}

// "fd00::5" of "[fd00::5]:5000".
std::string_view host_of(std::string_view registry) {
  if (registry.starts_with('[')) return registry.substr(1, registry.find(']') - 1);
  return registry.substr(0, registry.find(':'));
}

// Network order; nothing when it is no address.
std::vector<unsigned char> parse_address(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  const std::string copy(text);
  if (inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.begin() + 4};
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.end()};
  return {};
}

}  // namespace

bool is_in_network(std::string_view address, std::string_view network) {
  const std::size_t slash = network.find('/');
  if (slash == std::string_view::npos) return false;
  const std::vector<unsigned char> base = parse_address(network.substr(0, slash));
  const std::vector<unsigned char> mine = parse_address(address);
  const std::optional<std::uint64_t> length = parse_uint(network.substr(slash + 1));
  if (base.empty() || mine.size() != base.size() || !length || *length > base.size() * 8) return false;
  for (std::size_t bit = 0; bit < *length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((base[bit / 8] ^ mine[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

DaemonFile DaemonFile::parse(std::string_view text, const std::filesystem::path& file) {
  const json document = parse_object(text, file);
  DaemonFile daemon;
  daemon.insecure_ = strings(document, insecure_member, text, file);
  daemon.insecure_origin_ = place_of(file, text, std::string(insecure_member), insecure_member);
  for (std::string& host : daemon.insecure_) host = to_lower(host);
  for (const std::string& mirror : strings(document, mirrors_member, text, file)) {
    MirrorRule::Entry entry = parse_mirror(mirror, place_of(file, text, mirror, mirrors_member));
    entry.site.is_verified = !daemon.is_insecure(entry.site.registry);
    daemon.mirrors_.push_back(std::move(entry));
  }
  return daemon;
}

bool DaemonFile::is_insecure(std::string_view registry) const {
  return std::any_of(insecure_.begin(), insecure_.end(),
                     [&](const std::string& listed) { return listed == registry || is_in_network(host_of(registry), listed); });
}

std::optional<MirrorRule> DaemonFile::find(const Reference& reference) const {
  const std::string& registry = reference.registry();
  if (registry == "docker.io" && !mirrors_.empty()) {
    MirrorRule rule{.prefix = registry, .entries = mirrors_, .origin = mirrors_.front().site.origin};
    rule.entries.push_back({.is_mirror = false});
    return rule;
  }
  if (!is_insecure(registry)) return std::nullopt;
  MirrorRule rule{.prefix = registry, .origin = insecure_origin_};
  rule.entries.push_back({.site = {.scheme = Site::Scheme::any, .origin = insecure_origin_}, .is_mirror = false});
  return rule;
}

}  // namespace drover::registry
