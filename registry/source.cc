#include "registry/source.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/credentials.h"

namespace drover::registry {
namespace {

// How long the part of `name` is that the prefix stands for.
std::optional<std::size_t> matched_length(std::string_view prefix, std::string_view name) {
  const auto ends_part = [&](std::size_t at) { return at == name.size() || name[at] == '/'; };
  if (!prefix.starts_with("*.")) {
    return name.starts_with(prefix) && ends_part(prefix.size()) ? std::optional(prefix.size()) : std::nullopt;
  }
  prefix.remove_prefix(1);  // ".example.com"
  const std::size_t at = name.find(prefix);
  const bool is_in_host = at != std::string_view::npos && at > 0 && name.substr(0, at).find('/') == std::string_view::npos;
  return is_in_host && ends_part(at + prefix.size()) ? std::optional(at + prefix.size()) : std::nullopt;
}

}  // namespace

std::optional<std::string> name_behind(std::string_view prefix, const Reference& reference) {
  if (prefix.empty()) return reference.repository();
  const std::string name = reference.name();
  const std::optional<std::size_t> length = matched_length(prefix, name);
  return length ? std::optional(name.substr(std::min(*length + 1, name.size()))) : std::nullopt;
}

Source registry_itself(const Reference& reference) {
  return {.site = {.registry = reference.registry()}, .repository = reference.repository()};
}

std::vector<Source> sources_of(const MirrorRule& rule, const Reference& reference) {
  const std::string rest = name_behind(rule.prefix, reference).value_or("");
  std::vector<Source> sources;
  for (const MirrorRule::Entry& entry : rule.entries) {
    if (entry.is_for_tags_only && reference.digest()) continue;
    Source source{.site = entry.site,
                  .repository = entry.path + (entry.path.empty() || rest.empty() ? "" : "/") + rest,
                  .namespace_name = entry.says_namespace ? reference.registry() : std::string(),
                  .is_mirror = entry.is_mirror,
                  .can_resolve = entry.can_resolve,
                  .can_pull = entry.can_pull};
    if (source.site.registry.empty()) {
      source.site.registry = reference.registry();
      source.repository = reference.repository();
    }
    if (source.repository.empty()) {
      throw Error(ErrorCode::invalid, entry.site.origin + ": " + entry.site.registry + " in place of " + rule.prefix + " leaves no repository of " +
                                          reference.name());
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

std::string registry_name(const net::Url& url) {
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  const bool has_own_port = url.port != (url.scheme == "https" ? 443 : 80);
  return parse_credential_key(host + (has_own_port ? ":" + std::to_string(url.port) : "")).registry;
}

}  // namespace drover::registry
