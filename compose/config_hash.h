// The config hash that docker compose writes on containers, networks and volumes, and compares to know whether they are still
// right.
//
// It is the SHA-256 of the resource as Go's encoding/json prints it, so it changed whenever that text changed: an epoch is a
// range of releases of docker compose that agree. A container is what the model says if its label is the hash of any epoch;
// docker compose itself accepts only that of its own. Labels: com.docker.compose.config-hash.
#pragma once

#include "compose/project.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

enum class HashEpoch {
  compose_2_24,   // to 2.28
  debian_2_26_1,  // as Debian 13 builds it, with the loader of 2.33
  compose_2_29,
  compose_2_30,
  compose_2_31,   // to 2.33
  compose_2_34,   // and 2.35
  compose_2_36,   // to 2.40.3
  compose_5_0_0,  // and 5.0.1
  compose_5_0_2,  // and later
};

// What the text of a service has in an epoch.
struct HashEpochRow {
  HashEpoch epoch;
  std::string_view first_release;  // "2.36.0"
  bool has_dependencies = false;
  bool has_profiles = false;
  bool has_short_devices = false;      // "/dev/a:/dev/b" instead of an object
  bool has_unset_variables = true;     // as null
  bool has_decimal_modes = false;      // of configs and secrets, a number instead of octal text
  bool has_old_network_order = false;  // of members; alphabetical since
  // create_host_path of a bind mount: printed when true, or since 5.0 when false; what is not written is then false first and
  // true later.
  enum class HostPath { when_true, when_not_true, when_refused } host_path = HostPath::when_true;
};

// Oldest first.
std::span<const HashEpochRow> hash_epochs();

// Of a release as the label com.docker.compose.version has it ("2.40.3", "v5.1.0-desktop"). Nothing for releases before 2.24 and
// for what is none.
std::optional<HashEpoch> epoch_of_release(std::string_view version);

// What docker compose puts in place of "service:NAME" before it hashes: the container that is shared. Nothing keeps what the
// service says.
struct SharedContainers {
  std::optional<std::string> network_mode = {};  // "container:<id>"
  std::optional<std::string> ipc = {};
  std::optional<std::string> pid = {};
  std::optional<std::vector<std::string>> volumes_from = {};  // "<id>[:ro]"
};

// Lower-case hex.
std::string config_hash(const Service& service, HashEpoch epoch, const SharedContainers& shared = {});
std::string config_hash(const Network& network);  // since 2.31
std::string config_hash(const Volume& volume);    // since 2.32

// The text that is hashed: for telling what differs, and for tests.
std::string hashed_text(const Service& service, HashEpoch epoch, const SharedContainers& shared = {});

}  // namespace drover::compose
