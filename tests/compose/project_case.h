// Projects in a folder as test cases: NAME.yml, or a folder NAME with a file `case`. Lines "# arguments: ..." and "# environment:
// A=1 B=2" at the top say how drover is called.
#pragma once

#include "compose/project.h"

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace drover::compose {

struct ProjectCase {
  std::string name;
  std::filesystem::path directory;  // that the command would run in
  std::filesystem::path settings;   // where the "# arguments:" lines are

  // NAME<suffix> next to NAME.yml or the folder NAME.
  std::filesystem::path beside(const std::string& suffix) const;
};

std::ostream& operator<<(std::ostream& out, const ProjectCase& test);

// By name.
std::vector<ProjectCase> find_project_cases(const std::filesystem::path& folder);

LoadOptions options_of(const ProjectCase& test);

std::string read_text(const std::filesystem::path& path);
std::string replace_all(std::string text, const std::string& from, const std::string& to);

}  // namespace drover::compose
