#include "cli/settings.h"

#include "base/error.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>

using namespace drover;
using namespace drover::cli;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(settings)

namespace {

const Machine user{.is_root = false, .is_error_terminal = false, .working_directory = "/home/ann/stack"};
const Machine root{.is_root = true, .is_error_terminal = true, .working_directory = "/root"};
const Environment home = {{"HOME", "/home/ann"}};

Settings settings_of(const std::function<void(Flags&)>& set, const Environment& environment = home, const Machine& machine = user) {
  Flags flags;
  set(flags);
  return make_settings(flags, environment, machine);
}

std::string error_of(const std::function<void(Flags&)>& set, const Environment& environment = home) {
  try {
    settings_of(set, environment);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::usage));
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_cache_has_a_place_or_none) {
  BOOST_TEST(cache_folder(home, root) == "/var/cache/drover");
  BOOST_TEST(cache_folder(home, user) == "/home/ann/.cache/drover");
  BOOST_TEST(cache_folder({{"HOME", "/home/ann"}, {"XDG_CACHE_HOME", "/tmp/c"}}, user) == "/tmp/c/drover");
  BOOST_TEST(cache_folder({{"HOME", "/home/ann"}, {"XDG_CACHE_HOME", "c"}}, user) == "/home/ann/.cache/drover");
  BOOST_TEST(cache_folder({{"HOME", "ann"}}, user).empty());
  BOOST_TEST(cache_folder({}, user).empty());
}

BOOST_AUTO_TEST_CASE(the_state_has_a_place_or_none) {
  BOOST_TEST(settings_of([](Flags&) {}, home, root).state == "/var/lib/drover/state");
  BOOST_TEST(settings_of([](Flags&) {}).state == "/home/ann/.local/state/drover");
  BOOST_TEST(settings_of([](Flags&) {}, {{"HOME", "/home/ann"}, {"XDG_STATE_HOME", "/tmp/s"}}).state == "/tmp/s/drover");
  BOOST_TEST(settings_of([](Flags&) {}, {{"HOME", "/home/ann"}, {"DROVER_STATE", "mine"}}).state == "/home/ann/stack/mine");
  BOOST_TEST(settings_of([](Flags& flags) { flags.state = "/s"; }, {{"DROVER_STATE", "mine"}}).state == "/s");
  BOOST_TEST(settings_of([](Flags&) {}, {}).state.empty());
}

struct StoreRow {
  const char* flag;
  Environment environment;
  bool is_root;
  const char* store;
};

std::ostream& operator<<(std::ostream& out, const StoreRow& row) { return out << row.store; }

const StoreRow stores[] = {
    {"/data/s", {{"DROVER_STORE", "/env/s"}}, false, "/data/s"},
    {"s", {}, false, "/home/ann/stack/s"},
    {"", {{"DROVER_STORE", "/env/s"}, {"HOME", "/home/ann"}}, false, "/env/s"},
    {"", {{"DROVER_STORE", "/env/s"}}, true, "/env/s"},
    {"", {{"HOME", "/home/ann"}}, true, "/var/lib/drover/store"},
    {"", {{"HOME", "/home/ann"}, {"XDG_DATA_HOME", "/home/ann/data"}}, false, "/home/ann/data/drover/store"},
    {"", {{"HOME", "/home/ann"}, {"XDG_DATA_HOME", "relative"}}, false, "/home/ann/.local/share/drover/store"},
    {"", {{"HOME", "/home/ann"}}, false, "/home/ann/.local/share/drover/store"},
    {"", {}, false, ""},
};

BOOST_DATA_TEST_CASE(the_store_is_where_the_first_of_flag_environment_and_default_says, data::make(stores), row) {
  Machine machine = user;
  machine.is_root = row.is_root;
  BOOST_TEST(settings_of([&](Flags& f) { f.store = row.flag; }, row.environment, machine).store.string() == row.store);
}

BOOST_AUTO_TEST_CASE(platforms_are_listed_repeated_all_or_from_the_environment) {
  const auto names = [](const Settings& settings) {
    std::string text;
    for (const Platform& platform : settings.platforms->wanted) text += platform.to_string() + " ";
    return text;
  };

  BOOST_TEST(!settings_of([](Flags&) {}).platforms.has_value());
  BOOST_TEST(names(settings_of([](Flags& f) { f.platforms = {"linux/amd64", "linux/arm64/v8,linux/arm/v7"}; })) == "linux/amd64 linux/arm64 linux/arm/v7 ");
  BOOST_TEST(settings_of([](Flags& f) { f.platforms = {"linux/amd64", "all"}; }).platforms->all);
  BOOST_TEST(names(settings_of([](Flags&) {}, {{"DOCKER_DEFAULT_PLATFORM", "linux/arm64"}})) == "linux/arm64 ");
  BOOST_TEST(names(settings_of([](Flags& f) { f.platforms = {"linux/amd64"}; }, {{"DOCKER_DEFAULT_PLATFORM", "linux/arm64"}})) == "linux/amd64 ");
  BOOST_TEST(error_of([](Flags& f) { f.platforms = {"arm64/v8"}; }).starts_with("--platform: "));
  BOOST_TEST(error_of([](Flags&) {}, {{"DOCKER_DEFAULT_PLATFORM", "arm64/v8"}}).starts_with("DOCKER_DEFAULT_PLATFORM: "));
}

