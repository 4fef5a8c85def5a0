// Whole projects: data/NAME.yml or data/NAME/ against NAME.expected or NAME/expected, which hold what drover makes of them. The expectations
// were compared with docker compose 2.40.3 when they were written.
//
// Lines "# arguments: ..." and "# environment: A=1 B=2" at the top of NAME.yml or NAME/case give the command line and the environment. Where
// NAME/model.json exists, the merged model is compared too. DROVER_UPDATE_GOLDEN=1 rewrites the expectations and skips.
#include "base/error.h"
#include "base/text.h"
#include "compose/project.h"

#include <nlohmann/json.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;
namespace fs = std::filesystem;

namespace {

struct Case {
  std::string name;
  fs::path directory;
  fs::path settings;  // where the "# arguments:" lines are
  fs::path expected;
  fs::path model;     // "" when only the summary is compared
};

std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Case> find_cases() {
  const fs::path root = COMPOSE_TEST_DATA;
  std::vector<Case> cases;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    const fs::path& path = entry.path();
    const std::string name = path.filename().string();
    if (entry.is_directory()) {
      const fs::path model = path / "model.json";
      cases.push_back({name, path, path / "case", path / "expected", fs::exists(model) ? model : ""});
    } else if (path.extension() == ".yml") {
      cases.push_back({name, root, path, fs::path(path).replace_extension(".expected"), ""});
    }
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

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

LoadOptions options_of(const Case& test) {
  LoadOptions options;
  options.working_directory = test.directory;
  const std::string settings = read_text(test.settings);
  if (test.settings.extension() == ".yml") options.files.push_back(test.settings);
  for (const std::string& word : words_after(settings, "environment")) {
    const std::size_t equals = word.find('=');
    options.environment[word.substr(0, equals)] = word.substr(equals + 1);
  }
  const std::vector<std::string> words = words_after(settings, "arguments");
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == "-f") options.files.emplace_back(words[i + 1]);
    if (words[i] == "-p") options.project_name = words[i + 1];
    if (words[i] == "--profile") options.profiles.push_back(words[i + 1]);
    if (words[i] == "--env-file") options.env_files.emplace_back(words[i + 1]);
    if (words[i] == "--project-directory") options.project_directory = words[i + 1];
  }
  return options;
}

struct Result {
  std::string summary;
  std::string model;
};

Result load(const Case& test) {
  std::ostringstream out;
  std::string model;
  try {
    const Project project = load_project(options_of(test));
    out << "name " << project.name << '\n';
    for (const fs::path& file : project.files) out << "file " << file.string() << '\n';
    for (const NeededImage& image : needed_images(project)) {
      out << "image " << image.reference.familiar() << (image.platform.empty() ? "" : " for " + image.platform) << ':';
      for (const std::string& service : image.services) out << ' ' << service;
      out << '\n';
    }
    for (const std::string& service : built_services(project)) out << "built " << service << '\n';
    for (const std::string& service : project.disabled_services) out << "disabled " << service << '\n';
    for (const std::string& warning : project.warnings) out << "warning " << warning << '\n';
    model = project.model->dump(1) + '\n';
  } catch (const Error& error) {
    out << "error " << to_string(error.code()) << ": " << error.what() << '\n';
  }
  const auto without_directory = [&](std::string text) {
    for (std::size_t at; (at = text.find(test.directory.string() + "/")) != std::string::npos;)
      text.erase(at, test.directory.string().size() + 1);
    for (std::size_t at; (at = text.find(test.directory.string())) != std::string::npos;) text.replace(at, test.directory.string().size(), ".");
    return text;
  };
  return {without_directory(out.str()), without_directory(model)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(golden)

BOOST_DATA_TEST_CASE(a_project_is_understood_as_before, data::make(find_cases()), test) {
  const Result result = load(test);
  if (std::getenv("DROVER_UPDATE_GOLDEN")) {
    std::ofstream(test.expected) << result.summary;
    if (!test.model.empty()) std::ofstream(test.model) << result.model;
    return;
  }

  BOOST_TEST(result.summary == read_text(test.expected));
  if (!test.model.empty()) BOOST_TEST(result.model == read_text(test.model));
}

BOOST_AUTO_TEST_CASE(rewritten_expectations_are_no_success) {
  BOOST_TEST(!find_cases().empty());
  if (std::getenv("DROVER_UPDATE_GOLDEN")) std::_Exit(77);
}

BOOST_AUTO_TEST_SUITE_END()
