// Platforms of images and which one a machine takes (containerd's rules: OCI image-spec v1.1 image-index.md §platform).
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

struct Platform {
  std::string os = {};
  std::string architecture = {};
  std::string variant = {};
  std::string os_version = {};
  std::vector<std::string> os_features = {};

  // "os/arch[/variant]", a lone arch (of this OS) or a lone known OS (of this arch); normalised. The OS may carry options:
  // "windows(10.0.17763.1+win32k)/amd64". Throws usage with a hint, e.g. for "arm64/v8", which lacks its OS.
  static Platform parse(std::string_view text);
  // This machine's, normalised.
  static Platform host();

  // "linux/arm64", "linux/arm/v7", "windows(10.0.17763.1)/amd64": the normalised form, which parse() takes. Words from a document
  // may hold anything; printable() them for a terminal.
  std::string to_string() const;
  bool is_unknown() const { return os == "unknown" || architecture == "unknown"; }  // attestations

  friend bool operator==(const Platform&, const Platform&) = default;
  friend auto operator<=>(const Platform&, const Platform&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Platform& p) { return out << p.to_string(); }
};

// Aliases and default variants folded: x86_64 -> amd64, aarch64 -> arm64, arm64/v8 -> arm64, arm -> arm/v7, amd64/v1 -> amd64, ...
// An empty OS becomes this machine's; features are sorted.
Platform normalise(Platform platform);

// What `wanted` can run, best first, itself included: linux/arm64 -> arm64, arm/v8, arm/v7, arm/v6, arm/v5;
// linux/amd64/v3 -> v3, v2, amd64, 386. Empty for an arm64 variant that is not known: nobody can say what it runs.
std::vector<Platform> fallbacks(const Platform& wanted);

// Smaller is better; nothing when `candidate` does not run on `wanted`. Both are normalised first. The candidate's OS features must
// be among the wanted ones (win32k apart), and on Windows the builds (10.0.17763) must agree where both name one.
std::optional<std::size_t> match_rank(const Platform& wanted, const Platform& candidate);

}  // namespace drover
