// Who we are at which registry: docker's config.json and podman's auth.json, credential helpers included.
//
// Formats: docker/cli config file (`auths`, `credsStore`, `credHelpers`), containers-auth.json(5) (keys with a path), and the
// docker-credential-helpers protocol. A credential is only ever given for the registry it is stored under.
#pragma once

#include "base/context.h"
#include "manifest/reference.h"
#include "registry/secret.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// docker's own files are a few KiB.
inline constexpr std::uint64_t credential_file_bytes_max = 1U << 20U;

struct Credential {
  std::string username;
  Secret password;
  Secret identity_token;  // an OAuth2 refresh token, traded for access tokens by POST
  Secret registry_token;  // a ready bearer token
  std::string source;     // for people: file and key, or the helper's name; never a secret

  bool is_empty() const { return password.empty() && identity_token.empty() && registry_token.empty(); }
};

// One key of `auths`, as it matches references.
struct CredentialKey {
  std::string registry;    // lower case; "docker.io" for all of Docker Hub's names
  std::string repository;  // a path prefix, empty for the whole registry

  bool matches(const Reference& reference) const;
  friend bool operator==(const CredentialKey&, const CredentialKey&) = default;
};

// "https://index.docker.io/v1/" -> docker.io; "https://ghcr.io/v2/" -> ghcr.io; "quay.io/acme/api" -> quay.io and acme/api.
CredentialKey parse_credential_key(std::string_view text);
// What a credential helper is asked for: docker's own spelling of the registry.
std::string helper_server_name(std::string_view registry);

// One file, parsed. Broken entries are left out.
class CredentialFile {
 public:
  // Throws invalid when the text is not a JSON object; `name` only fills Credential::source.
  static CredentialFile parse(std::string_view text, std::string_view name);

  // The helper that this file names for a registry: credHelpers' own entry, else credsStore. Not checked yet.
  std::optional<std::string> helper_for(const Reference& reference) const;
  // From `auths`: the longest path first, then the registry's own entry.
  std::optional<Credential> find(const Reference& reference) const;

 private:
  struct Entry {
    CredentialKey key;
    Credential credential;
  };
  std::vector<Entry> entries_;
  std::map<std::string, std::string> helpers_;  // registry -> helper
  std::string default_helper_;
};

// Thread-safe. Each answer is remembered for the object's lifetime, so that a helper runs once a registry.
class Credentials {
 public:
  Credentials(std::vector<std::filesystem::path> files, std::string program_path);

  // Nothing: anonymous. A helper that is missing, broken, slow or answers for another host is a warning, and the search goes on for the
  // same registry. Throws only interrupted.
  std::optional<Credential> find(const Context& ctx, const Reference& reference);
  // Where `find` would look first, without running anything; for --explain.
  std::string describe(const Context& ctx, const Reference& reference);

 private:
  void load(const Context& ctx);
  std::optional<Credential> look_up(const Context& ctx, const Reference& reference);
  std::optional<Credential> ask_helper(const Context& ctx, const std::string& helper, const Reference& reference,
                                       const std::string& file_name);

  const std::vector<std::filesystem::path> paths_;
  const std::string program_path_;
  std::mutex mutex_;
  bool is_loaded_ = false;
  std::vector<std::pair<std::string, CredentialFile>> files_;  // name and content
  std::map<std::string, std::optional<Credential>> found_;     // by registry/repository
  std::map<std::pair<std::string, std::string>, std::optional<Credential>> helper_answers_;  // by helper and registry
};

}  // namespace drover::registry
