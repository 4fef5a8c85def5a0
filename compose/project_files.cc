#include "compose/project_files.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/relative_paths.h"

#include <algorithm>
#include <array>

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> default_names = {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr std::array<std::string_view, 4> override_names = {"compose.override.yml", "compose.override.yaml",
                                                            "docker-compose.override.yml", "docker-compose.override.yaml"};
constexpr std::string_view standard_input_name = "-";

std::optional<std::string> find_variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::nullopt : std::optional(found->second);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path existing_file(const LoadOptions& options, const fs::path& given) {
  if (given == standard_input_name) return given;
  if (is_remote_resource(given.string()))
    throw Error(ErrorCode::unsupported, "compose file " + printable(given.string()) + " is remote: fetch it first and give the local file");
  fs::path path = absolute_in(options.working_directory, given);
  if (!is_there(path)) throw Error(ErrorCode::usage, "cannot open compose file " + path.string() + ": no such file or directory");
  return path;
}

std::vector<fs::path> files_given(const LoadOptions& options) {
  std::vector<fs::path> files;
  for (const fs::path& file : options.files) files.push_back(existing_file(options, file));
  return files;
}

// COMPOSE_FILE, separated by COMPOSE_PATH_SEPARATOR or a colon.
std::vector<fs::path> files_from_environment(const LoadOptions& options, const Environment& environment) {
  std::vector<fs::path> files;
  std::string rest = find_variable(environment, "COMPOSE_FILE").value_or("");
  if (rest.empty()) return files;
  std::string separator = find_variable(environment, "COMPOSE_PATH_SEPARATOR").value_or("");
  if (separator.empty()) separator = ":";
  for (;;) {
    const std::size_t end = rest.find(separator);
    files.push_back(existing_file(options, rest.substr(0, end)));
    if (end == std::string::npos) return files;
    rest.erase(0, end + separator.size());
  }
}

template <std::size_t Count>
std::optional<fs::path> first_of(const std::array<std::string_view, Count>& names, const fs::path& directory, std::string_view kind,
                                 WarningList& warnings) {
  std::vector<std::string> found;
  for (const std::string_view name : names)
    if (is_there(directory / name)) found.push_back((directory / name).string());
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) {
    warnings.add("found several " + std::string(kind) + " files with supported names: " + join(found, ", ") + "; using " + found.front());
  }
  return found.front();
}

// The default names, in `start` and then in each of its parents.
std::vector<fs::path> files_by_search(const fs::path& start, WarningList& warnings) {
  for (fs::path directory = start;; directory = directory.parent_path()) {
    if (auto file = first_of(default_names, directory, "compose", warnings)) {
      std::vector<fs::path> files = {std::move(*file)};
      if (auto file_override = first_of(override_names, directory, "override", warnings)) files.push_back(std::move(*file_override));
      return files;
    }
    if (directory == directory.parent_path()) return {};
  }
}

fs::path directory_of(const LoadOptions& options, const std::vector<fs::path>& files) {
  if (options.project_directory) return absolute_in(options.working_directory, *options.project_directory);
  for (const fs::path& file : files)
    if (file != standard_input_name) return file.parent_path();
  return absolute_in(options.working_directory, ".");
}

bool is_default_env_file_disabled(const LoadOptions& options) {
  const auto value = options.environment.find("COMPOSE_DISABLE_ENV_FILE");
  if (value == options.environment.end()) return false;
  static constexpr std::array<std::string_view, 6> yes = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> no = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(yes.begin(), yes.end(), value->second) != yes.end()) return true;
  if (std::find(no.begin(), no.end(), value->second) != no.end()) return false;
  throw Error(ErrorCode::usage, "COMPOSE_DISABLE_ENV_FILE is \"" + printable(value->second, 40) + "\": use true or false");
}

fs::path existing_env_file(const LoadOptions& options, std::string_view given) {
  fs::path path = absolute_in(options.working_directory, given);
  if (!is_there(path)) throw Error(ErrorCode::usage, "cannot find env file " + path.string());
  return path;
}

