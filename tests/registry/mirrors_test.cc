#include "registry/mirrors.h"

#include "base/error.h"
#include "tests/registry/sources_text.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

namespace drover::registry {
namespace {

// Every kind of file, each in its folder, none of them there yet.
struct MirrorsFixture {
  test::TempDir folder{"drover-mirrors"};
  test::RecordingLog log;
  Context ctx{.log = &log};
  MirrorFiles files{.own_folders = {folder / "user", folder / "own"},
                    .docker_folders = {folder / "certs.d"},
                    .daemon_files = {folder / "daemon.json"},
                    .containerd_folders = {folder / "containerd"},
                    .registries = {{.file = folder / "home.conf", .folders = {folder / "home.d"}},
                                   {.file = folder / "registries.conf", .folders = {folder / "conf.d", folder / "home.d"}}}};

  // The host of the first source.
  std::string first(const std::string& reference = "redis:7") {
    Mirrors mirrors(files);
    return mirrors.find(ctx, Reference::parse(reference)).front().site.registry;
  }
  void mirror_in(const std::string& file, const std::string& host) { folder.write(file, "[host.\"https://" + host + "\"]\n"); }
  void location_in(const std::string& file, const std::string& prefix, const std::string& location) {
    folder.write(file, "[[registry]]\nprefix = \"" + prefix + "\"\nlocation = \"" + location + "\"\n");
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mirrors, MirrorsFixture)

BOOST_AUTO_TEST_CASE(without_files_there_is_the_registry_itself) {
  Mirrors mirrors(files);
  BOOST_TEST(to_text(mirrors.find(ctx, Reference::parse("redis:7"))) == "itself ?://docker.io/v2 library/redis resolve pull\n");
  BOOST_TEST(log.text() == "");
}

BOOST_AUTO_TEST_CASE(the_first_file_that_speaks_of_the_registry_decides) {
  location_in("registries.conf", "docker.io", "registries.lan");
  BOOST_TEST(first() == "registries.lan");
  mirror_in("containerd/docker.io/hosts.toml", "containerd.lan");
  BOOST_TEST(first() == "containerd.lan");
  folder.write("daemon.json", R"({"registry-mirrors": ["https://daemon.lan"]})");
  BOOST_TEST(first() == "daemon.lan");
  mirror_in("certs.d/docker.io/hosts.toml", "docker.lan");
  BOOST_TEST(first() == "docker.lan");
  mirror_in("own/docker.io/hosts.toml", "own.lan");
  BOOST_TEST(first() == "own.lan");
  mirror_in("user/docker.io/hosts.toml", "user.lan");
  BOOST_TEST(first() == "user.lan");
  BOOST_TEST(first("ghcr.io/acme/api:1") == "ghcr.io");
  BOOST_TEST(log.text() == "");
}

BOOST_AUTO_TEST_CASE(folders_are_found_by_host_port_and_default) {
  mirror_in("own/_default/hosts.toml", "default.lan");
  BOOST_TEST(first("lan:5000/x:1") == "default.lan");
  mirror_in("own/lan:5000/hosts.toml", "colon.lan");
  BOOST_TEST(first("lan:5000/x:1") == "colon.lan");
  mirror_in("own/lan_5000_/hosts.toml", "plain.lan");
  BOOST_TEST(first("lan:5000/x:1") == "plain.lan");
  BOOST_TEST(first("lan:5001/x:1") == "default.lan");
  BOOST_TEST(first("[::1]/x:1") == "default.lan");
}

BOOST_AUTO_TEST_CASE(a_folder_of_certificates_hides_the_default) {
  mirror_in("containerd/_default/hosts.toml", "default.lan");
  folder.write("containerd/docker.io/ca.crt", "x");
  BOOST_TEST(first() == "docker.io");
  BOOST_TEST(first("ghcr.io/acme/api:1") == "default.lan");
}

BOOST_AUTO_TEST_CASE(the_longest_prefix_and_the_last_drop_in_decide) {
  location_in("registries.conf", "docker.io", "all.lan");
  location_in("conf.d/10-library.conf", "docker.io/library", "library.lan");
  location_in("conf.d/20-library.conf", "docker.io/library", "later.lan");
  location_in("conf.d/30-ignored.txt", "docker.io/library", "ignored.lan");
  BOOST_TEST(first() == "later.lan");
  BOOST_TEST(first("acme/api:1") == "all.lan");
  location_in("home.d/10-library.conf", "docker.io/library", "home.lan");
  BOOST_TEST(first() == "home.lan");
  location_in("home.conf", "docker.io", "instead.lan");  // of the system's file and its drop-ins
  BOOST_TEST(first("acme/api:1") == "instead.lan");
  BOOST_TEST(first() == "home.lan");
}

BOOST_AUTO_TEST_CASE(a_blocked_registry_is_refused_unless_an_earlier_file_speaks_of_it) {
  folder.write("registries.conf", "\n[[registry]]\nlocation = \"docker.io\"\nblocked = true\n");
  Mirrors mirrors(files);
  BOOST_CHECK_EXCEPTION(mirrors.find(ctx, Reference::parse("redis:7")), Error, [&](const Error& error) {
    return error.code() == ErrorCode::refused &&
           std::string(error.what()) == "docker.io is blocked by " + path("registries.conf") + ":2; --no-mirrors passes that file over";
  });
  mirror_in("own/docker.io/hosts.toml", "own.lan");
  BOOST_TEST(first() == "own.lan");
}

BOOST_AUTO_TEST_CASE(a_broken_file_of_our_own_is_an_error) {
  folder.write("own/ghcr.io/hosts.toml", "[host.\"https://a\"]\ncapabilities = [\"fly\"]\n");
  Mirrors mirrors(files);
  const auto is_told = [&](const Error& error) {
    return error.code() == ErrorCode::invalid && std::string(error.what()).starts_with(path("own/ghcr.io/hosts.toml") + ":2: ");
  };
  BOOST_CHECK_EXCEPTION(mirrors.check_own(), Error, is_told);
  BOOST_CHECK_EXCEPTION(mirrors.find(ctx, Reference::parse("ghcr.io/acme/api:1")), Error, is_told);
  BOOST_TEST(mirrors.find(ctx, Reference::parse("redis:7")).size() == 1U);
}

// Each of them would have ended as a mirror that is not used, with a word of it to nobody.
BOOST_AUTO_TEST_CASE(what_cannot_be_meant_so_is_broken_too) {
  const std::string file = path("own/ghcr.io/hosts.toml");
  const std::pair<std::string, std::string> rows[] = {
      {"\n[host.\"https://a\"]\ncapabilites = [\"pull\"]\n", file + ":3: capabilites: not known; did you mean capabilities?"},
      {"sever = \"https://a\"\n", file + ":1: sever: not known; did you mean server?"},
      {"\n[host.\"https://a\"]\nca = \"nope.pem\"\n", file + ":2: ca: " + path("own/ghcr.io/nope.pem") + " does not exist"},
      {"[host.\"https://a\"]\nclient = \"nope.pem\"\n", file + ":1: client: " + path("own/ghcr.io/nope.pem") + " does not exist"},
  };
  for (const auto& [text, expected] : rows) {
    folder.write("own/ghcr.io/hosts.toml", text);
    const auto is_told = [&, &told = expected](const Error& error) {
      BOOST_TEST(error.what() == told);
      return error.code() == ErrorCode::invalid;
    };
    BOOST_CHECK_EXCEPTION(Mirrors(files).check_own(), Error, is_told);
    BOOST_CHECK_EXCEPTION(Mirrors(files).find(ctx, Reference::parse("ghcr.io/acme/api:1")), Error, is_told);
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_that_another_tool_s_file_names_in_vain_is_reported) {
  folder.write("certs.d/docker.io/hosts.toml", "[host.\"https://a\"]\nca = \"nope.pem\"\nfuture = 1\n");
  BOOST_TEST(first() == "docker.io");
  BOOST_TEST(log.has(LogLevel::warning, "nope.pem does not exist; this file's mirrors are not used"), log.text());
}

BOOST_AUTO_TEST_CASE(a_file_that_a_variable_names_in_vain_is_reported) {
  files.registries = {{.file = folder / "none.conf", .named_by = "VARIABLE"}};
  BOOST_TEST(first() == "docker.io");
  BOOST_TEST(log.has(LogLevel::warning, "VARIABLE: " + path("none.conf") + " does not exist; no mirrors are read from it"), log.text());
}

BOOST_AUTO_TEST_CASE(a_file_among_the_folders_is_no_matter) {
  folder.write("own/README", "what this folder is for\n");
  mirror_in("own/docker.io/hosts.toml", "own.lan");
  Mirrors(files).check_own();
  BOOST_TEST(first() == "own.lan");
}

BOOST_AUTO_TEST_CASE(broken_files_of_others_are_reported_once_and_passed_over) {
  folder.write("certs.d/docker.io/hosts.toml", "server = 7\n");
  folder.write("daemon.json", "{");
  folder.write("registries.conf", "registry = 1\n");
  folder.write("conf.d/a.conf", "[[registry]]\n");
  location_in("conf.d/b.conf", "docker.io", "still.lan");
  Mirrors mirrors(files);
  BOOST_TEST(mirrors.find(ctx, Reference::parse("redis:7")).front().site.registry == "still.lan");
  mirrors.find(ctx, Reference::parse("redis:7"));
  mirrors.find(ctx, Reference::parse("acme/api:1"));
  for (const char* const name : {"certs.d/docker.io/hosts.toml", "daemon.json", "registries.conf", "conf.d/a.conf"}) {
    BOOST_TEST(log.has(LogLevel::warning, path(name) + ":1: "), name);
  }
  const std::string text = log.text();
  for (const char* const name : {"daemon.json", "certs.d"}) BOOST_TEST(text.find(name) == text.rfind(name), text);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_followed_is_told_once) {
  folder.write("own/docker.io/hosts.toml", "[host.\"https://a\"]\nheader = {host = \"y\"}\n");
  Mirrors mirrors(files);
  mirrors.find(ctx, Reference::parse("redis:7"));
  mirrors.find(ctx, Reference::parse("nginx:1"));
  BOOST_TEST(log.text() == path("own/docker.io/hosts.toml") + ":2: header host is not sent, drover has its own\n");
}

BOOST_AUTO_TEST_CASE(names_never_leave_the_folder) {
  mirror_in("hosts.toml", "outside.lan");
  BOOST_TEST(first("localhost/x:1") == "localhost");
  Mirrors mirrors(files);
  const Reference odd = Reference::parse("redis:7").at("..", "x");
  BOOST_TEST(mirrors.find(ctx, odd).front().site.registry == "..");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
