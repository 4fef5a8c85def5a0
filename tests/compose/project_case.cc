#include "tests/compose/project_case.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> words_after(const std::string& settings, const std::string& label) {
  std::vector<std::string> words;
  std::istringstream lines(settings);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# " + label + ":")) continue;
    std::istringstream rest(line.substr(label.size() + 3));
    std::copy(std::istream_iterator<std::string>(rest), {}, std::back_inserter(words));
  }
  return words;
}

// True when the word at `i` is an option with a value.
bool apply_option(LoadOptions& options, const std::vector<std::string>& words, std::size_t i) {
  const std::string value = i + 1 < words.size() ? words[i + 1] : "";
  if (words[i] == "-f") options.files.emplace_back(value);
  if (words[i] == "-p") options.project_name = value;
  if (words[i] == "--profile") options.profiles.push_back(value);
  if (words[i] == "--env-file") options.env_files.emplace_back(value);
  if (words[i] == "--project-directory") options.project_directory = value;
  if (words[i] == "--all-resources") options.resources = Resources::all;
  return words[i].starts_with('-') && words[i] != "--all-resources";
}

}  // namespace

fs::path ProjectCase::beside(const std::string& suffix) const {
  const fs::path folder = settings.extension() == ".yml" ? directory : directory.parent_path();
  return folder / (name + suffix);
}

std::ostream& operator<<(std::ostream& out, const ProjectCase& test) {
  return out << test.name;
}

std::vector<ProjectCase> find_project_cases(const fs::path& folder) {
  std::vector<ProjectCase> cases;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (entry.is_directory()) cases.push_back({path.filename().string(), path, path / "case"});
    if (path.extension() == ".yml") cases.push_back({path.stem().string(), folder, path});
  }
  std::sort(cases.begin(), cases.end(), [](const ProjectCase& a, const ProjectCase& b) { return a.name < b.name; });
  return cases;
}

LoadOptions options_of(const ProjectCase& test) {
  LoadOptions options;
  options.working_directory = test.directory;
  const std::string settings = read_text(test.settings);
  if (test.settings.extension() == ".yml") options.files.push_back(test.settings);
  for (const std::string& word : words_after(settings, "environment")) {
    const std::size_t equals = word.find('=');
    options.environment[word.substr(0, equals)] = word.substr(equals + 1);
  }
  const std::vector<std::string> words = words_after(settings, "arguments");
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (apply_option(options, words, i)) {
      ++i;
    } else if (!words[i].starts_with('-')) {
      options.services.push_back(words[i]);
    }
  }
  return options;
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

}  // namespace drover::compose
