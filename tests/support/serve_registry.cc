// serve_registry: an OCI image layout as a registry on loopback, by hand, with faults when asked for.
#include "base/text.h"
#include "tests/support/layout_source.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>

namespace {

using namespace drover::test;

constexpr const char* usage =
    "usage: serve_registry [OPTIONS] LAYOUT...\n"
    "Serves OCI image layouts as a registry on loopback until it is interrupted. Prints one line a name, then \"ready\".\n"
    "  --port N            port (a free one)\n"
    "  --address A         address of the registry (127.0.0.1)\n"
    "  --repository NAME   repository of names that are bare tags (image)\n"
    "  --auth USER:PASS    ask for Basic authentication\n"
    "  --token             with --auth: Bearer tokens instead\n"
    "  --token-life S      seconds that a token lives (300)\n"
    "  --redirect          send blobs' readers to a second port with signed URLs\n"
    "  --redirect-uses N   a signed URL is good for N requests\n"
    "  --cut-after BYTES   reset every blob's connection after so many bytes of an answer (k, m, g)\n"
    "  --no-range          ignore Range\n"
    "  --rate BYTES        bytes a second for each connection (k, m, g)\n"
    "  --latency-ms N      wait before every answer\n";

struct Settings {
  FakeRegistryOptions registry;
  std::string repository = "image";
  FakeAuth auth;
  StorageRedirect redirect;
  Fault everywhere;
  Fault blobs;
  std::vector<std::string> layouts;
};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "serve_registry: %s\n%s", text.c_str(), usage);
  std::exit(2);
}

std::uint64_t number(const std::string& option, const std::string& text) {
  const std::optional<std::uint64_t> value = drover::parse_size(text);
  if (!value) fail(option + " wants a number, not " + text);
  return *value;
}

void set_auth(Settings& settings, const std::string& value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string::npos) fail("--auth wants USER:PASS");
  settings.auth.user = value.substr(0, colon);
  settings.auth.password = value.substr(colon + 1);
  if (settings.auth.scheme == FakeAuth::Scheme::none) settings.auth.scheme = FakeAuth::Scheme::basic;
}

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (!option.starts_with("--")) {
      settings.layouts.push_back(option);
      continue;
    }
    if (option == "--help") {
      std::printf("%s", usage);
      std::exit(0);
    }
    if (option == "--token") {
      settings.auth.scheme = FakeAuth::Scheme::bearer;
      continue;
    }
    if (option == "--redirect") {
      settings.redirect.enabled = true;
      continue;
    }
    if (option == "--no-range") {
      settings.blobs.ignore_range = true;
      continue;
    }
    if (i + 1 == argc) fail(option + " wants a value");
    const std::string value = argv[++i];
    if (option == "--port") {
      settings.registry.port = static_cast<std::uint16_t>(number(option, value));
    } else if (option == "--address") {
      settings.registry.address = value;
    } else if (option == "--repository") {
      settings.repository = value;
    } else if (option == "--auth") {
      set_auth(settings, value);
    } else if (option == "--token-life") {
      settings.auth.expires_in_seconds = static_cast<int>(number(option, value));
    } else if (option == "--redirect-uses") {
      settings.redirect.enabled = true;
      settings.redirect.uses_max = static_cast<std::size_t>(number(option, value));
    } else if (option == "--cut-after") {
      settings.blobs.reset_after = number(option, value);
    } else if (option == "--rate") {
      settings.everywhere.bytes_per_second = number(option, value);
    } else if (option == "--latency-ms") {
      settings.everywhere.delay = std::chrono::milliseconds(number(option, value));
    } else {
      fail("unknown option " + option);
    }
  }
  if (settings.layouts.empty()) fail("no layout given");
  return settings;
}

void serve(const Settings& settings, const sigset_t& ends) {
  FakeRegistry registry(settings.registry);
  registry.set_auth(settings.auth);
  registry.set_redirect(settings.redirect);
  registry.fault({.count = 0}, settings.everywhere);
  registry.fault({.target = settings.redirect.enabled ? "/storage/" : "/blobs/", .count = 0}, settings.blobs);
  for (const std::string& layout : settings.layouts) {
    for (const std::string& name : add_layout(registry, layout, settings.repository)) std::printf("%s/%s\n", registry.host().c_str(), name.c_str());
  }
  std::printf("ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = parse(argc, argv);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  try {
    serve(settings, ends);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "serve_registry: %s\n", error.what());
    return 1;
  }
}
