// The files that name mirrors, parsed: containerd's hosts.toml (drover's own format as well), docker's daemon.json and the registries.conf
// of podman and its kin. Pure; each function throws invalid with "<file>:<line>: what is wrong" in front.
//
// Sources: containerd docs/hosts.md, docker's daemon configuration reference, containers-registries.conf(5). Members that concern other
// things than pulling are passed over; unknown ones as well, which hosts.toml's rule names.
#pragma once

#include "registry/source.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// Hosts or mirrors of one registry, and registries of one file.
inline constexpr std::size_t mirrors_max = 100;
inline constexpr std::size_t mirror_rules_max = 10'000;

// hosts.toml of the folder that stands for `prefix` (empty: containerd's _default). Nothing for a file that says nothing. Relative paths of
// certificates begin at the file's folder.
std::optional<MirrorRule> parse_hosts_toml(std::string_view text, const std::filesystem::path& file, std::string prefix);

// `[[registry]]` tables, version 2 of the format, in the file's order. Short names are docker's business here: unqualified-search-registries
// and aliases are passed over.
std::vector<MirrorRule> parse_registries_conf(std::string_view text, const std::filesystem::path& file);

// What daemon.json says.
class DaemonFile {
 public:
  static DaemonFile parse(std::string_view text, const std::filesystem::path& file);

  // registry-mirrors for docker.io; insecure-registries for those it lists by name ("lan:5000" is not "lan") or network ("10.0.0.0/8",
  // matched against addresses only: no name is looked up).
  std::optional<MirrorRule> find(const Reference& reference) const;

 private:
  bool is_insecure(std::string_view registry) const;

  std::vector<MirrorRule::Entry> mirrors_;
  std::vector<std::string> insecure_;
  std::string insecure_origin_;
};

// Whether `address`, an IPv4 or IPv6 address without brackets, lies in `network`, "10.0.0.0/8". False when either is none.
bool is_in_network(std::string_view address, std::string_view network);

}  // namespace drover::registry
