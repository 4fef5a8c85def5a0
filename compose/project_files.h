// Which compose files make up the project, where its directory is, what its variables and its name are: docker compose's rules
// for -f, COMPOSE_FILE, --project-directory, --env-file, .env, -p and COMPOSE_PROJECT_NAME.
#pragma once

#include "compose/dotenv.h"
#include "compose/project.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

struct ProjectFiles {
  std::vector<std::filesystem::path> files;  // absolute, in merge order; "-" is standard input
  std::filesystem::path directory;           // absolute; relative paths in all files start here
  Environment environment;                   // for interpolation: the process's own wins over env files
};

// Throws usage when no compose file is found and for a given compose or env file that does not exist, invalid for a broken env file.
ProjectFiles find_project_files(const LoadOptions& options, WarningList& warnings);

// -p, then COMPOSE_PROJECT_NAME, then `written_name` (the files' `name:`, interpolated; nothing when no file has one), then the directory's
// own name. The first two must be valid as they are (throws usage); the others are normalised (throws invalid when nothing is left).
std::string decide_project_name(const LoadOptions& options, const ProjectFiles& files, const std::optional<std::string>& written_name,
                                WarningList& warnings);

// Lower case, only [a-z0-9_-], starting with a letter or digit.
std::string normalise_project_name(std::string_view text);

// --profile, else COMPOSE_PROFILES (a comma list).
std::vector<std::string> active_profiles(const LoadOptions& options, const Environment& environment);

// `path` under `base` unless absolute, without "." and "..", as text: links are not followed.
std::filesystem::path absolute_in(const std::filesystem::path& base, const std::filesystem::path& path);

}  // namespace drover::compose
