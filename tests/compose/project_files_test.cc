#include "compose/project_files.h"

#include "base/error.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;
using drover::test::TempDir;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(project_files)

namespace {

constexpr std::string_view any_project = "services: {a: {image: x}}\n";

struct Folder {
  TempDir directory{"compose"};
  LoadOptions options;
  WarningList warnings;

  Folder() { options.working_directory = directory.path(); }
  void add(std::string_view name, std::string_view text = any_project) { directory.write(name, text); }
  ProjectFiles find() { return find_project_files(options, warnings); }

  // Names below the folder, joined by a space.
  std::string found() {
    std::string names;
    for (const fs::path& file : find().files) names += (names.empty() ? "" : " ") + file.lexically_relative(directory.path()).string();
    return names;
  }
};

ErrorCode code_of(Folder& folder) {
  try {
    folder.find();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_four_names_have_an_order) {
  Folder folder;
  for (const char* const name : {"docker-compose.yaml", "docker-compose.yml", "compose.yml", "compose.yaml"}) {
    folder.add(name);
    BOOST_TEST(folder.found() == name);
  }
  BOOST_TEST(folder.warnings.lines().size() == 3U);  // each time that there was more than one
}

BOOST_AUTO_TEST_CASE(one_override_lies_beside_it) {
  Folder folder;
  folder.add("docker-compose.yml");
  folder.add("docker-compose.override.yaml");
  BOOST_TEST(folder.found() == "docker-compose.yml docker-compose.override.yaml");
  folder.add("compose.override.yml");
  BOOST_TEST(folder.found() == "docker-compose.yml compose.override.yml");
}

BOOST_AUTO_TEST_CASE(given_files_take_no_override) {
  Folder folder;
  folder.add("compose.yaml");
  folder.add("compose.override.yml");
  folder.add("sub/other.yml");
  folder.options.files = {"compose.yaml", "sub/other.yml"};

  BOOST_TEST(folder.found() == "compose.yaml sub/other.yml");
}

BOOST_AUTO_TEST_CASE(parents_are_searched_and_both_env_files_count) {
  Folder folder;
  folder.add("compose.yaml");
  folder.add(".env", "A=parent\nB=parent\n");
  folder.add("sub/.env", "A=sub\n");
  folder.options.working_directory = folder.directory / "sub";

  const ProjectFiles files = folder.find();

  BOOST_TEST(files.directory == folder.directory.path());
  BOOST_TEST(files.environment.at("A") == "sub");
  BOOST_TEST(files.environment.at("B") == "parent");
}

BOOST_AUTO_TEST_CASE(nothing_found_says_where_it_looked) {
  Folder folder;
  BOOST_CHECK_EXCEPTION(folder.find(), Error, [&](const Error& error) {
    const std::string_view what = error.what();
    return error.code() == ErrorCode::usage && what.find(folder.directory.path().string()) != std::string_view::npos &&
           what.find("compose.yaml") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_given_file_must_exist) {
  Folder folder;
  folder.options.files = {"nope.yml"};
  BOOST_TEST((code_of(folder) == ErrorCode::usage));  // as when none is found: whoever called named it
  folder.options.files.clear();
  folder.options.environment = {{"COMPOSE_FILE", "nope.yml"}};
  BOOST_TEST((code_of(folder) == ErrorCode::usage));
  folder.options.files = {"oci://registry.example/x"};
  BOOST_TEST((code_of(folder) == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_CASE(compose_file_is_a_list) {
  Folder folder;
  folder.add("a.yml");
  folder.add("b.yml");
  folder.options.environment = {{"COMPOSE_FILE", "a.yml:b.yml"}};
  BOOST_TEST(folder.found() == "a.yml b.yml");
  folder.options.environment = {{"COMPOSE_FILE", "a.yml;;b.yml"}, {"COMPOSE_PATH_SEPARATOR", ";;"}};
  BOOST_TEST(folder.found() == "a.yml b.yml");
  folder.options.files = {"b.yml"};
  BOOST_TEST(folder.found() == "b.yml");
}

BOOST_AUTO_TEST_CASE(the_directory_is_the_given_one_else_the_first_files_else_here) {
  Folder folder;
  folder.add("sub/a.yml");
  folder.add("p/x");
  BOOST_TEST((folder.options.files = {"-"}, folder.find().directory) == folder.directory.path());
  BOOST_TEST((folder.options.files = {"-", "sub/a.yml"}, folder.find().directory) == folder.directory / "sub");
  folder.options.project_directory = "p/";
  BOOST_TEST(folder.find().directory == folder.directory / "p");
}

BOOST_AUTO_TEST_CASE(env_files_are_chosen_by_option_then_variable_then_default) {
  Folder folder;
  folder.add("compose.yaml");
  folder.add(".env", "A=default\n");
  folder.add("one.env", "A=one\n");
  folder.add("two.env", "A=two\n");
  const auto a = [&] { return folder.find().environment["A"]; };
  BOOST_TEST(a() == "default");
  folder.options.environment = {{"COMPOSE_ENV_FILES", "one.env,two.env"}};
  BOOST_TEST(a() == "two");
  folder.options.env_files = {"one.env"};
  BOOST_TEST(a() == "one");
  folder.options.environment = {{"A", "process"}};
  BOOST_TEST(a() == "process");
  folder.options.env_files.clear();
  folder.options.environment = {{"COMPOSE_DISABLE_ENV_FILE", "true"}};
  BOOST_TEST(a() == "");
  folder.options.environment = {{"COMPOSE_DISABLE_ENV_FILE", "perhaps"}};
  BOOST_TEST((code_of(folder) == ErrorCode::usage));
  folder.options.env_files = {"nope.env"};
  BOOST_TEST((code_of(folder) == ErrorCode::usage));
}

BOOST_AUTO_TEST_CASE(names_are_normalised) {
  BOOST_TEST(normalise_project_name("My.Proj_1-x") == "myproj_1-x");
  BOOST_TEST(normalise_project_name("__-a") == "a");
  BOOST_TEST(normalise_project_name("\xC3\xA9...") == "");
}

BOOST_AUTO_TEST_CASE(the_name_comes_from_the_first_that_has_one) {
  LoadOptions options;
  ProjectFiles files{.files = {}, .directory = "/srv/Some.Dir", .environment = {}};
  WarningList warnings;
  const auto name = [&](const std::optional<std::string>& written) { return decide_project_name(options, files, written, warnings); };
  BOOST_TEST(name(std::nullopt) == "somedir");
  BOOST_TEST(name("Written") == "written");
  files.environment["COMPOSE_PROJECT_NAME"] = "variable";
  BOOST_TEST(name("Written") == "variable");
  options.project_name = "option";
  BOOST_TEST(name("Written") == "option");
  options.project_name = "Option";
  BOOST_CHECK_THROW(name("Written"), Error);
}

BOOST_AUTO_TEST_CASE(a_linked_directory_gives_its_own_name) {
  Folder folder;
  folder.add("real/compose.yaml");
  fs::create_directory_symlink(folder.directory / "real", folder.directory / "linked");
  folder.options.working_directory = folder.directory / "linked";

  const Project project = load_project(folder.options);

  BOOST_TEST(project.name == "linked");
  BOOST_TEST(project.warnings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(standard_input_is_a_file) {
  Folder folder;
  folder.options.files = {"-"};
  folder.options.standard_input = "name: piped\nservices: {a: {image: x, build: ctx}}\n";

  const Project project = load_project(folder.options);

  BOOST_TEST(project.name == "piped");
  BOOST_TEST(project.services.at(0).location.line == 2);
  BOOST_TEST((*project.model)["services"]["a"]["build"]["context"] == (folder.directory / "ctx").string());
}

BOOST_AUTO_TEST_CASE(paths_become_absolute_and_plain) {
  BOOST_TEST(absolute_in("/a/b", "c") == "/a/b/c");
  BOOST_TEST(absolute_in("/a/b", "./c/") == "/a/b/c");
  BOOST_TEST(absolute_in("/a/b", "../c") == "/a/c");
  BOOST_TEST(absolute_in("/a/b", ".") == "/a/b");
  BOOST_TEST(absolute_in("/a/b", "/c") == "/c");
  BOOST_TEST(absolute_in("/", "..") == "/");
}

BOOST_AUTO_TEST_SUITE_END()
