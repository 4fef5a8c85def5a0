// A compose project: the model after interpolation, merge, include, extends and profiles (Compose spec).
//
// `model` and `config` hold every key of the canonical form; typed, what a container of each service is to be stands beside them.
#pragma once

#include "compose/service.h"
#include "manifest/reference.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::compose {

// A network or volume of the project. Those that no active service uses are not there.
struct Network {
  std::string key;   // in the compose file
  std::string name;  // at the engine
  bool is_external = false;
  std::string driver;
  TextMap driver_opts;
  bool is_internal = false;
  bool is_attachable = false;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;
  TextMap labels;
  std::shared_ptr<const nlohmann::ordered_json> config;  // all of it, with ipam, as docker compose binds it
};

struct Volume {
  std::string key;
  std::string name;
  bool is_external = false;
  std::string driver;
  TextMap driver_opts;
  TextMap labels;
  std::shared_ptr<const nlohmann::ordered_json> config;
};

// A config or a secret: a file of this machine, or content.
struct FileObject {
  std::string key;
  std::string name;
  bool is_external = false;
  std::string file;
  std::string environment;             // the variable that holds the content
  std::optional<std::string> content;  // as written, or the variable's value
};

// A key that means something to docker compose's `up` and that drover does not do.
struct UnsupportedKey {
  SourceLocation location;
  std::string path;  // "services.web.models"
  std::string why;
};

struct Project {
  std::string name;
  std::filesystem::path directory;
  std::vector<std::filesystem::path> files;      // in merge order
  std::vector<std::filesystem::path> env_files;  // given with --env-file, absolute
  std::vector<Service> services;                 // active and selected ones, by name
  std::vector<std::string> disabled_services;    // by profile, or not selected
  std::vector<std::string> profiles;             // of all services, sorted
  std::vector<Network> networks;                 // by key; likewise the next three
  std::vector<Volume> volumes;
  std::vector<FileObject> configs;
  std::vector<FileObject> secrets;
  std::map<std::string, std::string> environment;  // that variables were looked up in
  std::vector<std::string> warnings;               // unset variables, obsolete keys, ...: one line each
  std::vector<UnsupportedKey> unsupported;         // of the services above and what they use, in the order of the file

  // The canonical model of the services above and what they use, as docker compose binds it; "x-" keys under extensions_key
  // (compose/bound_model.h). Shared because copies of a Project may share it.
  std::shared_ptr<const nlohmann::ordered_json> model;
};

enum class Resources {
  used,  // networks, volumes, configs and secrets that a service of the project uses
  all,
};

enum class ServiceFiles {
  read,
  skip,  // who only wants the images needs none of them
};

struct LoadOptions {
  std::vector<std::filesystem::path> files;         // -f; "-" is standard input
  std::optional<std::filesystem::path> project_directory;
  std::optional<std::string> project_name;
  std::vector<std::filesystem::path> env_files;
  std::vector<std::string> profiles;
  std::vector<std::string> services;                // only these and what they depend on, their profiles on; none: all
  std::map<std::string, std::string> environment;   // the process environment
  std::filesystem::path working_directory;          // absolute
  std::string standard_input;                       // when a file is "-"
  Resources resources = Resources::used;
  ServiceFiles service_files = ServiceFiles::read;  // env_file and label_file
};

// Throws usage when no file is found (with where it looked), a given one does not exist or a service is not there, not_found for a service's
// env file that is missing, invalid with "file:line:column: path: why" for what breaks the Compose spec.
Project load_project(const LoadOptions& options);

// Throws unsupported, with place and path, for the first of project.unsupported. For those who are about to act.
void require_supported(const Project& project);

// An image that the project needs, and who needs it.
struct NeededImage {
  Reference reference;
  std::string platform;                 // "" or the service's own
  std::vector<std::string> services;
};
// By reference, then platform; images that a service mounts (`type: image`) are here too. What the project itself builds is not: services of
// built_services, and their images where others use them. Throws invalid naming service and file for a bad name.
std::vector<NeededImage> needed_images(const Project& project);
// Services that are built, not pulled: with `build` and no image, or pull_policy build or never. By name.
std::vector<std::string> built_services(const Project& project);

}  // namespace drover::compose
