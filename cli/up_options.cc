#include "cli/up_options.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/docker_config.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

constexpr std::uint64_t seccomp_bytes_max = 4U << 20U;
constexpr std::uint64_t scale_max = 1000;  // an engine's bridge takes 1023 ends

Error wrong_usage(const std::string& text) { return Error(ErrorCode::usage, text); }

std::pair<std::string, std::int64_t> parse_scale(const std::string& word) {
  const std::size_t equals = word.find('=');
  const auto count = equals == std::string::npos ? std::nullopt : parse_uint(std::string_view(word).substr(equals + 1));
  if (!count || equals == 0 || *count > scale_max) throw wrong_usage("--scale " + printable(word) + ": not SERVICE=NUMBER");
  return {word.substr(0, equals), static_cast<std::int64_t>(*count)};
}

void apply_scale(compose::Project& project, const std::string& word) {
  const auto [name, count] = parse_scale(word);
  const auto service =
      std::find_if(project.services.begin(), project.services.end(), [&](const auto& each) { return each.name == name; });
  if (service == project.services.end()) throw wrong_usage("--scale " + printable(word) + ": no such service");
  if (!service->container_name.empty() && count > 1) {
    throw wrong_usage("--scale " + printable(word) + ": the service has a container_name, which only one container can have");
  }
  service->scale = count;
}

template <typename Resource> void keep_used(std::vector<Resource>& resources, const std::set<std::string>& used) {
  std::erase_if(resources, [&](const Resource& resource) { return !used.contains(resource.key); });
}

void keep_only(compose::Project& project, const std::vector<std::string>& names) {
  const auto is_named = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const compose::Service& service : project.services) {
    if (!is_named(service.name)) project.disabled_services.push_back(service.name);
  }
  std::erase_if(project.services, [&](const compose::Service& service) { return !is_named(service.name); });
  std::set<std::string> networks;
  std::set<std::string> volumes;
  for (compose::Service& service : project.services) {
    std::erase_if(service.depends_on, [&](const compose::Dependency& dependency) { return !is_named(dependency.service); });
    for (const compose::ServiceNetwork& network : service.networks) networks.insert(network.network);
    for (const compose::Mount& mount : service.volumes) volumes.insert(mount.source);
  }
  keep_used(project.networks, networks);
  keep_used(project.volumes, volumes);
}

// docker compose sends a profile as compact JSON; "seccomp:FILE" and "seccomp=FILE", relative to the project.
std::map<std::string, std::string> read_seccomp_profiles(const compose::Project& project) {
  std::map<std::string, std::string> profiles;
  for (const compose::Service& service : project.services) {
    for (const std::string& option : service.security_opt) {
      if (!option.starts_with("seccomp=") && !option.starts_with("seccomp:")) continue;
      const std::string file = option.substr(8);
      if (file == "unconfined" || file == "builtin" || profiles.contains(file)) continue;
      const auto profile = nlohmann::ordered_json::parse(read_file(project.directory / file, seccomp_bytes_max), nullptr, false);
      if (profile.is_discarded())
        throw Error(ErrorCode::invalid, "service " + service.name + ": seccomp profile " + printable(file) + " is no JSON");
      profiles[file] = profile.dump();
    }
  }
  return profiles;
}

compose::HashEpoch epoch_of(const std::string& release) {
  const auto epoch = compose::epoch_of_release(release);
  if (!epoch) throw wrong_usage("--compose-epoch " + printable(release, 40) + ": give a release of docker compose from 2.24 on");
  return *epoch;
}

bool removes_orphans(const Flags& flags, const compose::Project& project) {
  const bool removes = flags.remove_orphans || is_switched_on(project, "COMPOSE_REMOVE_ORPHANS");
  if (removes && is_switched_on(project, "COMPOSE_IGNORE_ORPHANS"))
    throw wrong_usage("--remove-orphans and COMPOSE_IGNORE_ORPHANS exclude each other");
  return removes;
}

}  // namespace

bool is_switched_on(const compose::Project& project, const std::string& variable) {
  const auto found = project.environment.find(variable);
  if (found == project.environment.end()) return false;
  constexpr std::string_view words[] = {"1", "t", "true", "y", "yes", "on"};
  const std::string value = to_lower(trim(found->second));
  return std::find(std::begin(words), std::end(words), value) != std::end(words);
}

void check_up_flags(const Flags& flags) {
  if (flags.build)
    throw wrong_usage("drover does not build images; build them first with docker compose build, then drover up uses them");
  if (flags.force_recreate && flags.no_recreate) throw wrong_usage("--force-recreate and --no-recreate exclude each other");
  if (flags.always_recreate_deps && flags.no_recreate) throw wrong_usage("--always-recreate-deps and --no-recreate exclude each other");
  if (flags.always_recreate_deps && flags.no_deps) throw wrong_usage("--always-recreate-deps and --no-deps exclude each other");
  if (flags.rollback && flags.no_rollback) throw wrong_usage("--rollback and --no-rollback exclude each other");
  if (flags.wait && flags.no_start) throw wrong_usage("--wait and --no-start exclude each other");
  if (flags.no_deps && flags.services.empty())
    throw wrong_usage("--no-deps leaves out what the named services depend on: name services");
}

compose::Project project_of_up(const compose::Project& project, const Flags& flags) {
  compose::Project own = project;
  for (const std::string& word : flags.scales) apply_scale(own, word);
  if (flags.no_deps) keep_only(own, flags.services);
  return own;
}

compose::UpOptions up_options(Session& session, const compose::Project& project) {
  using compose::Recreate;
  const Flags& flags = session.flags();
  compose::UpOptions options{.targets = asked_services(session)};
  if (flags.force_recreate || flags.renew_anonymous_volumes) options.recreate = Recreate::always;
  if (flags.always_recreate_deps) options.recreate_dependencies = Recreate::always;
  if (flags.no_recreate) options.recreate = options.recreate_dependencies = Recreate::never;
  options.remove_orphans = removes_orphans(flags, project);
  options.passes_over_orphans = is_switched_on(project, "COMPOSE_IGNORE_ORPHANS");
  options.renew_anonymous_volumes = flags.renew_anonymous_volumes;
  options.starts = !flags.no_start;
  options.waits = flags.wait;
  options.gate_timeout = session.settings().gate_timeout.value_or(options.gate_timeout);
  options.stop_timeout = session.settings().stop_timeout;
  if (!flags.compose_epoch.empty()) {
    options.epoch = epoch_of(flags.compose_epoch);
    options.version = flags.compose_epoch;
  }
  options.allows_new_volumes = flags.allow_new_volumes;
  options.proxy_environment = read_proxy_environment(session.environment(), to_string(session.engine().endpoint()));
  options.seccomp_profiles = read_seccomp_profiles(project);
  return options;
}

}  // namespace drover::cli
