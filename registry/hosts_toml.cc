// containerd's hosts.toml: the sources of one registry, in the order of the file, and the registry itself behind them.
#include "registry/mirror_files.h"

#include "base/error.h"
#include "base/text.h"
#include "net/request_head.h"
#include "registry/toml_file.h"

#include <algorithm>
#include <array>
#include <utility>

namespace drover::registry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t headers_max = 32;          // of one host
constexpr std::size_t header_bytes_max = 8192;   // nginx takes no larger line (large_client_header_buffers)

// "/a//b/./" -> "/a/b", "/" -> "".
std::string clean_path(std::string_view target, const TomlTable& table) {
  std::string path;
  for (const std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.find_first_of("?%") != std::string_view::npos) table.refuse("server", "a path of plain words is wanted");
    path.append("/").append(part);
  }
  return path;
}

Site parse_site(const std::string& server, const TomlTable& table, std::string origin) {
  Site site{.origin = std::move(origin)};
  const bool has_scheme = server.find("://") != std::string::npos;
  net::Url url;
  try {
    url = net::Url::parse(has_scheme ? server : "https://" + server);
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid, site.origin + ": " + error.what());
  }
  site.registry = registry_name(url);
  site.scheme = url.scheme == "https" ? Site::Scheme::https : Site::Scheme::http;
  site.api = clean_path(url.target, table);
  if (!table.find_switch("override_path").value_or(false) && !site.api.ends_with("/v2")) site.api += "/v2";
  return site;
}

void read_capabilities(const TomlTable& table, MirrorRule::Entry& entry) {
  if (!table.has("capabilities")) return;
  const std::vector<std::string> words = table.find_texts("capabilities");
  if (words.empty()) return;  // as if it were not there
  entry.can_resolve = entry.can_pull = false;
  for (const std::string& word : words) {
    const std::string capability = to_lower(word);
    if (capability == "resolve") {
      entry.can_resolve = true;
    } else if (capability == "pull") {
      entry.can_pull = true;
    } else if (capability != "push" && capability != "referrers") {
      table.refuse("capabilities", "unknown: " + printable(word, 40) + "; pull, resolve and push are known");
    }
  }
}

void read_certificates(const TomlTable& table, const fs::path& folder, Site& site, std::vector<std::string>& notes) {
  site.is_verified = !table.find_switch("skip_verify").value_or(false);
  if (const std::vector<std::string> files = table.find_texts("ca"); !files.empty()) {
    site.tls.ca_file = folder / files.front();
    if (files.size() > 1) notes.push_back(table.where("ca") + ": only the first of several authorities is used; put them into one file");
  }
  if (const std::vector<std::vector<std::string>> pairs = table.find_text_lists("client"); !pairs.empty()) {
    if (pairs.front().empty() || pairs.front().size() > 2) table.refuse("client", "neither a file nor a pair of certificate and key");
    site.tls.client_cert = folder / pairs.front().front();
    site.tls.client_key = folder / pairs.front().back();  // one file may hold both
    if (pairs.size() > 1) notes.push_back(table.where("client") + ": only the first of several certificates is shown");
  }
}

// What containerd knows and is of no matter here is known as well. At the top, the members of a host are the server's.
std::vector<std::string> find_unknown(const TomlTable& table, bool is_top) {
  std::vector<std::string> known = {"capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"};
  if (is_top) known.insert(known.end(), {"server", "host"});
  std::vector<std::string> unknown;
  for (const std::string& key : table.keys()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::optional<std::string> meant = did_you_mean(key, known);
    unknown.push_back(table.where(key) + ": " + printable(key, 40) + ": not known" + (meant ? "; did you mean " + *meant + "?" : ""));
  }
  return unknown;
}

// No line can be broken, and so no header be smuggled in.
bool is_header_value(std::string_view value) {
  return value.size() <= header_bytes_max && std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

// The value is not in any message: it may be a login.
void read_headers(const TomlTable& table, Site& site, std::vector<std::string>& notes) {
  // What frames a request, or says which bytes are wanted, is ours.
  constexpr std::array<std::string_view, 8> own = {"accept-encoding", "connection",        "content-length", "host",
                                                   "range",           "transfer-encoding", "te",             "upgrade"};
  for (const std::string& key : table.find_keys("header")) {
    const TomlTable headers = table.table("header");
    const std::string name = to_lower(key);
    if (!net::is_token(name)) table.refuse("header", printable(key, 40) + " is not a header's name");
    if (std::find(own.begin(), own.end(), name) != own.end()) {
      notes.push_back(headers.where(key) + ": header " + name + " is not sent, drover has its own");
      continue;
    }
    for (const std::string& value : headers.find_texts(key)) {
      if (!is_header_value(value)) headers.refuse(key, "not a header's value");
      if (site.headers.size() == headers_max) table.refuse("header", "more than " + std::to_string(headers_max) + " of them");
      site.headers.push_back({.name = name, .value = Secret(value)});
    }
  }
}

}  // namespace

std::optional<MirrorRule> parse_hosts_toml(std::string_view text, const fs::path& file, std::string prefix) {
  const std::string name = file.string();
  const TomlValue document = parse_toml(text, file);
  const TomlTable root(document, name);
  if (root.is_empty()) return std::nullopt;
  MirrorRule rule{.prefix = std::move(prefix), .origin = root.where()};
  const auto add = [&](const std::string& server, const TomlTable& table, std::string origin, bool is_mirror) {
    MirrorRule::Entry entry{.is_mirror = is_mirror, .says_namespace = is_mirror};
    if (server.empty()) {
      entry.site.origin = std::move(origin);
    } else {
      entry.site = parse_site(server, table, std::move(origin));
    }
    read_capabilities(table, entry);
    read_certificates(table, file.parent_path(), entry.site, rule.notes);
    read_headers(table, entry.site, rule.notes);
    const std::vector<std::string> unknown = find_unknown(table, !is_mirror);
    rule.unknown.insert(rule.unknown.end(), unknown.begin(), unknown.end());
    rule.entries.push_back(std::move(entry));
  };
  for (const auto& [host, table] : root.find_named_tables("host")) {
    if (rule.entries.size() == mirrors_max) table.refuse("host", "more than " + std::to_string(mirrors_max) + " of them");
    if (host.empty()) table.refuse("host", "it has no name");
    add(host, table, table.where(), true);
  }
  add(root.find_text("server").value_or(""), root, root.where("server"), false);
  return rule;
}

}  // namespace drover::registry
