// What a run goes by: flags first, then the environment, then the defaults written here.
#pragma once

#include "cli/flags.h"
#include "compose/project.h"
#include "engine/endpoint.h"
#include "engine/load.h"
#include "registry/client.h"
#include "registry/resolve.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace drover::cli {

using Environment = std::map<std::string, std::string>;

// The process environment. The only place of the program that reads it.
Environment read_environment();

// What else of the machine decides about defaults.
struct Machine {
  bool is_root = false;
  bool is_error_terminal = false;            // stderr
  bool is_output_terminal = false;           // stdout
  std::filesystem::path working_directory;   // absolute
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();

  static Machine real();
};

enum class ProgressMode { tty, plain, json, none };

inline constexpr std::size_t jobs_default = 8;
inline constexpr std::size_t repeat_max = 1000;
inline constexpr double seconds_max = 3600;
inline constexpr std::size_t jobs_max = 256;  // more connections than any registry serves one client well

struct Settings {
  // --store, DROVER_STORE, /var/lib/drover/store for root, $XDG_DATA_HOME/drover/store, ~/.local/share/drover/store. Absolute.
  std::filesystem::path store;
  // --state-dir, DROVER_STATE, /var/lib/drover/state for root, $XDG_STATE_HOME/drover, ~/.local/state/drover. Absolute.
  std::filesystem::path state;
  engine::EndpointFlags endpoint;            // -H, --context
  compose::LoadOptions compose;              // -f, --project-directory, -p, --env-file, --profile; without standard input
  // --platform, else DOCKER_DEFAULT_PLATFORM; nothing: the command's own default.
  std::optional<registry::PlatformChoice> platforms;
  std::size_t jobs = jobs_default;           // --jobs
  std::uint64_t rate_bytes_per_second = 0;   // --limit-rate; 0: no cap
  std::filesystem::path ca_file;             // --cacert
  registry::ClientOptions registry;          // --insecure-registry, --no-mirrors, credential files, certs.d folders, PATH
  ProgressMode progress = ProgressMode::plain;
  engine::Settle settle = engine::Settle::automatic;
  std::optional<std::chrono::seconds> min_age;  // --min-age
  std::optional<std::chrono::system_clock::time_point> by;  // --by
  std::optional<std::uint64_t> min_free;        // --min-free, bytes
  std::optional<std::size_t> keep;              // --keep
  std::optional<std::uint64_t> free;            // --free, bytes
  std::optional<std::chrono::seconds> stop_timeout;  // -t, --stop-timeout
  std::optional<std::chrono::seconds> gate_timeout;  // --timeout of up, --wait-timeout
  std::optional<std::chrono::system_clock::time_point> since;  // --since, --until
  std::optional<std::chrono::system_clock::time_point> until;
  std::optional<std::int64_t> tail;             // --tail, lines; nothing: all
  std::optional<std::int64_t> index;            // --index
  std::optional<std::size_t> repeat;            // --repeat, rounds of a benchmark
  std::optional<double> seconds;                // --seconds of a benchmark
  std::optional<std::uint64_t> size;            // --size, bytes
  bool has_colours = false;                     // on standard output
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool dry_run = false;
  bool yes = false;
};

// Throws usage: which flag or variable, what is wrong with it, what is right.
Settings make_settings(const Flags& flags, const Environment& environment, const Machine& machine);

// What can be lost: /var/cache/drover for root, $XDG_CACHE_HOME/drover, ~/.cache/drover. Empty when there is no home either. The folder
// may not exist.
std::filesystem::path cache_folder(const Environment& environment, const Machine& machine);

// Where docker and podman keep credentials, in the order they are asked.
std::vector<std::filesystem::path> credential_files(const Environment& environment);
// Where mirrors are configured: drover's own folders, and those of docker, containerd and podman, a user's before the system's.
registry::MirrorFiles mirror_files(const Environment& environment);

}  // namespace drover::cli
