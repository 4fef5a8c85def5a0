// containers-registries.conf(5), version 2: prefixes, locations, mirrors.
#include "registry/mirror_files.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/toml_file.h"

#include <utility>

namespace drover::registry {
namespace {

std::string without_slashes(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

// "mirror.lan:5000/proxy": a host that a name could begin with, and perhaps a path.
MirrorRule::Entry parse_location(const TomlTable& table) {
  const std::string location = without_slashes(table.find_text("location").value_or(""));
  const std::size_t slash = std::min(location.find('/'), location.size());
  try {
    if (Reference::parse(location + "/x/x").registry() != location.substr(0, slash)) table.refuse("location", "does not begin with a host");
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid, table.where("location") + ": location: " + error.what());
  }
  const bool is_insecure = table.find_switch("insecure").value_or(false);
  return {.site = {.registry = location.substr(0, slash),
                   .scheme = is_insecure ? Site::Scheme::any : Site::Scheme::by_rule,
                   .origin = table.where("location")},
          .path = location.substr(std::min(slash + 1, location.size()))};
}

void read_use(const TomlTable& mirror, bool is_by_digest_only, MirrorRule::Entry& entry) {
  const std::string use = mirror.find_text("pull-from-mirror").value_or("");
  if (!use.empty() && is_by_digest_only) mirror.refuse("pull-from-mirror", "the registry has mirror-by-digest-only as well");
  if (use == "digest-only" || is_by_digest_only) {
    entry.can_resolve = false;
  } else if (use == "tag-only") {
    entry.is_for_tags_only = true;
  } else if (!use.empty() && use != "all") {
    mirror.refuse("pull-from-mirror", "not one of all, digest-only, tag-only");
  }
}

MirrorRule parse_registry(const TomlTable& table) {
  MirrorRule rule{.prefix = without_slashes(table.find_text("prefix").value_or("")), .origin = table.where()};
  const bool has_location = !without_slashes(table.find_text("location").value_or("")).empty();
  const bool is_wildcard = rule.prefix.starts_with("*.");
  if (!has_location && !is_wildcard) table.refuse("location", "missing");
  if (rule.prefix.empty()) rule.prefix = without_slashes(*table.find_text("location"));
  rule.is_blocked = table.find_switch("blocked").value_or(false);
  const bool is_by_digest_only = table.find_switch("mirror-by-digest-only").value_or(false);
  const std::vector<TomlTable> mirrors = table.find_tables("mirror");
  if (mirrors.size() > mirrors_max) table.refuse("mirror", "more than " + std::to_string(mirrors_max) + " of them");
  for (const TomlTable& mirror : mirrors) {
    rule.entries.push_back(parse_location(mirror));
    read_use(mirror, is_by_digest_only, rule.entries.back());
  }
  MirrorRule::Entry itself{.site = {.origin = table.where()}};
  if (has_location) {
    itself = parse_location(table);
  } else if (table.find_switch("insecure").value_or(false)) {
    itself.site.scheme = Site::Scheme::any;
  }
  itself.is_mirror = false;
  rule.entries.push_back(std::move(itself));
  return rule;
}

}  // namespace

std::vector<MirrorRule> parse_registries_conf(std::string_view text, const std::filesystem::path& file) {
  const std::string name = file.string();
  const TomlValue document = parse_toml(text, file);
  const TomlTable root(document, name);
  if (root.has("registries")) root.refuse("registries", "version 1 of the format is not read; write [[registry]] tables");
  const std::vector<TomlTable> tables = root.find_tables("registry");
  if (tables.size() > mirror_rules_max) root.refuse("registry", "more than " + std::to_string(mirror_rules_max) + " of them");
  std::vector<MirrorRule> rules;
  for (const TomlTable& table : tables) rules.push_back(parse_registry(table));
  return rules;
}

}  // namespace drover::registry
