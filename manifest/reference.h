// An image's name as docker understands it (distribution/reference; docker.io and library/ filled in).
//
// The first path part is a registry when it holds a dot, a colon or an upper-case letter or is "localhost", as docker has it.
#pragma once

#include "digest/digest.h"

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace drover {

// Of registry, slash and repository together (distribution-spec v1.1 section "pulling manifests").
inline constexpr std::size_t reference_name_bytes_max = 255;
inline constexpr std::size_t tag_bytes_max = 128;

// Immutable after parse. Where tag and digest are both given, the digest decides what is fetched.
class Reference {
 public:
  // "redis", "ghcr.io/acme/api:1.4", "[::1]:5000/x@sha256:…"; no tag and no digest means :latest. Throws invalid with what is wrong.
  static Reference parse(std::string_view text);

  const std::string& registry() const { return registry_; }      // "docker.io", "127.0.0.1:5000", "[::1]:5000"
  const std::string& repository() const { return repository_; }  // "library/redis"
  const std::optional<std::string>& tag() const { return tag_; }
  const std::optional<Digest>& digest() const { return digest_; }

  // "docker.io/library/redis:7@sha256:…": canonical, every part written out.
  std::string to_string() const;
  // As docker shows it: "redis:7"; what an engine's RepoTags hold.
  std::string familiar() const;
  // The tag, or the digest where there is one: the last path part of /v2/<repository>/manifests/.
  std::string manifest_name() const;
  // "docker.io/library/redis" and "redis".
  std::string name() const { return registry_ + "/" + repository_; }
  std::string familiar_name() const;
  Reference with_digest(const Digest& digest) const;  // the tag stays
  Reference without_digest() const;                     // :latest where there was no tag
  // The same tag and digest by the name that a mirror has for it. Both parts are taken as they are.
  Reference at(std::string registry, std::string repository) const;

  friend bool operator==(const Reference&, const Reference&) = default;
  friend auto operator<=>(const Reference&, const Reference&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Reference& r) { return out << r.to_string(); }

 private:
  Reference() = default;
  std::string registry_;
  std::string repository_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

}  // namespace drover
