#include "registry/credentials.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "registry/credential_helper.h"
#include "registry/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace drover::registry {
namespace {

using nlohmann::json;

// docker login has written all of these for Docker Hub over the years.
constexpr std::string_view docker_hub_names[] = {"docker.io", "index.docker.io", "registry-1.docker.io", "registry.docker.io",
                                                 "registry.hub.docker.com"};

Credential parse_entry(const json& entry) {
  Credential credential;
  credential.username = text_member(entry, "username");
  credential.password = Secret(text_member(entry, "password"));
  credential.identity_token = Secret(text_member(entry, "identitytoken"));
  credential.registry_token = Secret(text_member(entry, "registrytoken"));
  const std::optional<std::string> pair = decode_base64(trim(text_member(entry, "auth")));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon != std::string::npos) {
    credential.username = pair->substr(0, colon);
    std::string password = pair->substr(colon + 1);
    while (password.ends_with('\0')) password.pop_back();  // some writers encode a fixed-size buffer; docker strips it, too
    credential.password = Secret(std::move(password));
  }
  return credential;
}

bool is_api_path(std::string_view path) { return path == "v1" || path == "v2" || path.starts_with("v1/") || path.starts_with("v2/"); }

}  // namespace

bool CredentialKey::matches(const Reference& reference) const {
  if (registry != parse_credential_key(reference.registry()).registry) return false;
  if (repository.empty() || repository == reference.repository()) return true;
  return reference.repository().starts_with(repository + "/");
}

CredentialKey parse_credential_key(std::string_view text) {
  text = trim(text);
  bool has_scheme = false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!equals_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
    text.remove_prefix(scheme.size());
    has_scheme = true;
    break;
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  CredentialKey key{to_lower(text.substr(0, slash)), {}};
  std::string_view path = text.substr(std::min(slash + 1, text.size()));
  while (path.ends_with('/')) path.remove_suffix(1);
  // A URL names a server; only the bare form names a part of one.
  if (!has_scheme && !is_api_path(path)) key.repository = path;
  if (std::find(std::begin(docker_hub_names), std::end(docker_hub_names), key.registry) != std::end(docker_hub_names)) {
    key.registry = "docker.io";
  }
  return key;
}

std::string helper_server_name(std::string_view registry) {
  return registry == "docker.io" ? "https://index.docker.io/v1/" : std::string(registry);
}

CredentialFile CredentialFile::parse(std::string_view text, std::string_view name) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) {
    throw Error(ErrorCode::invalid, "credential file " + printable(name) + " is not a JSON object; its logins are not used");
  }
  CredentialFile file;
  file.default_helper_ = text_member(document, "credsStore");
  if (const auto helpers = document.find("credHelpers"); helpers != document.end() && helpers->is_object()) {
    for (const auto& [key, helper] : helpers->items()) {
      if (helper.is_string()) file.helpers_.emplace(parse_credential_key(key).registry, helper.get<std::string>());
    }
  }
  if (const auto auths = document.find("auths"); auths != document.end() && auths->is_object()) {
    for (const auto& [key, value] : auths->items()) {
      if (!value.is_object()) continue;
      Entry entry{parse_credential_key(key), parse_entry(value)};
      if (entry.credential.is_empty()) continue;  // docker leaves {} behind for what a helper holds
      entry.credential.source = printable(name) + ": auths[\"" + printable(key) + "\"]";
      file.entries_.push_back(std::move(entry));
    }
  }
  std::stable_sort(file.entries_.begin(), file.entries_.end(), [](const Entry& a, const Entry& b) {
    return a.key.repository.size() > b.key.repository.size();
  });
  return file;
}

std::optional<std::string> CredentialFile::helper_for(const Reference& reference) const {
  const auto found = helpers_.find(parse_credential_key(reference.registry()).registry);
  if (found != helpers_.end()) return found->second;
  if (!default_helper_.empty()) return default_helper_;
  return std::nullopt;
}

std::optional<Credential> CredentialFile::find(const Reference& reference) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key.matches(reference); });
  if (found == entries_.end()) return std::nullopt;
  return found->credential;
}

Credentials::Credentials(std::vector<std::filesystem::path> files, std::string program_path)
    : paths_(std::move(files)), program_path_(std::move(program_path)) {}

void Credentials::load(const Context& ctx) {
  if (std::exchange(is_loaded_, true)) return;
  for (const std::filesystem::path& path : paths_) {
    try {
      if (const std::optional<std::string> text = try_read_file(path, credential_file_bytes_max)) {
        files_.emplace_back(path.string(), CredentialFile::parse(*text, path.string()));
      }
    } catch (const Error& error) {
      ctx.warn(error.what());
    }
  }
}

std::optional<Credential> Credentials::find(const Context& ctx, const Reference& reference) {
  const std::lock_guard lock(mutex_);
  const auto known = found_.find(reference.name());
  if (known != found_.end()) return known->second;
  load(ctx);
  return found_.emplace(reference.name(), look_up(ctx, reference)).first->second;
}

std::optional<Credential> Credentials::look_up(const Context& ctx, const Reference& reference) {
  for (const auto& [name, file] : files_) {
    std::optional<Credential> credential;
    if (const std::optional<std::string> helper = file.helper_for(reference)) credential = ask_helper(ctx, *helper, reference, name);
    if (!credential) credential = file.find(reference);
    if (credential) return credential;
  }
  return std::nullopt;
}

std::optional<Credential> Credentials::ask_helper(const Context& ctx, const std::string& helper, const Reference& reference,
                                                  const std::string& file_name) {
  const std::pair question{helper, reference.registry()};
  const auto known = helper_answers_.find(question);
  if (known != helper_answers_.end()) return known->second;
  std::optional<Credential> credential;
  try {
    credential = run_credential_helper(ctx, helper, helper_server_name(reference.registry()), program_path_);
    if (credential) credential->source = "docker-credential-" + helper + ", named in " + printable(file_name);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    ctx.warn(std::string(error.what()) + "; going on without its login for " + printable(reference.registry()) + " (named in " +
             printable(file_name) + ")");
  }
  return helper_answers_.emplace(question, credential).first->second;
}

std::string Credentials::describe(const Context& ctx, const Reference& reference) {
  const std::lock_guard lock(mutex_);
  if (const auto known = found_.find(reference.name()); known != found_.end()) {
    return known->second ? known->second->source : "none, anonymous";
  }
  load(ctx);
  for (const auto& [name, file] : files_) {
    if (const std::optional<std::string> helper = file.helper_for(reference)) {
      return "docker-credential-" + printable(*helper) + ", named in " + printable(name);
    }
    if (const std::optional<Credential> credential = file.find(reference)) return credential->source;
  }
  return "none, anonymous";
}

}  // namespace drover::registry
