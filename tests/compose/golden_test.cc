// Whole projects: data/NAME.yml or data/NAME/ against NAME.expected or NAME/expected, which hold what drover makes of them. The
// expectations were compared with docker compose 2.40.3 when they were written.
//
// Lines "# arguments: ..." and "# environment: A=1 B=2" at the top of NAME.yml or NAME/case give the command line and the
// environment. Where NAME/model.json exists, the merged model is compared too. DROVER_UPDATE_GOLDEN=1 rewrites the expectations
// and skips.
#include "base/error.h"
#include "compose/canonical_text.h"
#include "compose/project.h"
#include "tests/compose/project_case.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(golden)

namespace {

struct Result {
  std::string summary;
  std::string model;
};

fs::path expected_of(const ProjectCase& test) {
  return test.settings.extension() == ".yml" ? test.beside(".expected") : test.directory / "expected";
}

// Only where it is there.
fs::path model_of(const ProjectCase& test) {
  return test.directory / "model.json";
}

Result load(const ProjectCase& test) {
  std::ostringstream out;
  std::string model;
  LoadOptions options = options_of(test);
  options.service_files = ServiceFiles::skip;
  try {
    const Project project = load_project(options);
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
    model = canonical_json(project).dump(1) + '\n';
  } catch (const Error& error) {
    out << "error " << to_string(error.code()) << ": " << error.what() << '\n';
  }
  const auto without_directory = [&](std::string text) {
    return replace_all(replace_all(std::move(text), test.directory.string() + "/", ""), test.directory.string(), ".");
  };
  return {without_directory(out.str()), without_directory(model)};
}

}  // namespace

BOOST_DATA_TEST_CASE(a_project_is_understood_as_before, data::make(find_project_cases(COMPOSE_TEST_DATA)), test) {
  const Result result = load(test);
  if (std::getenv("DROVER_UPDATE_GOLDEN")) {
    std::ofstream(expected_of(test)) << result.summary;
    if (fs::exists(model_of(test))) std::ofstream(model_of(test)) << result.model;
    return;
  }

  BOOST_TEST(result.summary == read_text(expected_of(test)));
  if (fs::exists(model_of(test))) BOOST_TEST(result.model == read_text(model_of(test)));
}

BOOST_AUTO_TEST_CASE(rewritten_expectations_are_no_success) {
  BOOST_TEST(!find_project_cases(COMPOSE_TEST_DATA).empty());
  if (std::getenv("DROVER_UPDATE_GOLDEN")) std::_Exit(77);
}

BOOST_AUTO_TEST_SUITE_END()
