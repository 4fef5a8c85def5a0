// Whole projects of corpus/ against what docker compose makes of them: NAME.json is its `config --format json`, NAME.hashes its
// config hashes of two releases, NAME.create what it asks of an engine, refused/NAME.message why it refuses a file.
// tests/compose/regenerate-expectations asks a real docker compose and writes all of them.
//
// A refused file marks the line that drover has to name with "# here".
#include "base/error.h"
#include "base/text.h"
#include "compose/canonical_text.h"
#include "compose/config_hash.h"
#include "compose/create_body.h"
#include "compose/project.h"
#include "compose/yaml.h"
#include "tests/compose/project_case.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(corpus_of_projects)

namespace {

const fs::path corpus = COMPOSE_TEST_CORPUS;

std::vector<ProjectCase> accepted() {
  std::vector<ProjectCase> cases = find_project_cases(corpus);
  std::erase_if(cases, [](const ProjectCase& test) { return test.name == "refused" || !fs::exists(test.beside(".json")); });
  return cases;
}

// Names of the files in the corpus that have no expectation: a forgotten one must not pass for a tested one.
std::string without_expectation() {
  std::string names;
  for (const ProjectCase& test : find_project_cases(corpus))
    if (test.name != "refused" && !fs::exists(test.beside(".json"))) names += test.name + " ";
  for (const ProjectCase& test : find_project_cases(corpus / "refused"))
    if (!fs::exists(test.beside(".message"))) names += test.name + " ";
  return names;
}

std::string here(const ProjectCase& test, std::string text) {
  return replace_all(std::move(text), test.directory.string(), "@DIR@");
}

HashEpoch epoch_of(const std::string& release) {
  return epoch_of_release(release).value();
}

// "2.40.3 web 0123..." for every line of the expectation, with drover's hash in place of docker compose's.
std::string own_hashes(const Project& project, const std::string& expected) {
  std::ostringstream own;
  std::istringstream lines(expected);
  std::string release;
  std::string name;
  std::string hash;
  while (lines >> release >> name >> hash) {
    const auto service =
        std::find_if(project.services.begin(), project.services.end(), [&](const Service& each) { return each.name == name; });
    own << release << ' ' << name << ' '
        << (service == project.services.end() ? "missing" : config_hash(*service, epoch_of(release))) << '\n';
  }
  return own.str();
}

// What means nothing to the engine left out, as in the expectations.
nlohmann::json settled(const nlohmann::json& value) {
  static const std::set<std::string_view> meaningful = {"Cmd", "Entrypoint", "MaskedPaths", "ReadonlyPaths"};
  if (value.is_array()) {
    auto list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(settled(item));
    return list;
  }
  if (!value.is_object()) return value;
  auto object = nlohmann::json::object();
  for (auto member = value.begin(); member != value.end(); ++member) {
    const nlohmann::json kept = member.key() == "ExposedPorts" ? *member : settled(*member);
    const bool is_nothing = kept.is_null() || kept == "" || kept == 0 || kept == false || (kept.is_structured() && kept.empty());
    if (!is_nothing || (kept.is_array() && meaningful.contains(member.key()))) object[member.key()] = kept;
  }
  return object;
}

// "service:db" as the first container of db, which the engine of the expectations calls by its name.
std::optional<std::string> shared_mode(const Project& project, const std::string& mode) {
  constexpr std::string_view prefix = "service:";
  if (!mode.starts_with(prefix)) return std::nullopt;
  return "container:" + project.name + "-" + mode.substr(prefix.size()) + "-1";
}

std::optional<std::vector<std::string>> shared_volumes(const Project& project, const Service& service) {
  constexpr std::string_view prefix = "container:";
  if (service.volumes_from.empty()) return std::nullopt;
  std::vector<std::string> containers;
  for (const std::string& from : service.volumes_from)
    containers.push_back(from.starts_with(prefix) ? from.substr(prefix.size())
                                                  : project.name + "-" + from.substr(0, from.find(':')) + "-1");
  return containers;
}

// What drover asks of an engine, in the form of the expectation.
nlohmann::json created_by(const Project& project, const std::string& name, bool has_hash) {
  const auto service =
      std::find_if(project.services.begin(), project.services.end(), [&](const Service& each) { return each.name == name; });
  if (service == project.services.end()) return "missing";
  const SharedContainers shared = {.network_mode = shared_mode(project, service->network_mode),
                                   .ipc = shared_mode(project, service->ipc),
                                   .pid = shared_mode(project, service->pid),
                                   .volumes_from = shared_volumes(project, *service)};
  const CreateBody created = create_body(project,
                                         *service,
                                         {.api_minor = 51,
                                          .network_mode = shared.network_mode,
                                          .ipc = shared.ipc,
                                          .pid = shared.pid,
                                          .volumes_from = shared.volumes_from});
  nlohmann::json body = *created.body;
  for (const char* list : {"Binds", "ExtraHosts"})
    if (body["HostConfig"].contains(list)) std::sort(body["HostConfig"][list].begin(), body["HostConfig"][list].end());
  nlohmann::json result = {{"name", created.name}, {"body", settled(body)}};
  if (has_hash) result["hash"] = config_hash(*service, HashEpoch::compose_2_36, shared);
  return result;
}

int marked_line(const std::string& text) {
  const std::size_t mark = text.find("# here");
  BOOST_REQUIRE_NE(mark, std::string::npos);
  return static_cast<int>(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(mark), '\n'));
}

}  // namespace

