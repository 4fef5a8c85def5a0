// The words of a command line, as typed. Nothing is checked or defaulted here: settings.h does that.
#pragma once

#include <string>
#include <vector>

namespace drover::cli {

struct Flags {
  // Global, before or after the command word. An empty text means: not given.
  std::string store;
  std::string state;
  std::string host;
  std::string context;
  std::vector<std::string> files;
  std::string project_directory;
  std::string project_name;
  std::vector<std::string> env_files;
  std::vector<std::string> profiles;
  std::vector<std::string> platforms;
  std::string jobs;
  std::string limit_rate;
  std::vector<std::string> insecure_registries;
  std::string ca_file;
  bool no_mirrors = false;
  std::string progress;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool dry_run = false;
  bool yes = false;
  bool version = false;

  // Of single commands.
  std::vector<std::string> references;
  std::vector<std::string> services;
  std::string hash;
  std::string compose_epoch;
  std::string shell;
  std::string settle;
  std::string against;
  std::string min_age;
  std::string by;
  std::string min_free;
  bool show_services = false;
  bool show_images = false;
  bool show_volumes = false;
  bool show_networks = false;
  bool show_profiles = false;
  bool show_environment = false;
  bool all_resources = false;
  bool explain = false;
  bool exit_code = false;
  bool no_load = false;
  bool keep_going = false;
  bool fail_fast = false;
  bool repair = false;
  bool deep = false;
  bool apply = false;
  std::string keep;
  std::string free;
  std::vector<std::string> volumes;
  bool named = false;
  std::string project;
  bool force = false;
  std::string archive;
  bool no_archive = false;
  std::string plan;
  bool list = false;
  std::vector<std::string> tools;
  std::string repeat;
  std::string seconds;
  std::string size;

  // Of the commands that change a stack or look at one.
  std::string stop_timeout;
  std::string gate_timeout;
  bool remove_orphans = false;
  bool remove_volumes = false;
  bool no_deps = false;
  bool wait = false;
  std::vector<std::string> statuses;
  bool all = false;
  bool no_trunc = false;
  bool follow = false;
  bool timestamps = false;
  bool no_log_prefix = false;
  bool no_color = false;
  std::string since;
  std::string until;
  std::string tail;
  std::string index;
  bool force_recreate = false;
  bool no_recreate = false;
  bool always_recreate_deps = false;
  bool renew_anonymous_volumes = false;
  bool no_start = false;
  bool allow_new_volumes = false;
  bool rollback = false;
  bool no_rollback = false;
  bool detach = false;
  bool build = false;
  bool no_build = false;
  bool quiet_pull = false;
  bool check_drift = false;
  bool fix_drift = false;
  bool restart_stale = false;
  std::string pull;
  std::vector<std::string> scales;
};

}  // namespace drover::cli