// --env-file, else COMPOSE_ENV_FILES, else the directory's .env if it has one.
std::vector<fs::path> env_files(const LoadOptions& options, const fs::path& directory) {
  std::vector<fs::path> files;
  for (const fs::path& file : options.env_files) files.push_back(existing_env_file(options, file.string()));
  if (!files.empty()) return files;
  const auto listed = options.environment.find("COMPOSE_ENV_FILES");
  if (listed != options.environment.end() && !listed->second.empty()) {
    for (const std::string_view file : split(listed->second, ',')) files.push_back(existing_env_file(options, file));
    return files;
  }
  if (is_default_env_file_disabled(options)) return files;
  const fs::path dotenv = directory / ".env";
  std::error_code ignored;
  if (fs::exists(dotenv, ignored) && !fs::is_directory(dotenv, ignored)) files.push_back(dotenv);
  return files;
}

Error no_compose_file(const fs::path& start) {
  std::vector<std::string> names(default_names.begin(), default_names.end());
  return Error(ErrorCode::usage, "no compose file found: looked for " + join(names, ", ") + " in " + start.string() +
                                     " and its parents; name one with -f or COMPOSE_FILE");
}

}  // namespace

fs::path absolute_in(const fs::path& base, const fs::path& path) {
  fs::path result = (base / path).lexically_normal();
  return result.has_filename() || !result.has_relative_path() ? result : result.parent_path();
}

ProjectFiles find_project_files(const LoadOptions& options, WarningList& warnings) {
  ProjectFiles found;
  found.environment = Environment(options.environment.begin(), options.environment.end());
  // What is set first stays: the process's environment, then the .env where compose was called, then the project directory's.
  const auto read_env_files = [&] {
    found.directory = directory_of(options, found.files);
    found.environment.merge(read_dotenv_files(env_files(options, found.directory), found.environment, warnings));
  };
  found.files = files_given(options);
  read_env_files();
  if (found.files.empty()) found.files = files_from_environment(options, found.environment);
  if (found.files.empty()) found.files = files_by_search(found.directory, warnings);
  if (found.files.empty()) throw no_compose_file(found.directory);
  read_env_files();
  return found;
}

std::string normalise_project_name(std::string_view text) {
  std::string name = to_lower(text);
  std::erase_if(name, [](char c) { return !is_digit(c) && !is_lower(c) && c != '_' && c != '-'; });
  return name.substr(std::min(name.find_first_not_of("_-"), name.size()));
}

std::string decide_project_name(const LoadOptions& options, const ProjectFiles& files, const std::optional<std::string>& written_name,
                                WarningList& warnings) {
  std::string given = options.project_name.value_or("");
  if (given.empty()) given = find_variable(files.environment, "COMPOSE_PROJECT_NAME").value_or("");
  if (!given.empty()) {
    if (normalise_project_name(given) == given) return given;
    throw Error(ErrorCode::usage, "invalid project name \"" + printable(given, 80) +
                                      "\": use lower-case letters, digits, hyphens and underscores, starting with a letter or digit");
  }
  const std::string directory_name = files.directory.filename().string();
  const std::string name = normalise_project_name(written_name ? *written_name : directory_name);
  if (name.empty())
    throw Error(ErrorCode::invalid, "the project's name would be empty (from \"" + printable(written_name ? *written_name : directory_name, 80) +
                                        "\"): set one with -p or `name:`");
  std::error_code failure;
  const fs::path real = fs::canonical(files.directory, failure);
  if (!written_name && !failure && real.filename() != files.directory.filename())
    warnings.add("the project directory is a symbolic link; using the link's own name \"" + name + "\" as the project's name");
  return name;
}

std::vector<std::string> active_profiles(const LoadOptions& options, const Environment& environment) {
  if (!options.profiles.empty()) return options.profiles;
  std::vector<std::string> profiles;
  const std::string listed = find_variable(environment, "COMPOSE_PROFILES").value_or("");
  for (const std::string_view profile : split(listed, ','))
    if (!trim(profile).empty()) profiles.emplace_back(trim(profile));
  return profiles;
}

}  // namespace drover::compose