BOOST_DATA_TEST_CASE(a_project_means_what_docker_compose_says, data::make(accepted()), test) {
  const Project project = load_project(options_of(test));

  BOOST_TEST(here(test, canonical_json(project).dump(1)) + "\n" ==
             nlohmann::ordered_json::parse(read_text(test.beside(".json"))).dump(1) + "\n");
}

BOOST_DATA_TEST_CASE(a_service_has_the_hash_of_docker_compose, data::make(accepted()), test) {
  if (!fs::exists(test.beside(".hashes"))) return;
  const std::string expected = read_text(test.beside(".hashes"));

  BOOST_TEST(own_hashes(load_project(options_of(test)), expected) == expected);
}

BOOST_DATA_TEST_CASE(a_container_is_asked_for_as_docker_compose_does, data::make(accepted()), test) {
  if (!fs::exists(test.beside(".create"))) return;
  const auto expected = nlohmann::json::parse(read_text(test.beside(".create")));
  const Project project = load_project(options_of(test));

  for (auto service = expected.begin(); service != expected.end(); ++service) {
    const auto is_of_service = [&](const UnsupportedKey& key) {
      return key.path.starts_with("services." + service.key() + ".use_api_socket");
    };
    if (std::any_of(project.unsupported.begin(), project.unsupported.end(), is_of_service))
      continue;  // docker compose adds mounts for it
    const nlohmann::json own = created_by(project, service.key(), service->contains("hash"));
    BOOST_TEST(here(test, own.dump(1)) + "\n" == service->dump(1) + "\n");
  }
}

// What is printed can be read in again, and then means the same.
BOOST_DATA_TEST_CASE(the_text_of_a_project_means_that_project, data::make(accepted()), test) {
  const Project project = load_project(options_of(test));
  if (!project.disabled_services.empty()) return;  // others may depend on them, and they are not printed
  if (test.name == "sizes_unlimited") return;      // docker compose prints -1 as text, which it refuses
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/";
  options.profiles = {"*"};
  options.resources = Resources::all;
  options.standard_input = canonical_yaml(project);

  const Project again = load_project(options);

  BOOST_TEST(canonical_yaml(again) == canonical_yaml(project));
  BOOST_TEST(canonical_json(again).dump(1) == canonical_json(project).dump(1));
}

BOOST_DATA_TEST_CASE(what_docker_compose_refuses_is_refused_with_its_line,
                     data::make(find_project_cases(corpus / "refused")),
                     test) {
  const std::string place = test.settings.string() + ":" + std::to_string(marked_line(read_text(test.settings))) + ":";

  try {
    load_project(options_of(test));
    BOOST_ERROR("accepted");
  } catch (const Error& error) {
    BOOST_TEST_CONTEXT(error.what()) {
      BOOST_TEST(std::string_view(error.what()).starts_with(place));
      BOOST_TEST(std::string_view(error.what()).find('\n') == std::string_view::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_project_has_an_expectation) {
  BOOST_TEST(without_expectation() == "");
  BOOST_TEST(accepted().size() >= 60U);
}

BOOST_AUTO_TEST_SUITE_END()
