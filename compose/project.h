// A compose project: the model after interpolation, merge, include, extends and profiles (Compose spec).
//
// This is its final shape: `model` holds every key of the canonical form, typed views of what drover acts on stand beside it.
#pragma once

#include "manifest/reference.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::compose {

struct SourceLocation {
  std::filesystem::path file;
  int line = 0;    // from 1
  int column = 0;  // from 1
};

struct Service {
  std::string name;
  std::optional<std::string> image;     // as written after interpolation
  std::optional<std::string> platform;
  std::string pull_policy;              // "", "always", "missing", "never", "build", ...
  bool has_build = false;
  std::vector<std::string> profiles;
  std::vector<std::string> depends_on;  // names
  SourceLocation location;
};

struct Project {
  std::string name;
  std::filesystem::path directory;
  std::vector<std::filesystem::path> files;         // in merge order
  std::vector<Service> services;                    // active ones, by name
  std::vector<std::string> disabled_services;       // by profile
  std::vector<std::string> warnings;                // unset variables, obsolete keys, ...: one line each
  std::shared_ptr<const nlohmann::ordered_json> model;  // merged tree; shared because copies of a Project may share it
};

struct LoadOptions {
  std::vector<std::filesystem::path> files;         // -f; "-" is standard input
  std::optional<std::filesystem::path> project_directory;
  std::optional<std::string> project_name;
  std::vector<std::filesystem::path> env_files;
  std::vector<std::string> profiles;
  std::map<std::string, std::string> environment;   // the process environment
  std::filesystem::path working_directory;          // absolute
  std::string standard_input;                       // when a file is "-"
};

// Throws usage when no file is found (with where it looked) or a given one does not exist, invalid with "file:line:column: path: why" for
// what breaks the Compose spec.
Project load_project(const LoadOptions& options);

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
