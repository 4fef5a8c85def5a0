// Platforms of images and which one a machine takes (containerd's rules: OCI image-spec v1.1 image-index.md §platform).
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
  std::vector<std::string> os_features;

  // "os/arch[/variant]" or a lone arch; normalised. Throws usage with a hint, e.g. for "arm64/v8", which lacks its OS.
  static Platform parse(std::string_view text);
  // This machine's, normalised.
  static Platform host();

  // "linux/arm64", "linux/arm/v7": the normalised form.
  std::string to_string() const;
  bool is_unknown() const { return os == "unknown" || architecture == "unknown"; }  // attestations

  friend bool operator==(const Platform&, const Platform&) = default;
  friend auto operator<=>(const Platform&, const Platform&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Platform& p) { return out << p.to_string(); }
};

// Aliases and default variants folded: x86_64 -> amd64, aarch64 -> arm64, arm64/v8 -> arm64, arm -> arm/v7, amd64/v1 -> amd64, ...
Platform normalise(Platform platform);

// What `wanted` can run, best first, itself included: linux/arm64 -> arm64, arm/v7, arm/v6, arm/v5; linux/amd64/v3 -> v3, v2, amd64, 386.
std::vector<Platform> fallbacks(const Platform& wanted);

// Smaller is better; nothing when `candidate` does not run on `wanted`. Both are normalised first.
std::optional<std::size_t> match_rank(const Platform& wanted, const Platform& candidate);

}  // namespace drover
