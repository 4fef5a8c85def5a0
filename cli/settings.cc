#include "cli/settings.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/deadline.h"

#include <unistd.h>

#include <limits>
#include <string_view>

namespace drover::cli {
namespace {

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// $XDG_..._HOME/drover, else drover below `fallback` in the home folder, else nothing. A relative variable is to be ignored (XDG Base
// Directory Specification).
std::filesystem::path user_folder(const Environment& environment, const std::string& name, const std::string& fallback) {
  if (const std::string folder = variable(environment, name); folder.starts_with('/')) return std::filesystem::path(folder) / "drover";
  if (const std::string home = variable(environment, "HOME"); home.starts_with('/')) return std::filesystem::path(home) / fallback / "drover";
  return {};
}

Error usage(const std::string& text) { return Error(ErrorCode::usage, text); }

std::filesystem::path choose_store(const Flags& flags, const Environment& environment, const Machine& machine) {
  if (!flags.store.empty()) return machine.working_directory / flags.store;
  if (const std::string store = variable(environment, "DROVER_STORE"); !store.empty()) return machine.working_directory / store;
  if (machine.is_root) return "/var/lib/drover/store";
  const std::filesystem::path data = user_folder(environment, "XDG_DATA_HOME", ".local/share");
  return data.empty() ? data : data / "store";  // only a command that needs the store complains
}

std::filesystem::path choose_state(const Flags& flags, const Environment& environment, const Machine& machine) {
  if (!flags.state.empty()) return machine.working_directory / flags.state;
  if (const std::string state = variable(environment, "DROVER_STATE"); !state.empty()) return machine.working_directory / state;
  return machine.is_root ? "/var/lib/drover/state" : user_folder(environment, "XDG_STATE_HOME", ".local/state");
}

std::optional<registry::PlatformChoice> choose_platforms(const Flags& flags, const Environment& environment) {
  std::vector<std::string> words = flags.platforms;
  const bool is_from_environment = words.empty();
  if (is_from_environment) {
    const std::string text = variable(environment, "DOCKER_DEFAULT_PLATFORM");
    if (text.empty()) return std::nullopt;
    words.push_back(text);
  }
  registry::PlatformChoice choice;
  for (const std::string& word : words) {
    for (const std::string_view part : split(word, ',')) {  // docker's own form for several
      if (trim(part) == "all") {
        choice.all = true;
        continue;
      }
      try {
        choice.wanted.push_back(Platform::parse(trim(part)));
      } catch (const Error& error) {
        throw usage(std::string(is_from_environment ? "DOCKER_DEFAULT_PLATFORM" : "--platform") + ": " + error.what());
      }
    }
  }
  if (choice.all) choice.wanted.clear();
  return choice;
}

std::size_t choose_jobs(const Flags& flags) {
  if (flags.jobs.empty()) return jobs_default;
  const auto jobs = parse_uint(flags.jobs);
  if (!jobs || *jobs == 0 || *jobs > jobs_max) {
    throw usage("--jobs " + printable(flags.jobs) + ": not a number from 1 to " + std::to_string(jobs_max));
  }
  return static_cast<std::size_t>(*jobs);
}

std::uint64_t choose_rate(const Flags& flags) {
  if (flags.limit_rate.empty()) return 0;
  const auto rate = parse_size(flags.limit_rate);
  if (!rate || *rate == 0) throw usage("--limit-rate " + printable(flags.limit_rate) + ": not a rate like 500k, 10M or 1G (bytes a second)");
  return *rate;
}

std::set<std::string> choose_insecure(const Flags& flags) {
  std::set<std::string> hosts;
  for (const std::string& host : flags.insecure_registries) {
    if (host.empty() || host.find('/') != std::string::npos) {
      throw usage("--insecure-registry " + printable(host) + ": only HOST or HOST:PORT, without scheme and path");
    }
    hosts.insert(to_lower(host));
  }
  return hosts;
}

ProgressMode choose_progress(const Flags& flags, const Environment& environment, const Machine& machine) {
  if (flags.progress == "tty") return ProgressMode::tty;
  if (flags.progress == "plain") return ProgressMode::plain;
  if (flags.progress == "json") return ProgressMode::json;
  if (flags.progress == "none") return ProgressMode::none;
  if (!flags.progress.empty() && flags.progress != "auto") {
    throw usage("--progress " + printable(flags.progress) + ": not one of auto, tty, plain, json, none");
  }
  if (flags.quiet) return ProgressMode::none;
  const bool can_draw = machine.is_error_terminal && variable(environment, "TERM") != "dumb";
  return can_draw ? ProgressMode::tty : ProgressMode::plain;
}

engine::Settle choose_settle(const Flags& flags) {
  if (flags.settle.empty() || flags.settle == "auto") return engine::Settle::automatic;
  if (flags.settle == "never") return engine::Settle::never;
  throw usage("--settle " + printable(flags.settle) + ": not one of auto, never");
}

// A bare 0 needs no unit.
std::optional<std::chrono::seconds> choose_min_age(const Flags& flags) {
  if (flags.min_age.empty()) return std::nullopt;
  if (flags.min_age == "0") return std::chrono::seconds(0);
  const std::optional<std::chrono::seconds> age = parse_duration(flags.min_age);
  if (!age) throw usage("--min-age " + printable(flags.min_age) + ": not an age like 30m, 24h or 7d");
  return age;
}

std::optional<std::chrono::system_clock::time_point> choose_by(const Flags& flags, const Machine& machine) {
  if (flags.by.empty()) return std::nullopt;
  const auto by = parse_deadline(flags.by, machine.now);
  if (!by) throw usage("--by " + printable(flags.by) + ": not a time like 06:00, 90m or 2026-01-31T06:00:00+01:00");
  if (*by <= machine.now) throw usage("--by " + printable(flags.by) + ": that is over");
  return by;
}

std::optional<std::uint64_t> choose_min_free(const Flags& flags) {
  if (flags.min_free.empty()) return std::nullopt;
  const auto size = parse_size(flags.min_free);
  if (!size) throw usage("--min-free " + printable(flags.min_free) + ": not a size like 500M or 20G (bytes)");
  return size;
}

std::optional<std::size_t> choose_keep(const Flags& flags) {
  if (flags.keep.empty()) return std::nullopt;
  const auto keep = parse_uint(flags.keep);
  if (!keep) throw usage("--keep " + printable(flags.keep) + ": not a number of images");
  return static_cast<std::size_t>(*keep);
}

std::optional<std::size_t> choose_repeat(const Flags& flags) {
  if (flags.repeat.empty()) return std::nullopt;
  const auto repeat = parse_uint(flags.repeat);
  if (!repeat || *repeat == 0 || *repeat > repeat_max) {
    throw usage("--repeat " + printable(flags.repeat) + ": not a number from 1 to " + std::to_string(repeat_max));
  }
  return static_cast<std::size_t>(*repeat);
}

std::optional<double> choose_bench_seconds(const Flags& flags) {
  if (flags.seconds.empty()) return std::nullopt;
  const auto seconds = parse_decimal(flags.seconds);
  if (!seconds || *seconds <= 0 || *seconds > seconds_max) throw usage("--seconds " + printable(flags.seconds) + ": not a number of seconds, at most an hour");
  return seconds;
}

std::optional<std::uint64_t> choose_size(const Flags& flags) {
  if (flags.size.empty()) return std::nullopt;
  const auto size = parse_size(flags.size);
  if (!size || *size == 0) throw usage("--size " + printable(flags.size) + ": not a size like 256M or 2G (bytes)");
  return size;
}

std::optional<std::uint64_t> choose_free(const Flags& flags) {
  if (flags.free.empty()) return std::nullopt;
  const auto size = parse_size(flags.free);
  if (!size || *size == 0) throw usage("--free " + printable(flags.free) + ": not a size like 500M or 20G (bytes)");
  return size;
}

// Whole seconds, as docker takes them, or with a unit.
std::optional<std::chrono::seconds> choose_seconds(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  const std::optional<std::chrono::seconds> seconds = parse_duration(parse_uint(text) ? text + "s" : text);
  if (!seconds) throw usage(std::string(option) + " " + printable(text) + ": not a time in seconds like 30, or 90s, 5m");
  return seconds;
}

std::optional<std::chrono::system_clock::time_point> choose_moment(const std::string& text, const char* option, const Machine& machine) {
  if (text.empty()) return std::nullopt;
  const auto moment = parse_past_moment(text, machine.now);
  if (!moment) throw usage(std::string(option) + " " + printable(text) + ": not a time like 10m, 2026-01-31T06:00:00+01:00 or 1769835600");
  return moment;
}

std::optional<std::int64_t> choose_tail(const Flags& flags) {
  if (flags.tail.empty() || flags.tail == "all") return std::nullopt;
  const auto lines = parse_uint(flags.tail);
  if (!lines || *lines > std::numeric_limits<std::int32_t>::max()) throw usage("--tail " + printable(flags.tail) + ": not a number of lines, nor all");
  return static_cast<std::int64_t>(*lines);
}

std::optional<std::int64_t> choose_index(const Flags& flags) {
  if (flags.index.empty()) return std::nullopt;
  const auto index = parse_uint(flags.index);
  if (!index || *index == 0 || *index > std::numeric_limits<std::int32_t>::max()) {
    throw usage("--index " + printable(flags.index) + ": not the number of a container, from 1");
  }
  return static_cast<std::int64_t>(*index);
}

// NO_COLOR: https://no-color.org.
bool choose_colours(const Flags& flags, const Environment& environment, const Machine& machine) {
  return machine.is_output_terminal && !flags.no_color && variable(environment, "NO_COLOR").empty() && variable(environment, "TERM") != "dumb";
}

std::vector<std::filesystem::path> certs_directories(const Environment& environment) {
  std::vector<std::filesystem::path> folders;
  if (const std::string home = variable(environment, "HOME"); home.starts_with('/')) {  // rootless docker, podman
    folders.push_back(std::filesystem::path(home) / ".config/docker/certs.d");
    folders.push_back(std::filesystem::path(home) / ".config/containers/certs.d");
  }
  folders.emplace_back("/etc/docker/certs.d");
  folders.emplace_back("/etc/containers/certs.d");
  return folders;
}

compose::LoadOptions compose_options(const Flags& flags, const Environment& environment, const Machine& machine) {
  compose::LoadOptions options;
  options.files.assign(flags.files.begin(), flags.files.end());
  if (!flags.project_directory.empty()) options.project_directory = flags.project_directory;
  if (!flags.project_name.empty()) options.project_name = flags.project_name;
  options.env_files.assign(flags.env_files.begin(), flags.env_files.end());
  options.profiles = flags.profiles;
  options.services = flags.services;
  if (flags.all_resources) options.resources = compose::Resources::all;
  options.environment = environment;
  options.working_directory = machine.working_directory;
  return options;
}

}  // namespace

Environment read_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Machine Machine::real() {
  std::error_code ignored;  // a removed working directory only matters to relative paths
  return {.is_root = ::geteuid() == 0,
          .is_error_terminal = ::isatty(STDERR_FILENO) == 1,
          .is_output_terminal = ::isatty(STDOUT_FILENO) == 1,
          .working_directory = std::filesystem::current_path(ignored)};
}

std::filesystem::path cache_folder(const Environment& environment, const Machine& machine) {
  return machine.is_root ? "/var/cache/drover" : user_folder(environment, "XDG_CACHE_HOME", ".cache");
}

std::vector<std::filesystem::path> credential_files(const Environment& environment) {
  std::vector<std::filesystem::path> files;
  const std::string home = variable(environment, "HOME");
  if (const std::string file = variable(environment, "REGISTRY_AUTH_FILE"); !file.empty()) files.emplace_back(file);
  if (const std::string folder = variable(environment, "DOCKER_CONFIG"); !folder.empty()) {
    files.push_back(std::filesystem::path(folder) / "config.json");
  } else if (home.starts_with('/')) {
    files.push_back(std::filesystem::path(home) / ".docker/config.json");
  }
  if (const std::string run = variable(environment, "XDG_RUNTIME_DIR"); run.starts_with('/')) {
    files.push_back(std::filesystem::path(run) / "containers/auth.json");
  }
  if (home.starts_with('/')) files.push_back(std::filesystem::path(home) / ".config/containers/auth.json");
  return files;
}

registry::MirrorFiles mirror_files(const Environment& environment) {
  registry::MirrorFiles files{.own_folders = {"/etc/drover/hosts.d"},
                              .docker_folders = {"/etc/docker/certs.d"},
                              .daemon_files = {"/etc/docker/daemon.json"},
                              .containerd_folders = {"/etc/containerd/certs.d"}};
  std::vector<std::filesystem::path> drop_ins = {"/etc/containers/registries.conf.d"};
  if (const std::string home = variable(environment, "HOME"); home.starts_with('/')) {
    const std::string given = variable(environment, "XDG_CONFIG_HOME");
    const std::filesystem::path configuration = given.starts_with('/') ? std::filesystem::path(given) : std::filesystem::path(home) / ".config";
    files.own_folders.insert(files.own_folders.begin(), configuration / "drover/hosts.d");
    files.docker_folders.insert(files.docker_folders.begin(), configuration / "docker/certs.d");
    files.daemon_files.insert(files.daemon_files.begin(), configuration / "docker/daemon.json");
    files.containerd_folders.insert(files.containerd_folders.begin(), configuration / "containerd/certs.d");
    files.registries.push_back({.file = configuration / "containers/registries.conf", .folders = {configuration / "containers/registries.conf.d"}});
    drop_ins.push_back(configuration / "containers/registries.conf.d");
  }
  files.registries.push_back({.file = "/etc/containers/registries.conf", .folders = drop_ins});
  if (const std::string file = variable(environment, "CONTAINERS_REGISTRIES_CONF"); !file.empty()) {
    files.registries = {{.file = file, .folders = drop_ins, .named_by = "CONTAINERS_REGISTRIES_CONF"}};
  }
  return files;
}

Settings make_settings(const Flags& flags, const Environment& environment, const Machine& machine) {
  Settings settings;
  settings.store = choose_store(flags, environment, machine);
  settings.state = choose_state(flags, environment, machine);
  if (!flags.host.empty()) settings.endpoint.host = flags.host;
  if (!flags.context.empty()) settings.endpoint.context = flags.context;
  settings.compose = compose_options(flags, environment, machine);
  settings.platforms = choose_platforms(flags, environment);
  settings.jobs = choose_jobs(flags);
  settings.rate_bytes_per_second = choose_rate(flags);
  if (!flags.ca_file.empty()) settings.ca_file = machine.working_directory / flags.ca_file;
  settings.registry.insecure_registries = choose_insecure(flags);
  settings.registry.credential_files = credential_files(environment);
  settings.registry.certs_directories = certs_directories(environment);
  settings.registry.program_path = variable(environment, "PATH");
  if (!flags.no_mirrors) settings.registry.mirrors = mirror_files(environment);
  settings.progress = choose_progress(flags, environment, machine);
  settings.settle = choose_settle(flags);
  settings.min_age = choose_min_age(flags);
  settings.by = choose_by(flags, machine);
  settings.min_free = choose_min_free(flags);
  settings.keep = choose_keep(flags);
  settings.free = choose_free(flags);
  settings.repeat = choose_repeat(flags);
  settings.seconds = choose_bench_seconds(flags);
  settings.size = choose_size(flags);
  settings.stop_timeout = choose_seconds(flags.stop_timeout, "--stop-timeout");
  settings.gate_timeout = choose_seconds(flags.gate_timeout, "--timeout");
  settings.since = choose_moment(flags.since, "--since", machine);
  settings.until = choose_moment(flags.until, "--until", machine);
  settings.tail = choose_tail(flags);
  settings.index = choose_index(flags);
  settings.has_colours = choose_colours(flags, environment, machine);
  if (flags.keep_going && flags.fail_fast) throw usage("--keep-going and --fail-fast exclude each other");
  settings.json = flags.json;
  settings.quiet = flags.quiet;
  settings.verbose = flags.verbose;
  settings.dry_run = flags.dry_run;
  settings.yes = flags.yes;
  return settings;
}

}  // namespace drover::cli