BOOST_AUTO_TEST_CASE(jobs_are_a_number_from_1_to_256) {
  BOOST_TEST(settings_of([](Flags&) {}).jobs == 8U);
  BOOST_TEST(settings_of([](Flags& f) { f.jobs = "1"; }).jobs == 1U);
  BOOST_TEST(settings_of([](Flags& f) { f.jobs = "256"; }).jobs == 256U);
  for (const char* const bad : {"0", "257", "-1", "many", "1.5", " 1"}) {
    BOOST_TEST(error_of([&](Flags& f) { f.jobs = bad; }).starts_with("--jobs "));
  }
}

BOOST_AUTO_TEST_CASE(rates_take_units) {
  BOOST_TEST(settings_of([](Flags&) {}).rate_bytes_per_second == 0U);
  BOOST_TEST(settings_of([](Flags& f) { f.limit_rate = "500k"; }).rate_bytes_per_second == 512'000U);
  BOOST_TEST(settings_of([](Flags& f) { f.limit_rate = "1.5M"; }).rate_bytes_per_second == 1'572'864U);
  for (const char* const bad : {"0", "fast", "10 M", "-1"}) BOOST_TEST(error_of([&](Flags& f) { f.limit_rate = bad; }).starts_with("--limit-rate "));
}

BOOST_AUTO_TEST_CASE(ages_take_units) {
  using namespace std::chrono_literals;
  const auto age = [](const char* text) { return settings_of([&](Flags& f) { f.min_age = text; }).min_age; };
  BOOST_TEST(!age("").has_value());
  BOOST_TEST((age("0") == 0s && age("90s") == 90s && age("30m") == 30min && age("24h") == 24h && age("7d") == 168h));
  for (const char* const bad : {"24", "h", "-1h", "1w", "1.5h", "99999999999999999999h", "999999d"}) {
    BOOST_TEST(error_of([&](Flags& f) { f.min_age = bad; }).starts_with("--min-age "), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_time_to_be_ready_by_lies_ahead) {
  using namespace std::chrono_literals;
  Machine machine = user;
  machine.now = std::chrono::system_clock::time_point(1'704'067'200s);  // 2024-01-01T00:00:00Z
  const auto by = [&](const char* text) { return settings_of([&](Flags& f) { f.by = text; }, home, machine).by; };
  BOOST_TEST(!by("").has_value());
  BOOST_TEST((by("90m") == machine.now + 90min));
  BOOST_TEST((by("2024-01-01T00:00:01Z") == machine.now + 1s));
  for (const char* const bad : {"soon", "25:00", "2024-01-01T00:00:00Z", "2023-12-31T23:00:00Z", "0m"}) {
    BOOST_CHECK_EXCEPTION(by(bad), Error, [](const Error& e) { return e.code() == ErrorCode::usage && std::string(e.what()).starts_with("--by "); });
  }
}

BOOST_AUTO_TEST_CASE(room_to_be_left_takes_units) {
  const auto room = [](const char* text) { return settings_of([&](Flags& f) { f.min_free = text; }).min_free; };
  BOOST_TEST(!room("").has_value());
  BOOST_TEST((room("0") == 0U && room("20G") == 20ULL << 30U && room("1.5M") == 3U << 19U));
  for (const char* const bad : {"much", "-1", "10 %"}) BOOST_TEST(error_of([&](Flags& f) { f.min_free = bad; }).starts_with("--min-free "), bad);
}

BOOST_AUTO_TEST_CASE(mirrors_are_configured_by_the_user_then_by_the_system) {
  const registry::MirrorFiles files = mirror_files(home);
  BOOST_TEST(files.own_folders.front() == "/home/ann/.config/drover/hosts.d");
  BOOST_TEST(files.own_folders.back() == "/etc/drover/hosts.d");
  BOOST_TEST(files.daemon_files.front() == "/home/ann/.config/docker/daemon.json");
  BOOST_TEST(files.registries.front().file == "/home/ann/.config/containers/registries.conf");
  BOOST_TEST(files.registries.back().file == "/etc/containers/registries.conf");
  BOOST_TEST(files.registries.back().folders.size() == 2U);

  BOOST_TEST(mirror_files({{"HOME", "/home/ann"}, {"XDG_CONFIG_HOME", "/x"}}).own_folders.front() == "/x/drover/hosts.d");
  BOOST_TEST(mirror_files({}).own_folders.size() == 1U);
  const registry::MirrorFiles given = mirror_files({{"HOME", "/home/ann"}, {"CONTAINERS_REGISTRIES_CONF", "/r.conf"}});
  BOOST_TEST(given.registries.size() == 1U);
  BOOST_TEST(given.registries.front().file == "/r.conf");

  BOOST_TEST(!settings_of([](Flags&) {}).registry.mirrors.own_folders.empty());
  const registry::MirrorFiles none = settings_of([](Flags& f) { f.no_mirrors = true; }).registry.mirrors;
  BOOST_TEST((none.own_folders.empty() && none.docker_folders.empty() && none.daemon_files.empty() && none.containerd_folders.empty() &&
              none.registries.empty()));
}

BOOST_AUTO_TEST_CASE(insecure_registries_are_hosts_only) {
  BOOST_TEST(settings_of([](Flags& f) { f.insecure_registries = {"Reg.Example:5000"}; }).registry.insecure_registries.contains("reg.example:5000"));
  for (const char* const bad : {"http://reg.example", "reg.example/v2", ""}) {
    BOOST_TEST(error_of([&](Flags& f) { f.insecure_registries = {bad}; }).starts_with("--insecure-registry "));
  }
}

struct ProgressRow {
  const char* flag;
  bool is_terminal;
  const char* term;
  bool is_quiet;
  ProgressMode mode;
};

std::ostream& operator<<(std::ostream& out, const ProgressRow& row) { return out << row.flag << " tty:" << row.is_terminal << " quiet:" << row.is_quiet; }

const ProgressRow progress_rows[] = {
    {"", false, "xterm", false, ProgressMode::plain},    {"auto", false, "xterm", false, ProgressMode::plain},
    {"", true, "xterm", false, ProgressMode::tty},       {"auto", true, "xterm", false, ProgressMode::tty},
    {"", true, "dumb", false, ProgressMode::plain},      {"tty", false, "dumb", false, ProgressMode::tty},
    {"", true, "xterm", true, ProgressMode::none},       {"plain", true, "xterm", true, ProgressMode::plain},
    {"json", false, "xterm", true, ProgressMode::json},  {"none", true, "xterm", false, ProgressMode::none},
};

BOOST_DATA_TEST_CASE(progress_goes_by_flag_then_quiet_then_terminal, data::make(progress_rows), row) {
  Flags flags;
  flags.progress = row.flag;
  flags.quiet = row.is_quiet;
  Machine machine = user;
  machine.is_error_terminal = row.is_terminal;

  BOOST_TEST((make_settings(flags, {{"TERM", row.term}}, machine).progress == row.mode));
}

BOOST_AUTO_TEST_CASE(credential_files_are_those_of_docker_and_podman) {
  const auto text = [](const Environment& environment) {
    std::string joined;
    for (const auto& file : credential_files(environment)) joined += file.string() + " ";
    return joined;
  };

  BOOST_TEST(text(home) == "/home/ann/.docker/config.json /home/ann/.config/containers/auth.json ");
  BOOST_TEST(text({{"HOME", "/home/ann"}, {"DOCKER_CONFIG", "/etc/d"}, {"XDG_RUNTIME_DIR", "/run/user/1"}, {"REGISTRY_AUTH_FILE", "/a.json"}}) ==
             "/a.json /etc/d/config.json /run/user/1/containers/auth.json /home/ann/.config/containers/auth.json ");
  BOOST_TEST(text({}) == "");
}

BOOST_AUTO_TEST_CASE(what_excludes_each_other_is_refused) {
  BOOST_TEST(error_of([](Flags& f) { f.keep_going = f.fail_fast = true; }) == "--keep-going and --fail-fast exclude each other");
  BOOST_TEST(error_of([](Flags& f) { f.settle = "maybe"; }).starts_with("--settle maybe"));
  BOOST_TEST(error_of([](Flags& f) { f.progress = "loud"; }).starts_with("--progress loud"));
}

BOOST_AUTO_TEST_CASE(compose_gets_its_options_and_the_environment) {
  const Settings settings = settings_of(
      [](Flags& f) {
        f.files = {"a.yml", "-"};
        f.project_name = "mail";
        f.env_files = {".env.prod"};
        f.profiles = {"extra"};
      },
      {{"HOME", "/home/ann"}, {"VERSION", "2"}});

  BOOST_TEST(settings.compose.files.size() == 2U);
  BOOST_TEST(*settings.compose.project_name == "mail");
  BOOST_TEST(!settings.compose.project_directory.has_value());
  BOOST_TEST(settings.compose.environment.at("VERSION") == "2");
  BOOST_TEST(settings.compose.working_directory.string() == "/home/ann/stack");
}

BOOST_AUTO_TEST_SUITE_END()
