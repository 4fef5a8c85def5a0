#include "cli/command.h"

namespace drover::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = [] {
    std::vector<Command> rows = {
        resolve_command(),  check_command(),   ls_command(),       inspect_command(),    config_command(), pull_command(),
        load_command(),     prefetch_command(), up_command(),        down_command(),     start_command(),      stop_command(),   restart_command(),
        ps_command(),       logs_command(),    verify_command(),   store_gc_command(),   store_path_command(), store_rm_command(),   pin_command(),
        unpin_command(),    bench_sha256_command(), bench_pull_command(), bench_load_command(),
        completion_command(),
    };
    const std::vector<Command> gc = gc_commands();
    rows.insert(rows.end() - 1, gc.begin(), gc.end());
    return rows;
  }();
  return table;
}

const std::vector<OptionRow>& global_options() {
  static const std::vector<OptionRow> rows = {
      {"--store", &Flags::store, "the content store, an OCI image layout [DROVER_STORE]", "DIR"},
      {"--state-dir", &Flags::state, "what drover remembers of this host [DROVER_STATE]", "DIR"},
      {"-H,--host", &Flags::host, "the engine: unix:///path, tcp://host:port or ssh://user@host [DOCKER_HOST]", "URL"},
      {"--context", &Flags::context, "the engine by docker context [DOCKER_CONTEXT]", "NAME"},
      {"-f,--file", &Flags::files, "compose file, repeatable; - is standard input [COMPOSE_FILE]", "FILE"},
      {"--project-directory", &Flags::project_directory, "where relative paths of the compose file begin", "DIR"},
      {"-p,--project-name", &Flags::project_name, "compose project name [COMPOSE_PROJECT_NAME]", "NAME"},
      {"--env-file", &Flags::env_files, "variables for the compose file, repeatable, instead of .env", "FILE"},
      {"--profile", &Flags::profiles, "compose profile to enable, repeatable [COMPOSE_PROFILES]", "NAME"},
      {"--platform", &Flags::platforms, "OS/ARCH[/VARIANT], repeatable, or all [DOCKER_DEFAULT_PLATFORM]", "PLATFORM"},
      {"--jobs", &Flags::jobs, "transfers at once (default 8)", "N"},
      {"--limit-rate", &Flags::limit_rate, "cap of all transfers together in bytes a second, with k, M or G", "RATE"},
      {"--insecure-registry", &Flags::insecure_registries, "HOST[:PORT] that may speak plain HTTP or unverified TLS, repeatable", "HOST"},
      {"--no-mirrors", &Flags::no_mirrors, "ask the registries themselves, read no file that names mirrors"},
      {"--cacert", &Flags::ca_file, "PEM file of authorities to trust besides the system's", "FILE"},
      {"--json", &Flags::json, "print exactly one JSON document"},
      {"--progress", &Flags::progress, "how progress is shown on standard error (default auto)", "MODE", {"auto", "tty", "plain", "json", "none"}},
      {"-q,--quiet", &Flags::quiet, "print only names, IDs and digests"},
      {"-v,--verbose", &Flags::verbose, "say more on standard error"},
      {"--dry-run", &Flags::dry_run, "plan, print the plan, change nothing"},
      {"-y,--yes", &Flags::yes, "answer yes to every question"},
      {"--version", &Flags::version, "print the version; with -v also what it is built on"},
  };
  return rows;
}

std::vector<OptionRow> with_budget_options(std::vector<OptionRow> rows) {
  rows.push_back({"--by", &Flags::by, "spread the transfer so that it ends by then, warn early if it will not: 06:00, 90m, RFC 3339", "TIME"});
  rows.push_back({"--min-free", &Flags::min_free, "refuse what would leave less free on the store's or the engine's disk: 20G", "SIZE"});
  return rows;
}

}  // namespace drover::cli
