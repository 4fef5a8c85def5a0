#include "base/text.h"
#include "cli/command.h"
#include "cli/session.h"
#include "compose/canonical_text.h"
#include "compose/config_hash.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_lines(Session& session, const char* member, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  session.output().write_text(text);
  session.output().set_document(Json::object({{member, lines}}));
}

template <typename Resource> std::vector<std::string> keys_of(const std::vector<Resource>& resources) {
  std::vector<std::string> keys;
  for (const Resource& resource : resources) keys.push_back(resource.key);
  return keys;
}

void print_services(Session& session) {
  std::vector<std::string> names;
  for (const compose::Service& service : session.project().services) names.push_back(service.name);
  print_lines(session, "services", names);
}

// A service that is built without naming its image gets <project>-<service>.
void print_images(Session& session) {
  const compose::Project& project = session.project();
  std::vector<std::string> images;
  for (const compose::Service& service : project.services)
    images.push_back(service.image.value_or(project.name + "-" + service.name));
  print_lines(session, "images", images);
}

void print_networks(Session& session) {
  print_lines(session, "networks", keys_of(session.project().networks));
}
void print_volumes(Session& session) {
  print_lines(session, "volumes", keys_of(session.project().volumes));
}
void print_profiles(Session& session) {
  print_lines(session, "profiles", session.project().profiles);
}

void print_environment(Session& session) {
  std::string text;
  Json variables = Json::object();
  for (const auto& [name, value] : session.project().environment) {
    text += name + "=" + value + "\n";
    variables[name] = value;
  }
  session.output().write_text(text);
  session.output().set_document(Json::object({{"environment", variables}}));
}

compose::HashEpoch chosen_epoch(const Flags& flags) {
  if (flags.compose_epoch.empty()) return compose::HashEpoch::compose_2_36;
  const auto epoch = compose::epoch_of_release(flags.compose_epoch);
  if (!epoch)
    throw Error(ErrorCode::usage,
                "--compose-epoch is \"" + printable(flags.compose_epoch, 40) +
                    "\": give a release of docker compose from 2.24 on");
  return *epoch;
}

std::vector<const compose::Service*> hashed_services(const compose::Project& project, const std::string& names) {
  std::vector<const compose::Service*> chosen;
  std::set<std::string_view> wanted;
  for (const std::string_view name : split(names, ',')) wanted.insert(name);
  for (const compose::Service& service : project.services)
    if (names == "*" || wanted.erase(service.name) > 0) chosen.push_back(&service);
  if (names != "*" && !wanted.empty()) throw Error(ErrorCode::usage, "no such service: " + printable(*wanted.begin(), 80));
  return chosen;
}

void print_hashes(Session& session) {
  const compose::HashEpoch epoch = chosen_epoch(session.flags());
  std::string text;
  Json hashes = Json::object();
  for (const compose::Service* service : hashed_services(session.project(), session.flags().hash)) {
    const std::string hash = compose::config_hash(*service, epoch);
    text += service->name + " " + hash + "\n";
    hashes[service->name] = hash;
  }
  session.output().write_text(text);
  session.output().set_document(Json::object({{"hashes", hashes}}));
}

void print_model(Session& session) {
  const compose::Project& project = session.project();
  if (session.settings().quiet) return;
  session.output().set_document(compose::canonical_json(project));
  if (!session.output().is_json()) session.output().write_text(compose::canonical_yaml(project));
}

struct Part {
  bool Flags::*is_asked;
  void (*print)(Session& session);
};

constexpr Part parts[] = {
    {&Flags::show_services, print_services},
    {&Flags::show_volumes, print_volumes},
    {&Flags::show_networks, print_networks},
    {&Flags::show_profiles, print_profiles},
    {&Flags::show_images, print_images},
    {&Flags::show_environment, print_environment},
};

ExitCode run_config(Session& session) {
  const Flags& flags = session.flags();
  const auto count = std::count_if(std::begin(parts), std::end(parts), [&](const Part& part) { return flags.*part.is_asked; });
  if (count + (flags.hash.empty() ? 0 : 1) > 1)
    throw Error(
        ErrorCode::usage,
        "config prints one thing: give one of --services, --volumes, --networks, --profiles, --images, --environment, --hash");
  if (!flags.hash.empty()) {
    print_hashes(session);
    return ExitCode::done;
  }
  for (const Part& part : parts) {
    if (!(flags.*part.is_asked)) continue;
    part.print(session);
    return ExitCode::done;
  }
  print_model(session);
  return ExitCode::done;
}

}  // namespace

Command config_command() {
  return {
      .path = "config",
      .group = "Reading commands",
      .summary = "check the compose files and print what they mean",
      .details =
          "Prints the project as docker compose config does: files merged, variables replaced, short forms made long, paths\n"
          "absolute, env files read. With --json the same as JSON. -q only checks. A broken file is told with its line.\n"
          "--hash prints what docker compose writes into the label com.docker.compose.config-hash, of the releases 2.36 to 2.40\n"
          "unless --compose-epoch names another one.",
      .example = "  drover config --json | jq .services.web.environment",
      .positionals = {{"SERVICE", &Flags::services, "only these services, what they depend on and what they use"}},
      .options = {{"--services", &Flags::show_services, "print the names of the services"},
                  {"--images", &Flags::show_images, "print the images of the services"},
                  {"--volumes", &Flags::show_volumes, "print the names of the volumes"},
                  {"--networks", &Flags::show_networks, "print the names of the networks"},
                  {"--profiles", &Flags::show_profiles, "print the names of the profiles"},
                  {"--environment", &Flags::show_environment, "print the variables that the files may use"},
                  {"--hash", &Flags::hash, "print the config hash of these services, or of all: *", "SERVICE[,SERVICE...]"},
                  {"--compose-epoch", &Flags::compose_epoch, "the release of docker compose whose hash is meant", "VERSION"},
                  {"--all-resources", &Flags::all_resources, "also networks, volumes, configs and secrets that no service uses"}},
      .run = run_config};
}

}  // namespace drover::cli
